"""The ledger: double-entry, append-only books of credits and their effects, in integers."""
