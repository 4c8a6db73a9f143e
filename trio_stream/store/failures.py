"""Translates the errors of database drivers into ours, with readable messages.

No message contains a password or the values of a statement.
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
    "55": StoreUnavailable,  # object not in prerequisite state: a lock not available
    "57": StoreUnavailable,  # operator intervention: shutting down, starting up, a statement timeout
    "58": StoreUnavailable,  # system error
    "53100": StoreFull,
    "23": StoreConflict,
    "XX001": StoreDamaged,
    "XX002": StoreDamaged,
    "28": StoreUnusable,  # invalid authorization
    "3D": StoreUnusable,  # no such database
    "42501": StoreUnusable,  # insufficient privilege
    "25006": StoreUnusable,  # a read-only server
}
"""By SQLSTATE or its class, https://www.postgresql.org/docs/current/errcodes-appendix.html."""

MESSAGES: dict[type[StoreError], str] = {
    StoreUnavailable: "the database {where} cannot be used now: {reason}",
    StoreFull: "there is no space left for the database {where}: {reason}",
    StoreConflict: "the database refused a change: {reason}",
    StoreDamaged: "the database {where} is damaged or not a database: {reason}; "
    "restore a copy of it, or move it away to start with an empty one (your videos are not in it)",
    StoreUnusable: "the database {where} cannot be used: {reason}; check its address and permissions",
    StoreError: "the database {where} failed: {reason}",
}


class DatabaseLabel:
    """The name of a database for messages, without its password."""

    def __init__(self, url: URL) -> None:
        self._secrets = {
            text
            for name, value in {"password": url.password or "", **url.query}.items()
            if "password" in name
            for text in ([value] if isinstance(value, str) else value)
            if text
        }
        if url.get_backend_name() == "sqlite":
            self.text = str(url.database)
        else:
            port = f":{url.port}" if url.port else ""
            self.text = f"{url.database or ''} at {url.host or url.query.get('host') or 'this machine'}{port}"

    def __str__(self) -> str:
        return self.text

    def clean(self, message: str) -> str:
        """The message on one line, without secrets."""
        for secret in self._secrets:
            message = message.replace(secret, "***")
        return " ".join(message.split())

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Raise the errors of the driver in the block as `StoreError`."""
        try:
            yield
        except DBAPIError as error:
            error_class = error_type(error)
            raise self._error(error_class, _reason(error)) from (error if error_class is StoreError else None)
        except SQLAlchemyError as error:  # most likely a bug in one of our statements
            raise self._error(StoreError, type(error).__name__) from error

    def _error(self, error_type: type[StoreError], reason: str) -> StoreError:
        return error_type(MESSAGES[error_type].format(where=self.text, reason=self.clean(reason)))


def error_type(error: DBAPIError) -> type[StoreError]:
    """Which of our errors a driver's error becomes."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return SQLITE.get(code & 0xFF, StoreError)
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return POSTGRESQL.get(state) or POSTGRESQL.get(state[:2], StoreError)
    # A connection that could not be opened, or that broke, has no SQLSTATE.
    lost = error.connection_invalidated or type(error.orig).__name__ == "OperationalError"
    return StoreUnavailable if lost else StoreError


def _reason(error: DBAPIError) -> str:
    # PostgreSQL's details contain the values of a row, so they are left out.
    return getattr(getattr(error.orig, "diag", None), "message_primary", None) or str(error.orig)
