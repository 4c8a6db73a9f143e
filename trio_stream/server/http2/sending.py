"""Sending over HTTP/2. A stream buffers at most `HIGH_WATER` bytes, and only two tasks write to the socket.

These are the task that reads the connection, and `send_task`. A request only fills the buffer of its stream, so the end
of a request can never tear the connection. Its `send` waits while the buffer is full, for at most `send_timeout`
seconds without progress, and raises `OSError` when the stream has ended. An incomplete response is reset and never
ended, so a truncated body does not look complete, and no client waits for the rest. Server push is ignored, since
browsers have dropped it.
"""

from contextlib import suppress
from math import inf
from typing import Any, ClassVar

import h2.exceptions
import trio
from h2.errors import ErrorCodes
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol import events
from hypercorn.protocol.h2 import H2Protocol
from hyperframe.frame import GoAwayFrame
from priority.priority import DeadlockError

from trio_stream.server.http2.stream import HIGH_WATER, Buffer, WebSocket


class Sending(H2Protocol):
    """The sending half of a connection."""

    send_timeout: ClassVar[float] = inf

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outgoing: dict[int, Buffer] = {}
        self._reader: trio.lowlevel.Task | None = None
        self._woken = trio.lowlevel.ParkingLot()
        self._leaving = False
        self._farewell = b""
        self._completed = 0
        self._carried = 0

    async def send_task(self) -> None:
        """Send one frame of each stream in turn, and any other pending data."""
        while not self.closed:
            ended = None
            blocked = False
            try:
                ended = self._send_some(next(self.priority))
            except DeadlockError:  # no stream has data to send and a window for it
                blocked = True
            wrote = await self._write()
            if ended is not None:  # its end has been written, so a task that drains it may continue
                ended.close(ConnectionResetError("the stream has ended"))
            if blocked and not wrote:
                await self._woken.park()

    async def stream_send(self, event: events.Event) -> None:
        """Send an event of a request. If the stream has ended, a body raises, and the rest is dropped."""
        stream_id = event.stream_id
        buffer = self.outgoing.get(stream_id)
        if isinstance(event, events.StreamClosed):
            await self._end(stream_id)
        elif buffer is None:
            if isinstance(event, events.Body):
                raise ConnectionResetError("the stream has ended")
        elif isinstance(event, events.Body | events.Data):
            await self._push(stream_id, buffer, event)
        elif isinstance(event, events.EndBody | events.EndData):
            buffer.complete = True
            self._unblock(stream_id)
            await self._drain(stream_id, buffer)
        elif isinstance(event, events.Response | events.InformationalResponse):
            status = [(b":status", b"%d" % event.status_code)]
            self._send_headers(
                stream_id, [*status, *event.headers, *self.config.response_headers("h2")], last=False
            )
        elif isinstance(event, events.Trailers):
            await self._drain(stream_id, buffer)
            self._send_headers(stream_id, event.headers, last=True)
            self._forget(stream_id, ConnectionResetError("the stream has ended"))

    async def _push(self, stream_id: int, buffer: Buffer, event: events.Body | events.Data) -> None:
        self._unblock(stream_id)
        data = event.data
        if isinstance(data, tuple):  # a WebSocket frame: a view is copied here once, into the buffer
            data = b"".join(data)
        if trio.lowlevel.current_task() is not self._reader:
            try:
                await buffer.push(data, whole=isinstance(event, events.Data))
            except BaseException as error:
                if isinstance(event, events.Body) or isinstance(error, OSError):
                    self._reset(stream_id, ErrorCodes.CANCEL)  # a part of it may have been sent
                raise
            self._unblock(stream_id)
        elif len(buffer) < 2 * HIGH_WATER:
            # This responds to a frame. The reader must not wait here: it would wait for itself.
            buffer.add(data)
        else:
            self._reset(stream_id, ErrorCodes.ENHANCE_YOUR_CALM)

    async def _drain(self, stream_id: int, buffer: Buffer) -> None:
        # Not in the reader: it would wait for windows that only it can widen.
        if trio.lowlevel.current_task() is not self._reader:
            try:
                await buffer.drain()
            except TimeoutError:
                self._reset(stream_id, ErrorCodes.CANCEL)

    def _send_headers(self, stream_id: int, headers: list[tuple[bytes, bytes]], *, last: bool) -> None:
        try:
            self.connection.send_headers(stream_id, headers, end_stream=last)
        except h2.exceptions.ProtocolError:
            stream = self.connection.streams.get(stream_id)
            if stream_id in self.outgoing and stream is not None and not stream.closed:
                raise  # otherwise it was reset, and the event has not been handled yet
        self._woken.unpark_all()

    async def _end(self, stream_id: int) -> None:
        buffer = self.outgoing.get(stream_id)
        if buffer is not None and not buffer.complete:
            if isinstance(self.streams.get(stream_id), WebSocket):
                buffer.complete = True
                self._unblock(stream_id)
            else:
                self._reset(stream_id, ErrorCodes.INTERNAL_ERROR)
        elif stream_id in self.streams:
            self._completed += 1  # earns the client one reset
        await self._close_stream(stream_id)
        if self.idle and self.context.terminated.is_set():
            self._leave()
        await self.send(Updated(idle=self.idle))
        self._woken.unpark_all()

    def _send_some(self, stream_id: int) -> Buffer | None:
        """Move a frame from the buffer of a stream to the library. Return the buffer if the stream has ended."""
        buffer = self.outgoing[stream_id]
        try:
            window = self.connection.local_flow_control_window(stream_id)
            data = buffer.pop(min(window, self.connection.max_outbound_frame_size))
            ends = buffer.complete and not buffer
            if data:
                self.connection.send_data(stream_id, data, end_stream=ends)
                self._carried += len(data)
            elif ends:
                self.connection.end_stream(stream_id)
            else:
                self.priority.block(stream_id)
        except h2.exceptions.ProtocolError:  # it was reset, and the event has not been handled yet
            self._forget(stream_id, ConnectionResetError("the stream has ended"))
            return None
        if not ends:
            return None
        if not self.connection.streams[stream_id].closed:  # the rest of the request is not needed
            self.connection.reset_stream(stream_id, ErrorCodes.NO_ERROR)
        self._remove(stream_id)
        return buffer

    async def _close_stream(self, stream_id: int) -> None:
        if stream_id in self.streams:
            # In a separate task, since it may wait for an application with a full message queue.
            self.task_group.spawn(
                self.streams.pop(stream_id).handle, events.StreamClosed(stream_id=stream_id)
            )

    async def _flush(self) -> None:
        await self._write()

    async def _write(self) -> bool:
        data = self.connection.data_to_send() + self._farewell
        self._farewell = b""  # before the send: the other of the two tasks may enter during it
        if data and not self.closed:
            try:
                await self.send(RawData(data))
            except OSError as error:
                self._forget_all(error)
                await self.send(Closed())
        return bool(data)

    def _leave(self) -> None:
        """Accept no more requests. The library's own `close_connection` would end the open ones.

        After their responses the client closes the connection, or the keep-alive timeout does. Closing at once would
        discard data that the client has not read yet.
        """
        if not self._leaving:
            self._leaving = True
            last = self.connection.highest_inbound_stream_id
            self._farewell = GoAwayFrame(0, last_stream_id=last).serialize()
            self._woken.unpark_all()

    def _unblock(self, *stream_ids: int) -> None:
        for stream_id in stream_ids:
            if stream_id in self.outgoing:
                self.priority.unblock(stream_id)
        self._woken.unpark_all()

    def _reset(self, stream_id: int, code: ErrorCodes) -> None:
        if stream_id in self.outgoing:
            with suppress(h2.exceptions.ProtocolError):
                self.connection.reset_stream(stream_id, code)
            self._forget(stream_id, ConnectionResetError("the stream was reset"))
            self._woken.unpark_all()

    def _forget(self, stream_id: int, error: OSError) -> None:
        buffer = self._remove(stream_id)
        if buffer is not None:
            buffer.close(error)

    def _remove(self, stream_id: int) -> Buffer | None:
        if stream_id in self.outgoing:
            self.priority.remove_stream(stream_id)
        return self.outgoing.pop(stream_id, None)

    def _forget_all(self, error: OSError) -> None:
        for stream_id in list(self.outgoing):
            self._forget(stream_id, error)
