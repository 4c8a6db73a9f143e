"""The connection: whoever sends learns how it went, and a fault of one connection ends that one only.

Hypercorn shields every send from cancellation and gives it no deadline, so a client that stops reading pins its
stream, and with it the shutdown of the server. Here a send can be cancelled, ends when the socket took nothing for
`send_timeout` seconds, and raises. A send that did not end well leaves the byte stream of the connection torn in
the middle, so the connection is *cut*: every later send raises, and closing it resets it.
"""

import os
import socket
import struct
from contextlib import suppress
from math import inf
from time import perf_counter
from typing import ClassVar

import structlog
import trio
from hypercorn.events import Event, RawData, Updated
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.trio.tcp_server import TCPServer

log = structlog.get_logger("trio_stream.server")

SLICE = 256 * 1024
"""Bytes handed to the system at once; copying them, and faulting them in, takes a fraction of a millisecond."""

TURN = 0.0005
"""Seconds for which one connection may send before all others have their turn."""

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""`struct linger` that drops what is unsent: the peer learns at once that the response is not whole."""


class Connection(TCPServer):
    """One accepted connection, plain or TLS."""

    send_timeout: ClassVar[float] = inf
    _cut: bool = False
    _read_out: bool = False

    async def run(self) -> None:
        """Serve the connection to its end; nothing but cancellation leaves this method."""
        try:
            await super().run()
        except* OSError:
            pass  # the client went away while the reading side answered it
        except* Exception as group:
            # Left alone, this would end the nursery of all connections, and with it the server.
            log.error("a connection failed", exc_info=group)

    async def protocol_send(self, event: Event) -> None:
        """Send `RawData` whole or raise `OSError` (see the package); other events as in Hypercorn."""
        if isinstance(event, Updated) and self._read_out:
            return  # nobody is there to be kept alive for
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        async with self.send_lock:
            if self._cut:
                raise BrokenPipeError("the connection was cut")
            self._cut = True  # until proven whole, whatever ends the send below
            # On HTTP/2 the bytes at hand may belong to another stream than the cancelled one.
            with trio.CancelScope(shield=isinstance(self.protocol.protocol, H2Protocol)):
                await self._send_all(event.data)
            self._cut = False

    async def _read_data(self) -> None:
        await super()._read_data()
        # Hypercorn lets the keep-alive timer of a connection that the client closed run out first.
        self._read_out = True
        await self.idle_task.stop()

    async def _send_all(self, data: bytes | memoryview) -> None:
        try:
            if isinstance(self.stream, trio.SocketStream):
                await self._send_plain(self.stream.socket, data)
            else:
                with trio.fail_after(self.send_timeout):
                    await self.stream.send_all(data)
        except trio.TooSlowError:
            raise TimeoutError("the client takes nothing") from None
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise ConnectionResetError("the client is gone") from error

    async def _send_plain(self, sock: trio.socket.SocketType, data: bytes | memoryview) -> None:
        """Send `data` in slices: for a short while without a pause, then after everybody else had a turn.

        The deadline is for progress, not for the whole of a large view. `os.write` is `send` without flags, and a
        third of the cost of Trio's, which has a checkpoint in it.
        """
        fd = sock.fileno()
        with memoryview(data) as view:
            sent = 0
            turn_ends = 0.0
            while sent < len(view):
                if perf_counter() >= turn_ends:
                    await trio.lowlevel.checkpoint()
                    turn_ends = perf_counter() + TURN
                asked = min(SLICE, len(view) - sent)
                try:
                    with view[sent : sent + asked] as part:
                        done = os.write(fd, part)
                except BlockingIOError:
                    done = 0
                sent += done
                if done < asked:  # the socket is full
                    with trio.fail_after(self.send_timeout):
                        await trio.lowlevel.wait_writable(sock)

    async def _close(self) -> None:
        if self._cut:
            with suppress(OSError, AttributeError):  # already closed, or TLS
                self.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        try:
            with suppress(OSError):
                await super()._close()
        finally:
            await trio.aclose_forcefully(self.stream)
