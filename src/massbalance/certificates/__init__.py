"""Certificates and residual statements, made from posted entries only."""
