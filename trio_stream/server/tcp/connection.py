"""The connection: a failed send raises, and a fault of one connection ends only that one.

Hypercorn shields every send from cancellation and gives it no deadline, so a client that stops reading blocks its
stream, and with it the shutdown of the server. Here a send can be cancelled, and raises if the socket accepted nothing
for `send_timeout` seconds. A send that fails leaves the byte stream torn in the middle, so the connection is *cut*:
every later send raises, and closing the connection resets it.

A client that closed the connection and one that closed only its own half look the same until a send fails. So the end
of input counts as leaving only if nothing has been sent for `EOF_GRACE` seconds. While bytes flow, a failed send shows
that the client has left.
"""

import socket
import struct
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from traceback import clear_frames
from typing import ClassVar

import structlog
import trio
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.trio.tcp_server import MAX_RECV, TCPServer

from trio_stream.server.sending.chunks import Chunk, FileChunk
from trio_stream.server.sending.sendfile import Sendfile
from trio_stream.server.tcp.admission import Admission
from trio_stream.server.tcp.timeouts import Timeouts, Timer
from trio_stream.server.tcp.trimming import trimming
from trio_stream.server.tcp.visits import LONGEST_VISIT, visited

log = structlog.get_logger("trio_stream.server")

TURN = 512 * 1024
"""Bytes one connection may send before all others have a turn: a fraction of a millisecond, even if copied."""

SMALL = 64 * 1024
"""Buffers of at most this many bytes in total are sent with one system call."""

PER_CALL = 16 * 1024
"""Bytes that cost as much to send as the system call itself. They are counted per call, so many small sends use up a
turn too."""

EOF_GRACE = 1.0
"""Seconds without a send after which the end of a client's input means that it left."""

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""`struct linger` that discards unsent data: the client learns at once that the response is incomplete."""

SLOW = 0.05
"""Seconds of waiting for room after which a client counts as slower than its network."""

UNSENT = 256 * 1024
"""Bytes that wait in the socket of a slow client. Trio sets 16 KiB, so that little data is wasted when the client no
longer needs it. But then this process wakes up for every few kilobytes, and the kernel has nothing to send when the
client has room."""

TCP_NOTSENT_LOWAT: int = getattr(socket, "TCP_NOTSENT_LOWAT", 0)
MSG_MORE: int = getattr(socket, "MSG_MORE", 0)


class Connection(TCPServer):
    """One accepted connection, plain or TLS."""

    send_timeout: ClassVar[float] = inf
    admission: ClassVar[Admission] = Admission(total=sys.maxsize, per_address=sys.maxsize)
    visits: ClassVar[Admission] = Admission(total=0, per_address=0)
    visited_paths: ClassVar[Collection[str]] = ()
    idle: ClassVar[Timeouts[trio.CancelScope]] = Timeouts(trio.CancelScope.cancel)
    stalled: ClassVar["Timeouts[Connection]"]
    _cut: bool = False
    _gone: bool = False
    _input_ended: bool = False
    _sending: bool = False
    _turn: int = TURN
    _tls: bool = False
    _waiting: bool = False  # for room in the socket
    _timed_out: bool = False
    _slow: bool = False
    _plain: socket.socket | None = None
    _sent: trio.Event | None = None  # set when the next send begins or ends, if a task waits for that

    async def run(self) -> None:
        """Serve the connection to its end. Raises nothing but `Cancelled`."""
        self._tls = not isinstance(self.stream, trio.SocketStream)
        self._left = trio.Event()
        self._reading = trio.CancelScope()
        self.idle_task = Timer(self.idle, self._reading)  # type: ignore[assignment] # in place of a TaskGroup's
        address = _peer(self.stream)
        admission, longest = self.admission, inf
        if admission.is_full and self.visits.enter(address):
            admission, longest = self.visits, LONGEST_VISIT
            self.app = visited(self.app, self.visited_paths)
        elif not admission.enter(address):
            log.warning("connection refused: too many connections", address=address, often=True)
            await trio.aclose_forcefully(self.stream)
            return
        try:
            with trio.move_on_after(longest):
                await super().run()
        except* OSError:
            pass  # the client left while the reading side responded to it
        except* Exception as group:
            # Otherwise this would end the nursery of all connections, and with it the server.
            log.error("connection failed", exc_info=group, often=True)
        finally:
            self.idle.leave(self._reading)
            admission.leave(address)
            trimming.note_end()
            # Break the reference cycles now: the protocol refers to this connection, and a TLS stream to itself.
            # The garbage collector runs rarely here.
            self.__dict__.pop("protocol", None)
            if self._tls:
                vars(self.stream).pop("_handshook", None)

    async def protocol_send(self, event: Event) -> None:
        """Send all of `RawData` or raise `OSError` (see the package). Other events are handled as in Hypercorn."""
        if isinstance(event, RawData):
            await self._send_whole(event.data)
        elif isinstance(event, Closed):
            self._left.set()
            try:
                await super().protocol_send(event)
            finally:
                # Hypercorn's reader would wait forever for the turn of a pipelined request.
                self._reading.cancel()
        elif not self._input_ended:
            await super().protocol_send(event)
        elif isinstance(event, Updated) and event.idle:
            self._left.set()  # the last response was sent, and no further request can come

    async def _send_whole(self, data: bytes | tuple[Chunk, ...]) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()  # while nothing has been sent
        try:  # a free lock takes no turn of the event loop
            self.send_lock.acquire_nowait()
        except trio.WouldBlock:
            await self.send_lock.acquire()
        try:
            if self._cut or self._gone:
                raise BrokenPipeError("the connection was cut")
            # The connection counts as cut until the send below has succeeded. Nothing may follow a torn body, since a
            # client would mistake it for the rest of the body. So the connection is reset when it closes.
            self._cut = True
            self._note_sending(True)
            try:
                await self._send_all(data if isinstance(data, tuple) else (data,))
            except OSError:
                self._left.set()
                raise
            finally:
                self._note_sending(False)
            self._cut = False
        finally:
            self.send_lock.release()

    async def _read_data(self) -> None:
        with suppress(trio.ClosedResourceError, trio.BrokenResourceError, trio.TooSlowError):
            with self._reading:
                while data := await self._receive():
                    await self.protocol.handle(RawData(bytes(data)))
            # The client is gone, or has closed its half only and waits for its response. Only a failed send can tell.
            self._input_ended = True
            await self._wait_until_left()
        # Hypercorn would wait for the keep-alive timer of a connection that the client closed.
        self._input_ended = self._gone = True
        await self.idle_task.stop()
        self._wake()
        await self.protocol.handle(Closed())
        if self._reading.cancelled_caught or self._timed_out:
            await self._close()  # now, and not when the application has ended, which may continue without it

    async def _receive(self) -> bytes | bytearray:
        if self.config.read_timeout is None:
            return await self._receive_some()
        with trio.fail_after(self.config.read_timeout):
            return await self._receive_some()

    async def _receive_some(self) -> bytes | bytearray:
        if self._tls:
            try:
                return await self.stream.receive_some(MAX_RECV)
            except trio.BrokenResourceError as error:
                clear_frames(error.__traceback__)
                raise
        while self.stream.socket.fileno() >= 0:  # Trio would take the -1 of a closed socket for a descriptor
            # There is rarely data at once, so wait first.
            await trio.lowlevel.wait_readable(self.stream.socket)
            try:
                return self._plain_socket().recv(MAX_RECV)
            except BlockingIOError:
                pass
            except OSError as error:
                raise trio.BrokenResourceError from error
        raise trio.ClosedResourceError("the connection was closed in response to the last data")

    async def _wait_until_left(self) -> None:
        if not isinstance(self.protocol.protocol, H11Protocol) or self.protocol.protocol.stream is None:
            return  # no response is in progress, or it is HTTP/2, where the client can no longer widen a window
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._wait_until_silent, nursery.cancel_scope)
            await self._left.wait()
            nursery.cancel_scope.cancel()

    async def _wait_until_silent(self, scope: trio.CancelScope) -> None:
        while True:
            self._sent = trio.Event()
            # The grace period after the end of input. A send in progress has its own deadline and fails if the client
            # is gone. Without one (a slow disk, a busy application), silence is the only sign.
            with trio.move_on_after(inf if self._sending else EOF_GRACE) as grace:
                await self._sent.wait()
            if grace.cancelled_caught:
                scope.cancel()

    def _note_sending(self, sending: bool) -> None:
        self._sending = sending
        if self._sent is not None:
            self._sent.set()

    async def _send_all(self, chunks: Sequence[Chunk]) -> None:
        try:
            if not self._tls:
                await self._send_chunks(chunks)
            else:
                with trio.fail_after(self.send_timeout):
                    # TLS has no file chunks: the scope does not offer them.
                    await self.stream.send_all(b"".join(chunks))  # type: ignore[arg-type]
        except trio.TooSlowError:
            raise TimeoutError("the client accepts no data") from None
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            clear_frames(error.__traceback__)  # a frame of contextlib's forms a cycle with the exception
            raise ConnectionResetError("the client is gone") from error

    async def _send_chunks(self, chunks: Sequence[Chunk]) -> None:
        sock = self._plain_socket()
        # A file chunk comes last: its response has a Content-Length, so no framing follows.
        # So all others are buffers, which the types do not express.
        *before, last = chunks
        if not isinstance(last, FileChunk):
            await self._send_buffers(sock, chunks, 0)  # type: ignore[arg-type]
        else:  # send both in one packet, if possible
            if last.lead:
                before.append(last.lead)
            await self._send_buffers(sock, before, MSG_MORE)  # type: ignore[arg-type]
            await self._send_slices(last.length, Sendfile(sock, last).send)

    async def _send_buffers(
        self, sock: socket.socket, buffers: Sequence[bytes | memoryview], flags: int
    ) -> None:
        """Send small buffers, such as heads and frames, with one system call. Send the rest one by one."""
        sent = 0
        if len(buffers) > 1 and sum(map(len, buffers)) <= SMALL and self._turn > 0:
            with suppress(BlockingIOError):
                sent = sock.sendmsg(buffers, (), flags)
            self._turn -= sent + PER_CALL
        for number, buffer in enumerate(buffers, 1):
            done = min(sent, len(buffer))
            sent -= done
            if done < len(buffer):
                with memoryview(buffer) as view:
                    view_flags = MSG_MORE if number < len(buffers) else flags
                    await self._send_slices(len(view), partial(_send, sock, view, view_flags), done)

    async def _send_slices(self, length: int, send: Callable[[int, int], int], sent: int = 0) -> None:
        """Call `send(offset, count)` until everything is sent. Yield to other connections after each turn.

        The deadline is for progress, not for the whole of a large body. The plain system call costs a third of
        Trio's `send`, which includes a checkpoint.
        """
        while sent < length:
            if self._turn <= 0:
                await trio.lowlevel.checkpoint()
                self._turn = TURN
            count = min(self._turn, length - sent)
            try:
                done = send(sent, count)
            except BlockingIOError:
                done = 0
            sent += done
            self._turn -= done + PER_CALL
            if done < count:  # the socket is full
                await self._wait_for_room()
                self._turn = TURN  # the others have had theirs by now

    async def _wait_for_room(self) -> None:
        began = trio.current_time()
        self.stalled.enter(self)  # instead of a deadline, which costs more than the wait
        self._waiting = True
        try:
            await trio.lowlevel.wait_writable(self.stream.socket)
        except trio.ClosedResourceError:
            if self._timed_out:
                raise trio.TooSlowError from None
            raise
        finally:
            self._waiting = False
            self.stalled.leave(self)
        # For slow clients only: at full speed, a fuller socket buffer costs more than waking up does.
        if TCP_NOTSENT_LOWAT and not self._slow and trio.current_time() - began > SLOW:
            self._slow = True
            with suppress(OSError):  # a Unix socket
                self._plain_socket().setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT)

    def give_up(self) -> None:
        """End the send that waits for the client: it accepted nothing within the timeout."""
        self._timed_out = True
        self._wake()

    def _wake(self) -> None:
        # A task that waits for the socket gets `ClosedResourceError`, although the socket is still open.
        if self._waiting and self.stream.socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self.stream.socket)

    def _plain_socket(self) -> socket.socket:
        """The socket without Trio around it, for system calls with flags. Once closed, it has no descriptor.

        A stored descriptor number could belong to another client's connection by then.
        """
        if self._plain is None:
            self._plain = socket.socket(fileno=self.stream.socket.fileno())
            self._plain.setblocking(False)
        return self._plain

    async def _close(self) -> None:
        if self._tls:
            try:
                with suppress(OSError):
                    await super()._close()
            finally:
                await trio.aclose_forcefully(self.stream)
            return
        try:
            if self.stream.socket.fileno() >= 0:
                with suppress(OSError):  # the client is gone
                    if self._cut:  # a body without a length would look complete
                        self._plain_socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                    else:
                        self._plain_socket().shutdown(socket.SHUT_WR)
        finally:
            if self._plain is not None:
                self._plain.detach()  # Trio closes the descriptor
            await trio.aclose_forcefully(self.stream)


Connection.stalled = Timeouts(Connection.give_up)


def _peer(stream: trio.SocketStream | trio.SSLStream[trio.SocketStream]) -> str | None:
    transport = stream if isinstance(stream, trio.SocketStream) else stream.transport_stream
    try:
        peer = transport.socket.getpeername()
    except OSError:
        return None  # gone already
    return peer[0] if isinstance(peer, tuple) else None


def _send(sock: socket.socket, view: memoryview, flags: int, offset: int, count: int) -> int:
    with view[offset : offset + count] as part:
        return sock.send(part, flags)
