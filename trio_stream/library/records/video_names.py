"""The names of videos by their ids, remembered for a moment: not every range of a video has to ask the database."""

from collections import OrderedDict
from functools import partial

import trio

from trio_stream.errors import VideoNotFound
from trio_stream.library.records import pages
from trio_stream.store.database import Database

MOMENT = 1.0
"""Seconds for which a name is believed; a video may get another one at any time."""

MOST = 4096
"""Names that are remembered."""


class Names:
    """Asks `database`, at most once a moment for each id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, tuple[float, str]] = OrderedDict()

    async def of(self, id_: str) -> str:
        """The name of a video. Raises `VideoNotFound`, `StoreError`."""
        now = trio.current_time()
        until, name = self._known.get(id_, (0.0, ""))
        if now < until:
            return name
        found = await self._database.read(partial(pages.name_of, id_=id_))
        if found is None:
            self._known.pop(id_, None)
            raise VideoNotFound("there is no such video")
        self._known[id_] = now + MOMENT, found
        self._known.move_to_end(id_)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        return found
