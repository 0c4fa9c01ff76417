"""Audit packs: what a third party needs to repeat every check of a period."""
