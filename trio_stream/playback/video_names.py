"""The names of videos by id, cached for a second, so that not every range request queries the database."""

from functools import partial
from sys import getsizeof

import trio

from trio_stream.caching import BoundedCache
from trio_stream.errors import VideoNotFound
from trio_stream.library.records import pages
from trio_stream.store.database import Database

LIFETIME = 1.0
"""Seconds for which a name is cached; a video may be renamed at any time."""

MAX_NAMES = 4096
"""Maximum number of cached names."""

BUDGET = 8 << 20
"""Bytes of all of them together: a name may have four thousand."""

FIXED = 256
"""Bytes counted for each name in addition to its text."""


class Names:
    """Names from `database`, queried at most once per second for each id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cached: BoundedCache[str, str] = BoundedCache(
            BUDGET, _weight, max_entries=MAX_NAMES, lifetime=LIFETIME, clock=trio.current_time
        )

    async def of(self, id_: str) -> str:
        """The name of a video. Raises `VideoNotFound`, `StoreError`."""
        name = self._cached.get(id_)
        if name is not None:
            return name
        queried_at = trio.current_time()
        found = await self._database.read(partial(pages.name_of, id_=id_))
        if found is None:
            self._cached.pop(id_)
            raise VideoNotFound("there is no such video")
        self._cached.put(id_, found, since=queried_at)
        return found


def _weight(_: str, name: str) -> int:
    return FIXED + getsizeof(name)
