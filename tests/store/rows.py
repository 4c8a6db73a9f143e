"""Rows for tests, with all required columns."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, func, select

from trio_stream.store.tables import contents, folders, library, upsert, videos

REVISION = "0" * 24


def content(revision: str = REVISION, **more: object) -> dict[str, Any]:
    return {
        "revision": revision,
        "size": 5_000_000_000,
        "mtime_ns": 1_700_000_000_123_456_789,
        "fingerprint": "f",
    } | more


def video(name: str, **more: object) -> dict[str, Any]:
    key = name.encode()
    return {
        "id": name,
        "path": key,
        "place": name,
        "folder": 1,
        "sort_key": key,
        "title": name,
        "title_key": key,
        "words": name.lower(),
        "revision": REVISION,
        "signature": "1-2-3-4-5",
        "size": 5_000_000_000,
        "mtime_ns": 1_700_000_000_123_456_789,
        "added_at": 1_700_000_000_123,
    } | more


def add_videos(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    upsert(connection, contents, content(), key=["revision"])
    upsert(
        connection,
        folders,
        {"number": 1, "path": b"", "place": "", "name_key": b""},
        key=["place"],
        update=(),
    )
    connection.execute(videos.insert(), list(rows))


def put(key: str, value: str = "") -> Callable[[Connection], str]:
    """A change that stores a key and a value, and returns the key."""

    def change(connection: Connection) -> str:
        upsert(connection, library, {"key": key, "value": value}, key=["key"])
        return key

    return change


def entries(connection: Connection) -> dict[str, str]:
    return {row.key: row.value for row in connection.execute(select(library))}


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(library)).scalar_one()
