"""Every released schema is migrated with its data to the newest; other databases are left unchanged."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, inspect, text
from sqlalchemy.engine import URL

from tests.databases import Databases
from tests.store.conftest import writing
from tests.store.released import Rows, fill, load, rows_of, statements
from tests.store.rows import entries, put
from tests.store.test_search import agrees, found
from trio_stream.errors import SettingsError, StoreError, StoreUnusable
from trio_stream.store import migrations
from trio_stream.store.database import migrate, open_database
from trio_stream.store.engines import address, migrating_engine, sqlite_address
from trio_stream.store.migrations import NEWEST, VERSIONS, Migrated
from trio_stream.store.search import NAME
from trio_stream.store.tables import metadata


def within[T](url: URL, work: Callable[[Connection], T]) -> T:
    """The result of `work`, in one transaction in which everything is allowed."""
    engine = migrating_engine(address(url))
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


def differences(connection: Connection) -> list[object]:
    """What Alembic would change to match `tables.py`, and differing check constraints, which Alembic does not compare."""
    context = MigrationContext.configure(
        connection,
        opts={
            "include_name": lambda name, _kind, _parents: not (name or "").startswith(NAME),
            "compare_type": True,
            "compare_server_default": _default_differs,
        },
    )
    different: list[object] = list(compare_metadata(context, metadata))
    inspector = inspect(connection)
    for name, table in metadata.tables.items():
        actual = {each["name"] for each in inspector.get_check_constraints(name)}
        wanted = {str(each.name) for each in table.constraints if isinstance(each, CheckConstraint)}
        different += actual ^ wanted
    return different


def _default_differs(context: MigrationContext, *context_args: object) -> bool | None:
    if context.dialect.name != "sqlite":
        return None  # Alembic's own comparison; on SQLite it treats an empty string as no default
    actual, wanted = (
        str(each).strip("'()") if each is not None else None for each in (context_args[2], context_args[4])
    )
    return actual != wanted


def structure(connection: Connection) -> object:
    """The structure of the database, as it describes itself."""
    if connection.dialect.name == "sqlite":
        return sorted(statements(connection))
    return [
        sorted(map(str, connection.execute(text(query)).all()))
        for query in (
            "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public'",
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
        )
    ]


def test_versions_lists_all_migrations_in_order() -> None:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert tuple(each.revision for each in script.walk_revisions())[::-1] == VERSIONS
    assert script.get_heads() == [NEWEST]


@pytest.mark.parametrize("version", VERSIONS)
async def test_each_released_schema_is_migrated_with_its_data(empty_url: URL, version: str) -> None:
    def restore(connection: Connection) -> Rows:
        load(connection, version)
        fill(connection, version)
        return rows_of(connection)

    before = within(empty_url, restore)
    assert all(before.values()), "each table has rows"
    if version < "0005":
        for row in before["subtitles"]:
            row["signature"] = None if row["video"] is None else ""
        for row in before["contents"]:
            row |= {"state": "new", "attempts": 0}  # it is probed again
    assert await migrate(empty_url) == Migrated(version, NEWEST)
    assert within(empty_url, differences) == []
    after = within(empty_url, rows_of)
    for name, rows in before.items():
        assert [current_state | then for current_state, then in zip(after[name], rows, strict=True)] == after[
            name
        ]
    async with writing(empty_url) as (database, writer):
        assert await database.read(lambda connection: found(connection, "harb")) == ["4kTQzJ"]
        await writer.write(put("more"))
        if database.dialect == "sqlite":
            await writer.write(agrees)


async def test_folders_with_videos_are_no_longer_marked_as_missing(empty_url: URL) -> None:
    def restore(connection: Connection) -> list[tuple[int, int | None]]:
        load(connection, "0003")
        fill(connection, "0003")
        connection.execute(
            text(
                "INSERT INTO folders (number, path, place, parent, name_key)"
                " SELECT 1000, path, 'away', number, name_key FROM folders WHERE number = 1"
            )
        )
        connection.execute(text("UPDATE folders SET missing_since = 5"))
        return missing(connection)

    def missing(connection: Connection) -> list[tuple[int, int | None]]:
        found = connection.execute(text("SELECT number, missing_since FROM folders ORDER BY number"))
        return [(row.number, row.missing_since) for row in found]

    def folders_with_videos(connection: Connection) -> set[int]:
        """Folders with a present video, and their parents."""
        rows = connection.execute(text("SELECT number, parent FROM folders"))
        parents = {row.number: row.parent for row in rows}
        with_videos = set(connection.scalars(text("SELECT folder FROM videos WHERE missing_since IS NULL")))
        while missing_parents := {parents[number] for number in with_videos} - {None} - with_videos:
            with_videos |= missing_parents
        return with_videos

    before = within(empty_url, restore)
    present = within(empty_url, folders_with_videos)
    assert 0 < len(present) < len(before)
    await migrate(empty_url)
    assert within(empty_url, missing) == [(number, None if number in present else 5) for number, _ in before]


async def test_languages_become_tags_and_subtitles_are_read_again(empty_url: URL) -> None:
    """Subtitle files count as changed, so that the next scan finds them; failed tracks are extracted again."""
    languages = ["eng", "por", "pt-BR", "chi", "fre", "und", "pob", "qaa", None]

    def restore(connection: Connection) -> None:
        load(connection, "0004")
        fill(connection, "0004")
        connection.execute(text("UPDATE contents SET texts = 'failed'"))
        for track, language in enumerate(languages, 10):
            connection.execute(
                text(
                    "INSERT INTO subtitles (number, revision, track, codec, language, state, reason)"
                    " SELECT 100 + :track, revision, :track, 'subrip', :language, 'failed', 'why' FROM subtitles"
                    " WHERE revision IS NOT NULL AND track < 10"
                ),
                {"track": track, "language": language},
            )

    def current_state(connection: Connection) -> tuple[list[str | None], set[str], set[str], list[str]]:
        tracks = connection.execute(text("SELECT * FROM subtitles WHERE track >= 10 ORDER BY track")).all()
        file_signatures = connection.scalars(text("SELECT signature FROM subtitles WHERE video IS NOT NULL"))
        waiting = connection.scalars(text("SELECT texts FROM contents"))
        return (
            [row.language for row in tracks],
            {row.state for row in tracks},
            set(waiting),
            list(file_signatures),
        )

    within(empty_url, restore)
    await migrate(empty_url)
    tags = ["en", "pt", "pt-BR", "zh", "fr", None, "pt-BR", "qaa", None]
    assert within(empty_url, current_state) == (tags, {"waiting"}, {"waiting"}, [""])


async def test_an_empty_database_gets_the_newest_schema(empty_url: URL) -> None:
    assert await migrate(empty_url) == Migrated(None, NEWEST)
    assert await migrate(empty_url) == Migrated(NEWEST, NEWEST)
    assert within(empty_url, differences) == []


async def test_the_comparison_finds_differences(database_url: URL) -> None:
    within(
        database_url, lambda connection: connection.exec_driver_sql("DROP INDEX ix_videos_by_name").close()
    )
    within(
        database_url, lambda connection: connection.exec_driver_sql("ALTER TABLE library DROP value").close()
    )
    assert len(within(database_url, differences)) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_a_released_migration_is_unchanged(databases: Databases, version: str) -> None:
    with databases.empty() as released, databases.empty() as migrated:
        within(released, lambda connection: load(connection, version))
        within(migrated, lambda connection: migrations.run(connection, version))
        assert within(migrated, structure) == within(released, structure)


async def test_concurrent_migrations_run_once(empty_url: URL) -> None:
    done: list[Migrated] = []

    async def one() -> None:
        done.append(await migrate(empty_url))

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(one)
    assert sorted(each.before or "" for each in done) == ["", NEWEST, NEWEST, NEWEST]
    assert within(empty_url, differences) == []


async def test_a_failed_migration_changes_nothing(empty_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    real = migrations.run

    def interrupted(connection: Connection, version: str) -> None:
        real(connection, version)
        connection.exec_driver_sql("SELECT no_such_column FROM videos")

    monkeypatch.setattr(migrations, "run", interrupted)
    with pytest.raises(StoreError):
        await migrate(empty_url)
    monkeypatch.undo()
    assert within(empty_url, lambda connection: inspect(connection).get_table_names()) == []
    assert await migrate(empty_url) == Migrated(None, NEWEST)


async def test_a_newer_database_is_refused_and_unchanged(database_url: URL) -> None:
    async with writing(database_url) as (_, writer):
        await writer.write(put("mine"))
    within(
        database_url,
        lambda connection: connection.exec_driver_sql(
            "UPDATE alembic_version SET version_num = '9999'"
        ).close(),
    )
    before = (within(database_url, structure), within(database_url, rows_of), _file(database_url))
    for act in (migrate, _open):
        with pytest.raises(
            StoreUnusable, match=r"newer Trio Stream \(schema 9999.* install that version"
        ) as caught:
            await act(database_url)
        assert isinstance(caught.value, SettingsError)
    assert (within(database_url, structure), within(database_url, rows_of), _file(database_url)) == before


async def test_a_database_of_another_program_is_refused_and_unchanged(empty_url: URL) -> None:
    within(
        empty_url, lambda connection: connection.exec_driver_sql("CREATE TABLE videos (mine TEXT)").close()
    )
    before = within(empty_url, structure)
    with pytest.raises(StoreUnusable, match="belongs to another program"):
        await migrate(empty_url)
    assert within(empty_url, structure) == before


async def test_an_older_database_must_be_migrated_before_it_is_opened(empty_url: URL) -> None:
    within(empty_url, lambda connection: None)
    with pytest.raises(StoreUnusable, match="is empty"):
        await _open(empty_url)
    await migrate(empty_url)
    await _open(empty_url)


async def _open(url: URL) -> None:
    async with open_database(url) as database:
        await database.read(entries)


def _file(url: URL) -> str:
    if url.get_backend_name() != "sqlite":
        return ""
    return hashlib.sha256(Path(str(url.database)).read_bytes()).hexdigest()


def test_the_application_starts_without_importing_alembic(tmp_path: Path) -> None:
    """Alembic takes long to import, and most starts need no migration."""
    trio.run(migrate, sqlite_address(tmp_path / "library.sqlite"))
    program = """
import sys, trio
import trio_stream.app
from trio_stream.store.database import migrate, open_database
from trio_stream.store.writer import Writer
trio.run(migrate, sys.argv[1])
print(sorted({"alembic", "psycopg"} & set(sys.modules)))
"""
    url = f"sqlite:///{tmp_path}/library.sqlite"
    ran = subprocess.run(
        [sys.executable, "-c", program, url],
        check=True,
        capture_output=True,
        text=True,
        env={
            "PATH": "",
            "PYTHONPATH": ":".join(sys.path),
            "TRIO_STREAM_VIDEOS": str(tmp_path),
            "TRIO_STREAM_DATA": f"{tmp_path}-data",
        },
    )
    assert ran.stdout.strip() == "[]"
