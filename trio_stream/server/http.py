"""ASGI HTTP messages whose body may be a `memoryview`.

Where a view is passed on to the `send` system call untouched, the scope says so under `VIEWS`: on plain HTTP/1.1
alone, as TLS and HTTP/2 read the bytes in user space. Reading a mapped page there would end the whole process
(SIGBUS) when the file behind it shrank; inside a system call it is an `EFAULT`.
"""

from hypercorn.protocol.events import Body, Event, Request
from hypercorn.protocol.http_stream import ASGIHTTPState
from hypercorn.protocol.http_stream import HTTPStream as PlainHTTPStream
from hypercorn.typing import ASGISendEvent
from hypercorn.utils import suppress_body

VIEWS = "http.response.memoryview"
"""Key in `scope["extensions"]`: the body of `http.response.body` may be a `memoryview` and is not copied."""


class HTTPStream(PlainHTTPStream):
    """One request and its response."""

    async def handle(self, event: Event) -> None:
        """As in Hypercorn; the task of the application first runs at the next checkpoint, after this method."""
        await super().handle(event)
        if isinstance(event, Request) and self.scheme == "http":
            self.scope["extensions"][VIEWS] = {}

    async def app_send(self, message: ASGISendEvent | None) -> None:
        """As in Hypercorn, but a view is not turned into `bytes`."""
        if (
            message is None
            or message["type"] != "http.response.body"
            or not isinstance(message["body"], memoryview)
            or self.state is not ASGIHTTPState.RESPONSE
        ):
            await super().app_send(message)
            return
        view = message["body"]
        if len(view) and not suppress_body(self.scope["method"], int(self.response["status"])):
            await self.send(Body(stream_id=self.stream_id, data=view))
        if not message.get("more_body", False):
            await super().app_send({"type": "http.response.body", "body": b"", "more_body": False})
