"""ASGI HTTP messages whose body may be a `memoryview`, or byte ranges of a file.

Where a view is passed on to the `send` system call untouched, the scope says so under `VIEWS`, and where byte ranges
are sent without passing through this process, under `FILE_CHUNKS`: on plain HTTP/1.1 alone, as TLS and HTTP/2 read the
bytes in user space. Reading a mapped page there would end the whole process (SIGBUS) when the file behind it
shrank; inside a system call it is an `EFAULT`. Under `DRAINING` it says how to learn that the server is to end.
"""

import sys
from collections.abc import Mapping
from time import time
from typing import Any, ClassVar

from hypercorn.protocol.events import Body, EndBody, Event, Request, StreamClosed
from hypercorn.protocol.http_stream import ASGIHTTPState
from hypercorn.protocol.http_stream import HTTPStream as PlainHTTPStream
from hypercorn.typing import ASGISendEvent
from hypercorn.utils import suppress_body

from trio_stream.server.asgi.allowance import BYTES_OF_A_PART, Allowance
from trio_stream.server.sending.chunks import FileChunk

VIEWS = "http.response.memoryview"
"""Key in `scope["extensions"]`: the body of `http.response.body` may be a `memoryview` and is not copied."""

FILE_CHUNKS = "http.response.file_chunk"
"""Key in `scope["extensions"]`: the body of `http.response.body` may be a `FileChunk`, which leaves by `sendfile`. Its
lead is in one packet with what follows. A file that ends early raises `OSError(EFAULT)`. ASGI's own
`http.response.zerocopysend` has one range, no lead, and says nothing of errors or of how far it got."""

LEAVING = "http.response.leaving"
"""Key in `scope["extensions"]`: a `send` ends, and raises `OSError`, once the client has gone, so nobody else has to
listen for that while something is sent."""

DRAINING = "server.draining"
"""Key in `scope["extensions"]`: the function under `wait` returns once the server takes nothing new and waits for what
runs. A response that has no end of its own ends then, or the server has to wait for it as long as it may."""


class HTTPStream(PlainHTTPStream):
    """One request and its response."""

    zero_copy: ClassVar[bool] = False
    body_limit: ClassVar[int] = sys.maxsize
    body_limits: ClassVar[Mapping[str, int]] = {}
    _received: int = 0
    _parts: Allowance | None = None  # for the body of a request, where there is one
    _answering: bool = False
    _refused: bool = False

    async def handle(self, event: Event) -> None:
        """As in Hypercorn, with a limit on the body of a request, and on parts of it that are of no size.

        The task of the application first runs at the next checkpoint, after this method.
        """
        if isinstance(event, Body) and not self.closed:
            self._received += len(event.data)
            if self._parts is None:
                self._parts = Allowance()
            if not self._parts.spend(len(event.data) / BYTES_OF_A_PART):
                await (self._end() if self._answering else self._refuse_body())
                return
            if self._received > self.body_limits.get(self.scope["path"], self.body_limit):
                if not self._answering:
                    await self._refuse_body()
                return  # an answer that is under way goes on; the rest of the body is nobody's
        await super().handle(event)
        if isinstance(event, Request):
            self.scope["extensions"][DRAINING] = {"wait": self.context.terminated.wait}
            if self.scheme == "http":
                self.scope["extensions"][VIEWS] = {}
                self.scope["extensions"][LEAVING] = {}
                if self.zero_copy:
                    self.scope["extensions"][FILE_CHUNKS] = {}

    async def _send_closed(self) -> None:
        """As in Hypercorn, but nothing that the application does can keep the connection from being finished.

        The application hears of its own end as a disconnect, and frameworks cancel their tasks then: among them the
        one that is just here, on its way to keep the connection alive or to close it.
        """
        await self.send(EndBody(stream_id=self.stream_id))
        self.state = ASGIHTTPState.CLOSED
        try:
            await self.config.log.access(self.scope, self.response, time() - self.start_time)
        finally:
            await self.send(StreamClosed(stream_id=self.stream_id))  # stops for no cancellation on its way

    async def _refuse_body(self) -> None:
        """Answer 413 (RFC 9110 section 15.5.14) and end the stream."""
        self._refused = True
        await self._send_error_response(413)
        await self._end()

    async def _end(self) -> None:
        self.closed = True
        await self.app_put({"type": "http.disconnect"})
        await self.send(StreamClosed(stream_id=self.stream_id))

    async def app_send(self, message: ASGISendEvent | None) -> None:
        """As in Hypercorn, but a view is not turned into `bytes`, and a file is not read at all."""
        if self._refused:
            return  # the server itself has answered
        self._answering = True
        body = None if message is None else _uncopied(message)
        if message is None or body is None or self.state is not ASGIHTTPState.RESPONSE:
            await super().app_send(message)
            if message is not None and message["type"] == "http.response.start":
                self._forget_headers()
            return
        if len(body) and not suppress_body(self.scope["method"], int(self.response["status"])):
            # Hypercorn says `bytes`; our framing takes a chunk (`h11.py`).
            await self.send(Body(stream_id=self.stream_id, data=body))  # type: ignore[arg-type]
        if not message.get("more_body", False):
            await super().app_send({"type": "http.response.body", "body": b"", "more_body": False})

    def _forget_headers(self) -> None:
        """The head has been made: only an access log wants to know more of it than the status."""
        if self.config.log.access_logger is None and not self.response.get("trailers"):
            self.response = {**self.response, "headers": ()}


def _uncopied(message: Mapping[str, Any]) -> memoryview | FileChunk | None:
    """What `message` sends without a copy."""
    body = message.get("body") if message["type"] == "http.response.body" else None
    return body if isinstance(body, memoryview | FileChunk) else None
