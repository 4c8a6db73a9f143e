"""What a database driver raises -> our errors, in sentences for people, once, where it enters.

No message holds a password, and none the values of a statement.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from trio_stream.errors import (
    StoreConflict,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreUnavailable,
    StoreUnusable,
)

SQLITE: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_BUSY: StoreUnavailable,
    sqlite3.SQLITE_LOCKED: StoreUnavailable,
    sqlite3.SQLITE_PROTOCOL: StoreUnavailable,
    sqlite3.SQLITE_NOMEM: StoreUnavailable,
    sqlite3.SQLITE_IOERR: StoreUnavailable,
    sqlite3.SQLITE_INTERRUPT: StoreUnavailable,
    sqlite3.SQLITE_FULL: StoreFull,
    sqlite3.SQLITE_CONSTRAINT: StoreConflict,
    sqlite3.SQLITE_CORRUPT: StoreDamaged,
    sqlite3.SQLITE_NOTADB: StoreDamaged,
    sqlite3.SQLITE_CANTOPEN: StoreUnusable,
    sqlite3.SQLITE_PERM: StoreUnusable,
    sqlite3.SQLITE_READONLY: StoreUnusable,
}
"""By primary result code, https://www.sqlite.org/rescode.html."""

POSTGRESQL: dict[str, type[StoreError]] = {
    "08": StoreUnavailable,  # connection exception
    "40": StoreUnavailable,  # transaction rollback: a deadlock, a failed serialization
    "53": StoreUnavailable,  # insufficient resources
    "55": StoreUnavailable,  # object not in the state it needs: a lock not had
    "57": StoreUnavailable,  # operator intervention: shutting down, starting up, cancelled after its time
    "58": StoreUnavailable,  # system error
    "53100": StoreFull,
    "23": StoreConflict,
    "XX001": StoreDamaged,
    "XX002": StoreDamaged,
    "28": StoreUnusable,  # invalid authorization
    "3D": StoreUnusable,  # no such database
    "42501": StoreUnusable,  # insufficient privilege
    "25006": StoreUnusable,  # a server that only reads
}
"""By SQLSTATE or its class, https://www.postgresql.org/docs/current/errcodes-appendix.html."""

SENTENCES: dict[type[StoreError], str] = {
    StoreUnavailable: "the database {where} cannot be used now: {reason}",
    StoreFull: "there is no room left for the database {where}: {reason}",
    StoreConflict: "the database refused a change: {reason}",
    StoreDamaged: "the database {where} is damaged or is none: {reason}; "
    "restore a copy of it, or move it away to begin with an empty one (your videos are not in it)",
    StoreUnusable: "the database {where} cannot be used: {reason}; see to its address and to the rights there",
    StoreError: "the database {where} failed: {reason}",
}


class Place:
    """A database as people may see it: without its password."""

    def __init__(self, url: URL) -> None:
        self._secrets = {
            text
            for name, value in {"password": url.password or "", **url.query}.items()
            if "password" in name
            for text in ([value] if isinstance(value, str) else value)
            if text
        }
        if url.get_backend_name() == "sqlite":
            self.name = str(url.database)
        else:
            port = f":{url.port}" if url.port else ""
            self.name = f"{url.database or ''} at {url.host or url.query.get('host') or 'this machine'}{port}"

    def __str__(self) -> str:
        return self.name

    def clean(self, message: str) -> str:
        """The message on one line, without what is secret."""
        for secret in self._secrets:
            message = message.replace(secret, "***")
        return " ".join(message.split())

    @contextmanager
    def translated(self) -> Iterator[None]:
        """For a block that asks the database: what its driver raises leaves it as a `StoreError`."""
        try:
            yield
        except DBAPIError as error:
            found = kind(error)
            raise self._error(found, _reason(error)) from (error if found is StoreError else None)
        except SQLAlchemyError as error:  # a mistake in a statement of ours, most likely
            raise self._error(StoreError, type(error).__name__) from error

    def _error(self, kind: type[StoreError], reason: str) -> StoreError:
        return kind(SENTENCES[kind].format(where=self.name, reason=self.clean(reason)))


def kind(error: DBAPIError) -> type[StoreError]:
    """Which of our errors it is."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return SQLITE.get(code & 0xFF, StoreError)
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return POSTGRESQL.get(state) or POSTGRESQL.get(state[:2], StoreError)
    # A connection that could not be made, or that ended, has no state.
    lost = error.connection_invalidated or type(error.orig).__name__ == "OperationalError"
    return StoreUnavailable if lost else StoreError


def _reason(error: DBAPIError) -> str:
    # The details PostgreSQL adds name the values of a row.
    return getattr(getattr(error.orig, "diag", None), "message_primary", None) or str(error.orig)
