"""An open database with its writer, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import trio
from sqlalchemy.engine import URL

from tests.databases import Databases
from trio_stream.store.database import Database, open_database
from trio_stream.store.writer import Writer


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[URL]:
    """An empty database."""
    with databases.empty() as url:
        yield url


@asynccontextmanager
async def writing(url: URL, **more: int) -> AsyncIterator[tuple[Database, Writer]]:
    """An open database with a running writer."""
    async with open_database(url) as database, trio.open_nursery() as nursery:
        writer = Writer(database, **more)
        await nursery.start(writer.run)
        yield database, writer
        nursery.cancel_scope.cancel()
