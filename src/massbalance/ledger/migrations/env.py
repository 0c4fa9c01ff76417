"""Runs migrations on the connection that `schema.upgrade` gives, inside its transaction."""

from alembic import context

from massbalance.ledger.schema import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
