"""Released schemas: `schemas/VERSION.DIALECT.sql`, with rows for them in `schemas/VERSION.json`.

They never change once released. `python -m tests.store.released` writes missing files for the newest version. Bytes are
`{"hex": "..."}` in the rows.
"""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import trio
from sqlalchemy import Connection, MetaData
from sqlalchemy.engine import URL

from tests.databases import Databases, postgres, programs
from trio_stream.store.database import migrate
from trio_stream.store.engines import migrating_engine
from trio_stream.store.migrations import NEWEST
from trio_stream.store.search import NAME

FOLDER = Path(__file__).parent / "schemas"

type Rows = dict[str, list[dict[str, Any]]]


def statements(connection: Connection) -> list[str]:
    """The SQL of everything in a SQLite database, without the tables that the search index creates itself."""
    found = connection.exec_driver_sql(
        f"SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '{NAME}_%' OR type = 'trigger'"
        " ORDER BY rowid"
    ).scalars()
    return [each for each in found if "sqlite_sequence" not in each]


def load(connection: Connection, version: str) -> None:
    """Create that schema in an empty database."""
    script = (FOLDER / f"{version}.{connection.dialect.name}.sql").read_text()
    for statement in script.split(";\n\n"):
        if statement.strip():
            connection.exec_driver_sql(statement.replace("%", "%%") if "%" in statement else statement)


def fill(connection: Connection, version: str) -> None:
    """Insert the rows of that version into its tables."""
    there = _tables(connection)
    for name, rows in json.loads((FOLDER / f"{version}.json").read_text()).items():
        connection.execute(
            there.tables[name].insert(),
            [{key: _bytes(value) for key, value in row.items()} for row in rows],
        )


def rows_of(connection: Connection) -> Rows:
    """All rows, by table, in the order of their first columns."""
    there = _tables(connection)
    return {
        name: [
            dict(row)
            for row in connection.execute(table.select().order_by(*list(table.columns)[:2])).mappings()
        ]
        for name, table in there.tables.items()
        if name != "alembic_version"
    }


def _tables(connection: Connection) -> MetaData:
    there = MetaData()
    there.reflect(connection, only=lambda name, _: not name.startswith(NAME))
    return there


def _bytes(value: object) -> object:
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value


def write() -> None:
    """Write the newest schema for both dialects, unless it exists."""
    with postgres() as server, tempfile.TemporaryDirectory() as folder:
        for databases in (Databases(Path(folder), None), Databases(Path(folder), server)):
            path = FOLDER / f"{NEWEST}.{databases.dialect}.sql"
            if path.exists():
                continue
            with databases.empty() as url:
                trio.run(migrate, url)
                found = _sqlite(url) if databases.server is None else _postgresql(url)
                found.append(f"INSERT INTO alembic_version VALUES ('{NEWEST}')")
                path.write_text(";\n\n".join(found) + ";\n")
                print(path)


def _sqlite(url: URL) -> list[str]:
    engine = migrating_engine(url)
    with engine.begin() as connection:
        found = statements(connection)
    engine.dispose()
    return found


def _postgresql(url: URL) -> list[str]:
    dump = subprocess.run(
        [
            *(programs() / "pg_dump", "--schema-only", "--no-owner", "--no-privileges"),
            *("-h", str(url.query["host"]), "-U", str(url.username), str(url.database)),
        ],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"LC_ALL": "C"},
    ).stdout
    lines = [line for line in dump.splitlines() if not re.match(r"--|\\|SET |SELECT pg_catalog", line)]
    return [each.strip() for each in "\n".join(lines).split(";\n") if each.strip()]


if __name__ == "__main__":
    write()
