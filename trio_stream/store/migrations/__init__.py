"""Migrates any released schema to the newest, in one transaction that succeeds completely or changes nothing.

A released file in `versions` never changes. Alembic is imported only if a migration is needed.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect

from trio_stream.errors import StoreDamaged, StoreUnusable
from trio_stream.store.tables import metadata

VERSIONS = ("0001", "0002", "0003", "0004", "0005")
"""Every schema so far, oldest first: the revisions of the files in `versions`."""

NEWEST = VERSIONS[-1]

LOCK = 0x7472696F  # "trio"; the same for every process that migrates


@dataclass(frozen=True, slots=True)
class Migrated:
    """The schema version of a database before a migration (None if it was empty) and after it."""

    before: str | None
    after: str


def upgrade(connection: Connection, where: str) -> Migrated:
    """Migrate to the newest schema, in the transaction of `connection`; `where` is the database in messages.

    Raises `StoreUnusable` if the database belongs to a newer version or to another program.
    """
    postgresql = connection.dialect.name == "postgresql"
    if postgresql:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")  # SQLite holds its lock already
        if (encoding := connection.exec_driver_sql("SHOW server_encoding").scalar_one()) != "UTF8":
            raise StoreUnusable(f"the database {where} has the encoding {encoding}; create one with UTF8")
    old_version = _schema_version(connection, where)
    if old_version == NEWEST:
        return Migrated(old_version, NEWEST)
    if old_version is None:
        _empty(connection, where)
    run(connection, NEWEST)
    if (
        not postgresql
        and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()) is not None
    ):
        raise StoreDamaged(
            f"the database {where} cannot be migrated: its table {broken[0]} refers to a row that does not exist"
        )
    return Migrated(old_version, NEWEST)


def check(connection: Connection, where: str) -> None:
    """Raise `StoreUnusable` if the schema is not the newest."""
    version = _schema_version(connection, where)
    if version != NEWEST:
        found = "is empty" if version is None else f"has the older schema {version}"
        raise StoreUnusable(
            f"the database {where} {found}; the server migrates it to {NEWEST} when it starts"
        )


def check_usable(connection: Connection, where: str) -> None:
    """Raise `StoreUnusable` if `upgrade` would."""
    if _schema_version(connection, where) is None:
        _empty(connection, where)


def _schema_version(connection: Connection, where: str) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.exec_driver_sql(
        "SELECT version_num FROM alembic_version"
    ).scalar_one_or_none()
    if version is not None and version not in VERSIONS:
        raise StoreUnusable(
            f"the database {where} is from a newer Trio Stream (schema {version}; this version supports {NEWEST}); "
            "install that version again, or restore an older copy of the database; nothing was changed"
        )
    return version


def _empty(connection: Connection, where: str) -> None:
    names = set(inspect(connection).get_table_names())
    if connection.dialect.name == "postgresql":
        names &= set(metadata.tables)
    if names:
        raise StoreUnusable(
            f"the database {where} belongs to another program (it has the table {min(names)}); "
            "use a separate one for Trio Stream; nothing was changed"
        )


def run(connection: Connection, version: str) -> None:
    """Migrate the schema to `version` without any checks; used by `upgrade`."""
    from alembic import command  # noqa: PLC0415 - most starts need no migration, and it takes long to import
    from alembic.config import Config  # noqa: PLC0415 - the same

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, version)
