"""The ledger, certificates and audit packs as a library."""
