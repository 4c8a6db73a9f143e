"""Server-sent events (HTML standard section 9.2): the state of something, whenever it is another one.

A client that is slower than what happens misses states and never gets an old one. A comment each 15 seconds keeps
whatever lies between from taking the silence for an end.
"""

import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import trio
from quart.wrappers.response import ResponseBody

from trio_stream.library.progress import Progress

PING = 15.0
"""Seconds of silence."""

SHORTEST = 0.2
"""Seconds between two events at least."""


class EventStream(ResponseBody, AsyncIterator[bytes]):
    """The body of a response that tells of `progress` until the client leaves; after `ping` seconds of silence that it
    is still there.
    """

    def __init__(self, progress: Progress, *, ping: float = PING) -> None:
        self._progress = progress
        self._ping = ping
        self._told = -1

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._told >= 0:
            await trio.sleep(SHORTEST)
        with trio.move_on_after(self._ping) as silence:
            await self._progress.wait_after(self._told)
        if silence.cancelled_caught:
            return b": still here\n\n"
        self._told = self._progress.version
        return (
            f"event: progress\nid: {self._told}\ndata: {json.dumps(self._progress.describe())}\n\n".encode()
        )
