"""Databases for tests: SQLite files, and a real PostgreSQL server started from the distribution's package."""

import getpass
import itertools
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import trio
from sqlalchemy.engine import URL

from tests.support import wait_for
from trio_stream.store.database import migrate
from trio_stream.store.engines import sqlite_address

type Dialect = Literal["sqlite", "postgresql"]

START_DEADLINE = 30.0
STOP_DEADLINE = 20.0

QUICK = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=40",
)
"""No durability, because a test survives no power cut."""


ROOM = 1 << 30
"""Bytes that the databases of a run may take."""


def programs() -> Path:
    """The folder of the newest `initdb` and `postgres` of this machine; Debian does not put them in PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name))
    if not found and (initdb := shutil.which("initdb")):
        return Path(initdb).resolve().parent
    assert found, "the tests need PostgreSQL: run scripts/test, which installs it"
    return found[-1]


class Postgres:
    """A running server. Its socket is in a separate folder, so only users of this machine can reach it."""

    def __init__(self, socket: Path, user: str) -> None:
        self._socket = socket
        self.user = user
        self.newest: URL | None = None
        """A database with the newest schema, the template of others; it outlives a `Databases`."""
        self._numbers = itertools.count()

    def url(self, name: str) -> URL:
        return URL.create("postgresql", username=self.user, database=name, query={"host": str(self._socket)})

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement outside any transaction."""
        import psycopg  # noqa: PLC0415 - only tests with PostgreSQL need it

        with psycopg.connect(
            host=str(self._socket), user=self.user, dbname=database, autocommit=True
        ) as connection:
            cursor = connection.execute(statement.encode())
            return [] if cursor.description is None else cursor.fetchall()

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[URL]:
        """A database for one test, created from `template`."""
        name = f"test_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield self.url(name)
        finally:
            self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A new server that runs during the block; as another user if this one is root, which PostgreSQL refuses."""
    folder = Path(tempfile.mkdtemp(prefix="pg", dir=_place()))
    user = _user()
    data, log = folder / "data", folder / "log"
    try:
        owner = pwd.getpwnam(user)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_user: list[str | Path] = [] if os.geteuid() else _as(owner)
        subprocess.run(
            [
                *(*as_user, programs() / "initdb", "-D", data, "-U", user, "--auth=trust"),
                *("--no-locale", "--encoding=UTF8", "--no-sync"),
            ],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        options = (f"unix_socket_directories={folder}", "listen_addresses=", *QUICK)
        with log.open("wb") as output:
            server = subprocess.Popen(
                [
                    *as_user,
                    programs() / "postgres",
                    "-D",
                    data,
                    *(word for each in options for word in ("-c", each)),
                ],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            found = Postgres(folder, user)
            wait_for(lambda: _is_ready(found, server, log), START_DEADLINE, "PostgreSQL to start")
            yield found
        finally:
            server.send_signal(signal.SIGINT)  # ends its sessions, then itself
            server.wait(STOP_DEADLINE)
    finally:
        shutil.rmtree(folder)


def _place() -> Path:
    """A folder, in memory if there is space: a database has 300 files, and creating and removing them costs most."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return (
        memory if roomy else Path("/tmp")
    )  # not a longer path: that of a socket is limited to about a hundred characters


def _user() -> str:
    if os.geteuid():
        return getpass.getuser()
    users = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in users else "nobody"


def _as(owner: pwd.struct_passwd) -> list[str | Path]:
    # If the tests are killed, their server is killed too.
    ids = (f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups")
    return ["setpriv", *ids, "--pdeathsig=INT", "--"]


def _is_ready(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> bool:
    import psycopg  # noqa: PLC0415 - the same

    assert process.poll() is None, f"PostgreSQL ended:\n{log.read_text(errors='replace')}"
    try:
        return bool(server.execute("SELECT 1"))
    except psycopg.OperationalError:
        return False


@contextmanager
def locked(
    url: URL, table: str, mode: Literal["EXCLUSIVE", "ACCESS EXCLUSIVE"] = "EXCLUSIVE"
) -> Iterator[None]:
    """Hold a write transaction open in another connection, on a whole SQLite database or one table of PostgreSQL.

    No other connection can write; on PostgreSQL with `ACCESS EXCLUSIVE`, none can read either.
    """
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(url.database), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    import psycopg  # noqa: PLC0415 - the same

    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as other:
        other.execute(f"LOCK TABLE {table} IN {mode} MODE".encode())
        yield


class Databases:
    """Databases of one dialect for tests: `empty` ones, and `ready` ones with the newest schema."""

    def __init__(self, folder: Path, server: Postgres | None) -> None:
        self.dialect: Dialect = "sqlite" if server is None else "postgresql"
        self._folder = folder
        self.server = server
        self._numbers = itertools.count()
        self._template = None if server is None else server.newest

    @contextmanager
    def empty(self) -> Iterator[URL]:
        """An empty database."""
        if self.server is not None:
            with self.server.database() as url:
                yield url
            return
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        yield sqlite_address(folder / "library.sqlite")
        shutil.rmtree(folder)

    @contextmanager
    def ready(self) -> Iterator[URL]:
        """A database with the newest schema and no rows."""
        template = self._template_url()
        if self.server is not None:
            with self.server.database(str(template.database)) as url:
                yield url
            return
        with self.empty() as url:
            shutil.copy(str(template.database), str(url.database))
            yield url

    def _template_url(self) -> URL:
        if self._template is None:
            if self.server is not None:
                self.server.execute("CREATE DATABASE newest")
                self._template = self.server.newest = self.server.url("newest")
            else:
                self._template = sqlite_address(self._folder / "newest.sqlite")
            trio.run(migrate, self._template)
        return self._template
