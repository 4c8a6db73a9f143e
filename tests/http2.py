"""An HTTP/2 client that sends exactly what a test requests, and a certificate for its server."""

import ssl
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.settings
import trio
from h2.connection import ConnectionState

from tests.support import Server


def certified(folder: Path) -> tuple[str, ...]:
    """Arguments for Hypercorn with a self-signed certificate, which is created in `folder`."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-subj", "/CN=localhost", "-days", "2", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    return ("--certfile", str(certificate), "--keyfile", str(key))


@asynccontextmanager
async def tls(server: Server, protocol: str) -> AsyncIterator[trio.SSLStream[trio.SocketStream]]:
    """A TLS connection that negotiated `protocol`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    plain = await trio.open_tcp_stream(server.host, server.port)
    stream = trio.SSLStream(plain, context, server_hostname="localhost", https_compatible=True)
    try:
        await stream.do_handshake()
        assert stream.selected_alpn_protocol() == protocol
        yield stream
    finally:
        await trio.aclose_forcefully(stream)


class Client:
    """One connection. It enlarges the flow-control window only for the streams in `reading` (None: for all).

    If it is `quiet`, it sends nothing on its own.
    """

    def __init__(self, stream: trio.abc.Stream, server: Server) -> None:
        self.server = server
        self.stream = stream
        self.connection = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        )
        self.reading: set[int] | None = None
        self.quiet = False
        self.heads: dict[int, dict[str, str]] = {}
        self.bodies: dict[int, bytearray] = defaultdict(bytearray)
        self.ended: set[int] = set()
        self.resets: dict[int, int] = {}
        self.goaway: int | None = None
        self.closed = False
        self._pending = b""
        self.connection.initiate_connection()

    async def flush(self, more: bytes = b"") -> None:
        await self.stream.send_all(self.connection.data_to_send() + more)

    def ask(self, path: str, *, method: str = "GET", end: bool = True, **fields: str) -> int:
        """Prepare a request; returns its stream."""
        stream_id = self.connection.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "https"), (":authority", "t"), (":path", path)]
        head += [(name.replace("_", "-"), value) for name, value in fields.items()]
        self.connection.send_headers(stream_id, head, end_stream=end)
        return stream_id

    async def get(self, path: str, **fields: str) -> int:
        stream_id = self.ask(path, end=True, **fields)
        await self.flush()
        return stream_id

    async def read(self, until: Callable[[], bool], seconds: float = 10.0) -> None:
        """Receive until `until` is true. Raises `trio.TooSlowError`."""
        with trio.fail_after(seconds):
            while not until() and not self.closed:
                try:
                    data = await self.stream.receive_some(65536)
                except trio.BrokenResourceError:
                    data = b""
                self.closed = not data
                self._pending += data
                while frame := self._frame():
                    for event in self.connection.receive_data(frame):
                        self._take(event)
                if not self.quiet:
                    with suppress(trio.BrokenResourceError):  # data received before the end is still read
                        await self.flush()
        assert until(), "the server closed the connection"

    async def whole(self, path: str, **fields: str) -> tuple[dict[str, str], bytes]:
        """Send a request; returns the head and the body of the response."""
        stream_id = await self.get(path, **fields)
        await self.read(lambda: stream_id in self.ended or stream_id in self.resets)
        assert stream_id not in self.resets
        return self.heads[stream_id], bytes(self.bodies[stream_id])

    def _frame(self) -> bytes:
        """The next frame, alone: the library accepts none after a GOAWAY, whose event must be handled first."""
        length = 9 + int.from_bytes(self._pending[:3], "big")
        if len(self._pending) < max(9, length):
            return b""
        frame, self._pending = self._pending[:length], self._pending[length:]
        return frame

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived():
                self.heads[event.stream_id] = {str(name): str(value) for name, value in event.headers}
            case h2.events.DataReceived():
                self.bodies[event.stream_id] += event.data
                length = event.flow_controlled_length
                if self.reading is None or event.stream_id in self.reading:
                    self.connection.acknowledge_received_data(length, event.stream_id)
                elif length:
                    self.connection.increment_flow_control_window(length)  # that of the connection
            case h2.events.StreamEnded():
                self.ended.add(event.stream_id)
            case h2.events.StreamReset():
                if event.remote_reset:
                    self.resets[event.stream_id] = int(event.error_code)
            case h2.events.ConnectionTerminated():
                self.goaway = int(event.error_code or 0)
                self.connection.state_machine.state = (
                    ConnectionState.CLIENT_OPEN
                )  # continue to read, unlike the library


@asynccontextmanager
async def http2(server: Server, *, window: int = 65535) -> AsyncIterator[Client]:
    """A client of `server`, whose streams start with a window of `window` bytes."""
    async with tls(server, "h2") as stream:
        client = Client(stream, server)
        client.connection.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        await client.flush()
        yield client
