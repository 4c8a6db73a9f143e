"""Server-sent events (HTML standard section 9.2): the state of something, each time it changes.

A client that is slower than the changes misses states, and never gets an old one. A comment every 15 seconds keeps
proxies from closing the connection.

Such a response never ends on its own. It ends when the client disconnects, and when the server begins to drain, which
would wait for it otherwise. The number of listeners is limited, because they stay connected.
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
"""Seconds without an event after which a comment is sent."""

MIN_INTERVAL = 0.2
"""Minimum seconds between two events."""

DRAIN_TIMEOUT = 0.5
"""Seconds that a client has to receive the event that is being sent when the server begins to drain."""


def event(kind: str, version: int, data: object) -> bytes:
    """One event, with `data` as JSON."""
    return b"event: %b\nid: %d\ndata: %b\n\n" % (kind.encode(), version, encode_ascii(data))


def server_sent[**P](view: Callable[P, Awaitable[Any]]) -> Callable[P, Awaitable[Response]]:
    """End the body of a view's response when the server drains, and count it as a listener while it lasts.

    Raises `TooManyListeners` if the limit of `Services.listeners` is reached.
    """

    @wraps(view)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> Response:
        if request.method == "HEAD":
            response = Response(b"")  # the body of GET never ends
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

    return wrapper


class EventStream(ResponseBody, AsyncIterator[bytes]):
    """The body of a response that sends the states of `source` until the client disconnects.

    After `ping` seconds without an event it sends a comment. `write` returns the text of the current state, for a
    client that has received the given version before; -1 means none.
    """

    def __init__(self, source: Versioned, write: Callable[[int], bytes], *, ping: float = PING) -> None:
        self._source = source
        self._write = write
        self._ping = ping
        self._sent = -1

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._sent >= 0:
            await trio.sleep(MIN_INTERVAL)
        with trio.move_on_after(self._ping) as silence:
            await self._source.wait_after(self._sent)
        if silence.cancelled_caught:
            return b": still here\n\n"
        sent, self._sent = self._sent, self._source.version
        return self._write(sent)


class _UntilDrain(ResponseBody, AsyncIterator[bytes]):
    """A body that ends when `drain` returns: between two of its parts, so that it is complete for the client.

    Raises `ClientStalled` if the client does not even receive the part that is being sent.
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
            raise ClientStalled("the client accepted no data while the server was draining")

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
            self._nursery.cancel_scope.deadline = trio.current_time() + DRAIN_TIMEOUT
