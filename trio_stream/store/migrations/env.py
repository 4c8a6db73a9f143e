"""What Alembic runs: the migrations, on the connection it was given and in the transaction that is open there."""

from alembic import context

from trio_stream.store.search import NAME
from trio_stream.store.tables import metadata


def include_name(name: str | None, _kind: str, _parents: object) -> bool:
    """Whether a comparison looks at what has that name: the search index is made by hand."""
    return not (name or "").startswith(NAME)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=include_name,
    transactional_ddl=True,
)
context.run_migrations()
