"""The ledger's tables, revision by revision (Alembic). A published revision never changes."""
