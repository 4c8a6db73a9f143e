"""ASGI HTTP messages whose body may be a `memoryview`, or byte ranges of a file.

The scope says under `VIEWS` that views go to the `send` system call unchanged, and under `FILE_CHUNKS` that byte ranges
are sent without entering this process. Both hold on plain HTTP/1.1 only, because TLS and HTTP/2 read the bytes in user
space. If the file behind a mapped page shrank, reading the page there would end the whole process (SIGBUS); inside a
system call it is an `EFAULT`. `DRAINING` tells the application that the server is stopping.
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

from trio_stream.server.asgi.allowance import BYTES_PER_PART, Allowance
from trio_stream.server.sending.chunks import FileChunk

VIEWS = "http.response.memoryview"
"""Key in `scope["extensions"]`: the body of `http.response.body` may be a `memoryview` and is not copied."""

FILE_CHUNKS = "http.response.file_chunk"
"""Key in `scope["extensions"]`: the body of `http.response.body` may be a `FileChunk`, which is sent by `sendfile`. Its
lead shares a packet with the data after it. A file that ends early raises `OSError(EFAULT)`. ASGI's own
`http.response.zerocopysend` has one range and no lead, and defines neither errors nor progress."""

LEAVING = "http.response.leaving"
"""Key in `scope["extensions"]`: `send` raises `OSError` once the client is gone, so no other task has to listen for a
disconnect during a send."""

DRAINING = "server.draining"
"""Key in `scope["extensions"]`: the function under `wait` returns once the server drains. A response without an end
must end then. Otherwise the server waits for it until the graceful timeout."""


class HTTPStream(PlainHTTPStream):
    """One request and its response."""

    zero_copy: ClassVar[bool] = False
    body_limit: ClassVar[int] = sys.maxsize
    body_limits: ClassVar[Mapping[str, int]] = {}
    _received: int = 0
    _parts: Allowance | None = None  # for the body of a request, if there is one
    _responding: bool = False
    _refused: bool = False

    async def handle(self, event: Event) -> None:
        """As in Hypercorn, with limits on the size of a request body and on its number of tiny parts.

        The task of the application first runs at the next checkpoint, after this method.
        """
        if isinstance(event, Body) and not self.closed:
            self._received += len(event.data)
            if self._parts is None:
                self._parts = Allowance()
            if not self._parts.spend(len(event.data) / BYTES_PER_PART):
                await (self._end() if self._responding else self._refuse_body())
                return
            if self._received > self.body_limits.get(self.scope["path"], self.body_limit):
                if not self._responding:
                    await self._refuse_body()
                return  # a response in progress continues; the rest of the body is discarded
        await super().handle(event)
        if isinstance(event, Request):
            self.scope["extensions"][DRAINING] = {"wait": self.context.terminated.wait}
            if self.scheme == "http":
                self.scope["extensions"][VIEWS] = {}
                self.scope["extensions"][LEAVING] = {}
                if self.zero_copy:
                    self.scope["extensions"][FILE_CHUNKS] = {}

    async def _send_closed(self) -> None:
        """As in Hypercorn, but nothing the application does can prevent the end of the response.

        The application receives the end as a disconnect, and frameworks then cancel their tasks. One of these tasks
        runs this method, and has yet to close the connection or to keep it alive.
        """
        await self.send(EndBody(stream_id=self.stream_id))
        self.state = ASGIHTTPState.CLOSED
        try:
            await self.config.log.access(self.scope, self.response, time() - self.start_time)
        finally:
            # A cancelled task completes this: it has no checkpoint before it takes effect.
            await self.send(StreamClosed(stream_id=self.stream_id))

    async def _refuse_body(self) -> None:
        """Respond with 413 (RFC 9110 section 15.5.14) and end the stream."""
        self._refused = True
        await self._send_error_response(413)
        await self._end()

    async def _end(self) -> None:
        self.closed = True
        await self.app_put({"type": "http.disconnect"})
        await self.send(StreamClosed(stream_id=self.stream_id))

    async def app_send(self, message: ASGISendEvent | None) -> None:
        """As in Hypercorn, but a view is not converted to `bytes`, and a file is not read."""
        if self._refused:
            return  # the server itself has responded
        self._responding = True
        body = None if message is None else _uncopied(message)
        if message is None or body is None or self.state is not ASGIHTTPState.RESPONSE:
            await super().app_send(message)
            if message is not None and message["type"] == "http.response.start":
                self._forget_headers()
            return
        if len(body) and not suppress_body(self.scope["method"], int(self.response["status"])):
            # Hypercorn declares `bytes`; our framing accepts a chunk (`h11.py`).
            await self.send(Body(stream_id=self.stream_id, data=body))  # type: ignore[arg-type]
        if not message.get("more_body", False):
            await super().app_send({"type": "http.response.body", "body": b"", "more_body": False})

    def _forget_headers(self) -> None:
        """Drop the headers once the head is built. After that, only an access log needs more than the status."""
        if self.config.log.access_logger is None and not self.response.get("trailers"):
            self.response = {**self.response, "headers": ()}


def _uncopied(message: Mapping[str, Any]) -> memoryview | FileChunk | None:
    """The body of `message` if it is sent without a copy, else None."""
    body = message.get("body") if message["type"] == "http.response.body" else None
    return body if isinstance(body, memoryview | FileChunk) else None
