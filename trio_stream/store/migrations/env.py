"""Alembic runs this file: it runs the migrations on the given connection, in the transaction that is open there."""

from alembic import context

from trio_stream.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
