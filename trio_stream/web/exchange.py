"""What one request or WebSocket holds. It is closed when the exchange is over, however it ends."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, cast

from quart import current_app, has_websocket_context, request, websocket
from quart_trio.wrappers import TrioRequest, TrioWebsocket

from trio_stream.http.forwarded import client_address
from trio_stream.server.admission import in_networks
from trio_stream.services import Services
from trio_stream.streaming.maps import MappedFile
from trio_stream.streaming.stream import Ending, Stream

if TYPE_CHECKING:
    from trio_stream.app import TrioStream


class Exchange(ExitStack):
    """The file that is being sent and the stream that sends it."""

    stream: Stream | None = None
    left: bool = False

    def hold(self, fd: int) -> MappedFile:
        """The file behind `fd`, whose descriptor is taken over, for as long as the exchange lasts."""
        file = services().maps.open(fd)
        self.callback(file.release)
        return file

    def admit(self, file: MappedFile, *, name: str, transport: str) -> Stream:
        """A stream for as long as the exchange lasts. Raises `TooManyStreams`."""
        stream = services().registry.admit(file, owner=_client(), name=name, transport=transport)
        self.callback(stream.close)
        self.stream = stream
        if self.left:
            self.client_left()
        return stream

    def client_left(self) -> None:
        """Note that nobody listens any more, and end the stream."""
        self.left = True
        if self.stream is not None:
            self.stream.end(Ending.CLIENT_LEFT)


class Request(TrioRequest):
    """A request with its exchange."""

    exchange: Exchange


class Websocket(TrioWebsocket):
    """A WebSocket with its exchange."""

    exchange: Exchange


def services() -> Services:
    """The services of the application that handles this exchange."""
    return cast("TrioStream", current_app).services


def exchange() -> Exchange:
    """The exchange being handled."""
    return _context().exchange


def _client() -> str:
    """The address of who asks, seen through the proxies that are trusted."""
    context = _context()
    trusted = services().settings.trusted_proxies
    return client_address(
        context.remote_addr or "unknown",
        ", ".join(context.headers.getlist("X-Forwarded-For")),  # a proxy may add a line of its own
        lambda address: in_networks(address, trusted),
    )


def _context() -> Request | Websocket:
    return cast("Request | Websocket", websocket if has_websocket_context() else request)
