"""The ledger's tables, revision by revision (Alembic). A published revision never changes.

A new one: a module in `versions` whose `down_revision` is the one before; then `schema.REVISION` is its name,
and `guards` compares with what it leaves behind. It may add columns, tables and indices, never change a row:
every row's line is under a hash. A ledger is brought forward when it is next opened, in one transaction.
"""
