"""HTTP/2, what is received: what happens to one stream happens to it alone, and a client's whims are bounded.

A stream that its client resets is over at once, for the application too; so is one whose application takes nothing.
Resets beyond `RESETS` end the connection: each has cost an application's start; so do frames beyond `PARTS` that carry
next to nothing, whatever they are: of many the library tells nobody. After as many requests as Hypercorn allows, and
when the server stops, the connection takes no more of them and is left to end.
"""

import sys
from contextlib import suppress
from typing import Any, ClassVar

import h2.events
import h2.exceptions
import structlog
import trio
from h2.errors import ErrorCodes
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol import events
from hypercorn.utils import filter_pseudo_headers
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame
from priority.priority import PriorityError

from trio_stream.server.asgi.allowance import BYTES_OF_A_PART, Allowance
from trio_stream.server.http2.sending import Sending
from trio_stream.server.http2.stream import Buffer, RequestStream, WebSocket
from trio_stream.server.tcp.admission import Admission
from trio_stream.server.tcp.trimming import trimming

log = structlog.get_logger("trio_stream.server")

TAKING = 1.0
"""Seconds in which an application takes what its client sends: meanwhile nothing else of the connection is read."""

RESETS = 200
"""Resets a client may be ahead of its completed streams."""

RESETS_FORGIVEN = 10.0
"""Of them, forgotten in a second: each seek of a player is one."""

DEFAULT_WEIGHT = 16
"""Of a stream (RFC 7540 section 5.3.5)."""


class H2(Sending):
    """One connection. `admission` bounds the streams that one address has on all of its connections."""

    admission: ClassVar[Admission] = Admission(total=sys.maxsize, per_address=sys.maxsize)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._resets = Allowance(RESETS, RESETS_FORGIVEN)
        self._frames = Allowance()
        self._widened = False
        self._address = self.client[0] if self.client else None
        # h2 tells nobody of many frames (PING, SETTINGS, PRIORITY, empty DATA), and has no public place between the
        # bytes and its events. Which version has this one, `install` knows.
        self._receive_frame = self.connection._receive_frame  # noqa: SLF001
        self.connection._receive_frame = self._count_frame  # type: ignore[method-assign]  # noqa: SLF001
        self.connection._frame_dispatch_table[GoAwayFrame] = _receive_goaway  # noqa: SLF001

    async def initiate(
        self, headers: list[tuple[bytes, bytes]] | None = None, settings: bytes | None = None
    ) -> None:
        """As in Hypercorn."""
        self._reader = trio.lowlevel.current_task()
        await super().initiate(headers, settings)

    async def handle(self, event: Event) -> None:
        """As in Hypercorn; whoever waits on a stream of a closed connection is released."""
        if isinstance(event, Closed):
            self.closed = True
            self._forget_all(ConnectionResetError("the connection is closed"))
            for stream_id in list(self.streams):
                await self._close_stream(stream_id)
            self._woken.unpark_all()
            self.connection._frame_dispatch_table.clear()  # noqa: SLF001 - methods, which know what they are of
            self.connection.__dict__.pop("_receive_frame", None)
            self.__dict__.pop("_receive_frame", None)
        elif isinstance(event, RawData) and not self.closed:
            try:
                received = self.connection.receive_data(event.data)
            except h2.exceptions.ProtocolError:
                await self._end_connection()
            else:
                await self._handle_events(received)

    def _count_frame(self, frame: Frame) -> list[h2.events.Event]:
        """Take a frame of those that the client may send. Raises `DenialOfServiceError`, which ends the connection.

        The head of a request is none of them: a connection has only so many.
        """
        if not isinstance(frame, HeadersFrame):
            carried, self._carried = self._carried, 0
            if isinstance(frame, DataFrame):
                carried += len(frame.data)
            if not self._frames.spend(carried / BYTES_OF_A_PART):
                raise h2.exceptions.DenialOfServiceError("too many frames that carry nothing")
        return self._receive_frame(frame)

    async def _handle_events(self, received: list[h2.events.Event]) -> None:
        self._reader = trio.lowlevel.current_task()
        for event in received:
            if self.closed:
                return
            await self._handle_event(event)
        if self._widened:  # once for all of them: there may be thousands, and a hundred streams
            self._widened = False
            self._unblock(*self.outgoing)  # those that still cannot send are blocked again
        await self._flush()

    async def _handle_event(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                await self._create_stream(event)
            case h2.events.DataReceived():
                await self._offer(events.Body(stream_id=event.stream_id, data=event.data))
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamEnded():
                await self._offer(events.EndBody(stream_id=event.stream_id))
            case h2.events.StreamReset():
                self._forget(event.stream_id, ConnectionResetError("the client reset the stream"))
                await self._drop(event.stream_id)
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                self._widened = True  # acted on once behind all events of this read
            case h2.events.PriorityUpdated():
                self._prioritize(event)

    async def _create_stream(self, request: h2.events.RequestReceived) -> None:
        fields = dict(request.headers)
        method, path = fields.get(b":method", b""), fields.get(b":path", b"")
        stream_id = request.stream_id
        if self._leaving or self.context.terminated.is_set():
            self._leave()
            self.connection.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        if not path or not (path + method).isascii():
            self.connection.reset_stream(stream_id, ErrorCodes.PROTOCOL_ERROR)
            return
        if not self.admission.enter(self._address):
            log.warning("a stream was refused: too many", address=self._address, often=True)
            self.connection.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        kind = WebSocket if method == b"CONNECT" else RequestStream
        whose = (self.app, self.config, self.context, self.task_group, self.ssl, self.client, self.server)
        stream = self.streams[stream_id] = kind(*whose, self.stream_send, stream_id)
        self.outgoing[stream_id] = Buffer(self.send_timeout)
        self.priority.insert_stream(stream_id)
        self.priority.block(stream_id)
        await self.send(Updated(idle=False))
        await stream.handle(
            events.Request(
                stream_id=stream_id,
                headers=filter_pseudo_headers(request.headers),
                http_version="2",
                method=method.decode().upper(),
                raw_path=path,
                state=self.connection_state,
            )
        )
        self.keep_alive_requests += 1
        if self.keep_alive_requests >= self.config.keep_alive_max_requests:
            self._leave()
        await self.context.mark_request()

    async def _offer(self, event: events.Body | events.EndBody) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:  # otherwise it was answered before the request was whole
            with trio.move_on_after(TAKING) as taking:
                await stream.handle(event)
            if taking.cancelled_caught:  # one slow application must not hold up the streams of all others
                self._reset(event.stream_id, ErrorCodes.ENHANCE_YOUR_CALM)
                await self._drop(event.stream_id)

    async def _close_stream(self, stream_id: int) -> None:
        if stream_id in self.streams:
            self.admission.leave(self._address)
            trimming.note_end()
        await super()._close_stream(stream_id)

    async def _drop(self, stream_id: int) -> None:
        if stream_id not in self.streams:
            return
        await self._close_stream(stream_id)
        earned, self._completed = self._completed, 0
        if self._resets.spend(earned):
            await self.send(Updated(idle=self.idle))
        else:
            await self._calm_down()

    async def _calm_down(self) -> None:
        """End the connection of a client that costs more than it takes."""
        self.connection.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
        await self._end_connection()

    async def _end_connection(self) -> None:
        """Send the GOAWAY of the library, which takes nothing after it, and close.

        What still runs is told first: it must not send while the GOAWAY is under way.
        """
        self._forget_all(ConnectionResetError("the connection is closed"))
        await self._flush()
        await self.send(Closed())

    def _prioritize(self, event: h2.events.PriorityUpdated) -> None:
        # Of streams that are there only: the tree takes a thousand, and keeps those that never come.
        if event.stream_id in self.outgoing:
            with suppress(PriorityError):
                self.priority.reprioritize(
                    stream_id=event.stream_id,
                    depends_on=event.depends_on if event.depends_on in self.outgoing else None,
                    weight=event.weight or DEFAULT_WEIGHT,
                    exclusive=bool(event.exclusive),
                )


def _receive_goaway(_: Frame) -> tuple[list[Frame], list[h2.events.Event]]:
    """Take no notice of a GOAWAY: it forbids new streams to us, who start none (RFC 9113 section 6.8).

    The library would drop what it has ready to send, and send nothing more (python-hyper/h2#1181). The client's streams
    go on, and it may start others: Node puts the GOAWAY of `session.close()` before the requests that were made first.
    One with an error has to close the connection itself (section 5.4.1), and that ends it.
    """
    return [], [h2.events.ConnectionTerminated()]
