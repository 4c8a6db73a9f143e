"""From any released schema to the newest, in one transaction: a migration happens, or nothing does.

A file in `versions` that was released never changes. Alembic is imported where there is something to do, no sooner.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect

from trio_stream.errors import StoreDamaged, StoreUnusable
from trio_stream.store.tables import metadata

VERSIONS = ("0001", "0002", "0003", "0004", "0005")
"""Every schema there was, oldest first: the revisions of the files in `versions`."""

NEWEST = VERSIONS[-1]

LOCK = 0x7472696F  # the same number for everybody who migrates: "trio"


@dataclass(frozen=True, slots=True)
class Migrated:
    """From which version (None: there was nothing) to which a database was brought."""

    before: str | None
    after: str


def upgrade(connection: Connection, where: str) -> Migrated:
    """Bring the schema to the newest, in the transaction of `connection`; `where` is how messages call the database.

    Raises `StoreUnusable` where the database is of a newer program, or of another one.
    """
    postgresql = connection.dialect.name == "postgresql"
    if postgresql:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")  # SQLite has its own lock already
        if (encoding := connection.exec_driver_sql("SHOW server_encoding").scalar_one()) != "UTF8":
            raise StoreUnusable(f"the database {where} has the encoding {encoding}; make one with UTF8")
    before = _known(connection, where)
    if before == NEWEST:
        return Migrated(before, NEWEST)
    if before is None:
        _empty(connection, where)
    run(connection, NEWEST)
    if (
        not postgresql
        and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()) is not None
    ):
        raise StoreDamaged(
            f"the database {where} cannot be migrated: its table {broken[0]} refers to what is not there"
        )
    return Migrated(before, NEWEST)


def check(connection: Connection, where: str) -> None:
    """Raise `StoreUnusable` unless the schema is the newest."""
    version = _known(connection, where)
    if version != NEWEST:
        found = "is empty" if version is None else f"has the older schema {version}"
        raise StoreUnusable(f"the database {where} {found}; the server brings it to {NEWEST} when it starts")


def check_usable(connection: Connection, where: str) -> None:
    """Raise `StoreUnusable` where `upgrade` would."""
    if _known(connection, where) is None:
        _empty(connection, where)


def _known(connection: Connection, where: str) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.exec_driver_sql(
        "SELECT version_num FROM alembic_version"
    ).scalar_one_or_none()
    if version is not None and version not in VERSIONS:
        raise StoreUnusable(
            f"the database {where} was made by a newer Trio Stream (schema {version}, this one knows {NEWEST}); "
            "install that version again, or go back to a copy of the database from before; nothing was changed"
        )
    return version


def _empty(connection: Connection, where: str) -> None:
    names = set(inspect(connection).get_table_names())
    if connection.dialect.name == "postgresql":
        names &= set(metadata.tables)
    if names:
        raise StoreUnusable(
            f"the database {where} belongs to another program (it has the table {min(names)}); "
            "choose one of Trio Stream's own; nothing was changed"
        )


def run(connection: Connection, version: str) -> None:
    """Bring the schema to `version`, whatever is there: for `upgrade`."""
    from alembic import command  # noqa: PLC0415 - most starts need no migration, and it takes long to import
    from alembic.config import Config  # noqa: PLC0415 - the same

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, version)
