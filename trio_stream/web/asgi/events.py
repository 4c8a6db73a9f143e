"""Server-sent events (HTML standard section 9.2): the state of something, whenever it is another one.

A client that is slower than what happens misses states and never gets an old one. A comment each 15 seconds keeps
whatever lies between from taking the silence for an end.

Such a response has no end of its own. It ends when the client leaves, and when the server begins to drain, which would
wait for it otherwise. There are only so many places for those who listen, because they stay.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import wraps
from types import TracebackType
from typing import Any, Self, cast

import trio
from quart import Response, request
from quart.wrappers.response import ResponseBody

from trio_stream.errors import ClientStalled
from trio_stream.http.json_text import encode_ascii
from trio_stream.versions import Versioned
from trio_stream.web.asgi.exchange import exchange

EVENTS = "text/event-stream"

PING = 15.0
"""Seconds of silence."""

SHORTEST = 0.2
"""Seconds between two events at least."""

LAST_WORDS = 0.5
"""Seconds a client has to take what is being sent to it when the server begins to drain."""


def event(kind: str, version: int, data: object) -> bytes:
    """One event, with `data` as JSON."""
    return b"event: %b\nid: %d\ndata: %b\n\n" % (kind.encode(), version, encode_ascii(data))


def server_sent[**P](view: Callable[P, Awaitable[Any]]) -> Callable[P, Awaitable[Response]]:
    """Let the body that a view answers with end with the server, and take a place while it lasts.

    The place is one of `Services.listeners`; where there is none, `TooManyListeners` is raised.
    """

    @wraps(view)
    async def listening(*args: P.args, **kwargs: P.kwargs) -> Response:
        if request.method == "HEAD":
            response = Response(b"")  # whose body would never end
            del response.headers["Content-Length"]
        else:
            exchange().listen()
            response = cast("Response", await view(*args, **kwargs))
            response.response = _UntilDrain(response.response, exchange().wait_for_drain)
        if response.status_code == 200:
            response.headers["Content-Type"] = EVENTS
        response.headers["Cache-Control"] = "no-store"
        response.timeout = None
        return response

    return listening


class EventStream(ResponseBody, AsyncIterator[bytes]):
    """The body of a response that tells of `source` until the client leaves; after `ping` seconds of silence that it
    is still there.

    `write` makes the text of the state it is in now, for a client that was told last of the version it is given: of
    none if that is -1.
    """

    def __init__(self, source: Versioned, write: Callable[[int], bytes], *, ping: float = PING) -> None:
        self._source = source
        self._write = write
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
            await self._source.wait_after(self._told)
        if silence.cancelled_caught:
            return b": still here\n\n"
        told, self._told = self._told, self._source.version
        return self._write(told)


class _UntilDrain(ResponseBody, AsyncIterator[bytes]):
    """A body that ends when `drain` returns: between two of its parts, and whole as far as the client can tell.

    Raises `ClientStalled` where a client does not even take the part that is being sent.
    """

    def __init__(self, body: ResponseBody, drain: Callable[[], Awaitable[None]]) -> None:
        self._body = cast("AbstractAsyncContextManager[AsyncIterable[bytes]]", body)
        self._drain = drain
        self._ended = False
        self._listening = trio.CancelScope()
        self._waiting = trio.CancelScope()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._parts = aiter(await stack.enter_async_context(self._body))
            self._nursery = await stack.enter_async_context(trio.open_nursery())
            self._nursery.start_soon(self._listen)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.cancel()
        await self._stack.__aexit__(kind, error, trace)
        if self._nursery.cancel_scope.cancelled_caught:
            raise ClientStalled("it took nothing when the server was to end")

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._ended:
            with trio.CancelScope() as self._waiting:
                return await anext(self._parts)
        raise StopAsyncIteration

    async def _listen(self) -> None:
        with self._listening:
            await self._drain()
            self._ended = True
            self._waiting.cancel()
            self._nursery.cancel_scope.deadline = trio.current_time() + LAST_WORDS
