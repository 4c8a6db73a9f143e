"""The connection: whoever sends learns how it went, and a fault of one connection ends that one only.

Hypercorn shields every send from cancellation and gives it no deadline, so a client that stops reading pins its
stream, and with it the shutdown of the server. Here a send can be cancelled, ends when the socket took nothing for
`send_timeout` seconds, and raises. A send that did not end well leaves the byte stream of the connection torn in
the middle, so the connection is *cut*: every later send raises, and closing it resets it.

A client that closed and one that closed only its own half look the same until a send fails. So the end of its input
counts as leaving once nothing has been sent for `EOF_GRACE` seconds: while bytes flow, a failed send tells.
"""

import errno
import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import inf
from time import perf_counter
from typing import ClassVar

import structlog
import trio
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.trio.tcp_server import MAX_RECV, TCPServer

from trio_stream.server.admission import Admission
from trio_stream.server.span import FileSpan

log = structlog.get_logger("trio_stream.server")

SLICE = 512 * 1024
"""Bytes handed to the system at once; copying them, and faulting them in, takes a fraction of a millisecond."""

TURN = 0.0005
"""Seconds for which one connection may send before all others have their turn."""

EOF_GRACE = 1.0
"""Seconds without a send after which the end of a client's input means that it left."""

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""`struct linger` that drops what is unsent: the peer learns at once that the response is not whole."""


class Connection(TCPServer):
    """One accepted connection, plain or TLS."""

    send_timeout: ClassVar[float] = inf
    admission: ClassVar[Admission] = Admission(total=sys.maxsize, per_address=sys.maxsize)
    _cut: bool = False
    _read_out: bool = False
    _sending: bool = False
    _sent: trio.Event | None = None  # set by the next send to begin or end; there while somebody waits for it

    async def run(self) -> None:
        """Serve the connection to its end; nothing but cancellation leaves this method."""
        self._left = trio.Event()
        self._reading = trio.CancelScope()
        address = _peer(self.stream)
        if not self.admission.enter(address):
            log.warning("a connection was refused: too many", address=address)
            await trio.aclose_forcefully(self.stream)
            return
        try:
            await super().run()
        except* OSError:
            pass  # the client went away while the reading side answered it
        except* Exception as group:
            # Left alone, this would end the nursery of all connections, and with it the server.
            log.error("a connection failed", exc_info=group)
        finally:
            self.admission.leave(address)

    async def protocol_send(self, event: Event) -> None:
        """Send `RawData` whole or raise `OSError` (see the package); other events as in Hypercorn."""
        if isinstance(event, RawData):
            await self._send_whole(event.data)
        elif isinstance(event, Closed):
            self._left.set()
            await super().protocol_send(event)
            # Hypercorn's reader waits for ever for the turn of a request that came behind the last one.
            self._reading.cancel()
        elif not self._read_out:
            await super().protocol_send(event)
        elif isinstance(event, Updated) and event.idle:
            self._left.set()  # the last response has gone, and no further request can come

    async def _send_whole(self, data: bytes | memoryview | FileSpan) -> None:
        async with self.send_lock:
            if self._cut:
                raise BrokenPipeError("the connection was cut")
            self._cut = True  # until proven whole, whatever ends the send below
            self._note_sending(True)
            try:
                await self._send_all(data)
            except OSError:
                self._left.set()
                raise
            finally:
                self._note_sending(False)
            self._cut = False

    async def _read_data(self) -> None:
        with suppress(trio.ClosedResourceError, trio.BrokenResourceError, trio.TooSlowError):
            with self._reading:
                while data := await self._receive():
                    await self.protocol.handle(RawData(bytes(data)))
            self._read_out = True
            await self._wait_until_left()
        # Hypercorn lets the keep-alive timer of a connection that the client closed run out first.
        self._read_out = True
        await self.idle_task.stop()
        await self.protocol.handle(Closed())

    async def _receive(self) -> bytes | bytearray:
        with trio.fail_after(self.config.read_timeout or inf):
            return await self.stream.receive_some(MAX_RECV)

    async def _wait_until_left(self) -> None:
        if not isinstance(self.protocol.protocol, H11Protocol) or self.protocol.protocol.stream is None:
            return  # no response is under way
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._wait_until_silent, nursery.cancel_scope)
            await self._left.wait()
            nursery.cancel_scope.cancel()

    async def _wait_until_silent(self, scope: trio.CancelScope) -> None:
        while True:
            self._sent = trio.Event()
            with trio.move_on_after(inf if self._sending else EOF_GRACE) as grace:
                await self._sent.wait()
            if grace.cancelled_caught:
                scope.cancel()

    def _note_sending(self, sending: bool) -> None:
        self._sending = sending
        if self._sent is not None:
            self._sent.set()

    async def _send_all(self, data: bytes | memoryview | FileSpan) -> None:
        try:
            if isinstance(data, FileSpan):
                await self._send_slices(len(data), partial(_sendfile, self.stream.socket.fileno(), data))
            elif isinstance(self.stream, trio.SocketStream):
                with memoryview(data) as view:
                    await self._send_slices(len(view), partial(_write, self.stream.socket.fileno(), view))
            else:
                with trio.fail_after(self.send_timeout):
                    await self.stream.send_all(data)
        except trio.TooSlowError:
            raise TimeoutError("the client takes nothing") from None
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise ConnectionResetError("the client is gone") from error

    async def _send_slices(self, length: int, send: Callable[[int, int], int]) -> None:
        """Call `send(offset, count)` for slice after slice: for a short while, then after everybody else had a turn.

        The deadline is for progress, not for the whole of a large body. The plain system call costs a third of
        Trio's `send`, which has a checkpoint in it.
        """
        sent = 0
        turn_ends = 0.0
        while sent < length:
            if perf_counter() >= turn_ends:
                await trio.lowlevel.checkpoint()
                turn_ends = perf_counter() + TURN
            asked = min(SLICE, length - sent)
            try:
                done = send(sent, asked)
            except BlockingIOError:
                done = 0
            sent += done
            if done < asked:  # the socket is full
                with trio.fail_after(self.send_timeout):
                    await trio.lowlevel.wait_writable(self.stream.socket)

    async def _close(self) -> None:
        if self._cut:
            with suppress(OSError, AttributeError):  # already closed, or TLS
                self.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        try:
            with suppress(OSError):
                await super()._close()
        finally:
            await trio.aclose_forcefully(self.stream)


def _peer(stream: trio.SocketStream | trio.SSLStream[trio.SocketStream]) -> str | None:
    transport = stream if isinstance(stream, trio.SocketStream) else stream.transport_stream
    try:
        peer = transport.socket.getpeername()
    except OSError:
        return None  # gone already
    return peer[0] if isinstance(peer, tuple) else None


def _write(sock: int, view: memoryview, offset: int, count: int) -> int:
    with view[offset : offset + count] as part:
        return os.write(sock, part)


def _sendfile(sock: int, span: FileSpan, offset: int, count: int) -> int:
    done = os.sendfile(sock, span.fd, span.offset + offset, count)
    if done == 0:
        raise OSError(errno.EFAULT, "the file ends early")
    return done
