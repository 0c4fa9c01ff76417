"""Malformed cases, each one edit away from a valid case."""
