"""The names of videos by their ids, remembered for a moment: not every range of a video has to ask the database."""

from functools import partial
from sys import getsizeof

import trio

from trio_stream.caching import BoundedCache
from trio_stream.errors import VideoNotFound
from trio_stream.library.records import pages
from trio_stream.store.database import Database

MOMENT = 1.0
"""Seconds for which a name is believed; a video may get another one at any time."""

MOST = 4096
"""Names that are remembered."""

BUDGET = 8 << 20
"""Bytes that they take together: a name may have four thousand."""

FIXED = 256
"""Bytes that one of them takes beside its text."""


class Names:
    """Asks `database`, at most once a moment for each id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: BoundedCache[str, str] = BoundedCache(
            BUDGET, _weight, most=MOST, lifetime=MOMENT, clock=trio.current_time
        )

    async def of(self, id_: str) -> str:
        """The name of a video. Raises `VideoNotFound`, `StoreError`."""
        name = self._known.get(id_)
        if name is not None:
            return name
        asked = trio.current_time()
        found = await self._database.read(partial(pages.name_of, id_=id_))
        if found is None:
            self._known.pop(id_)
            raise VideoNotFound("there is no such video")
        self._known.put(id_, found, since=asked)
        return found


def _weight(_: str, name: str) -> int:
    return FIXED + getsizeof(name)
