"""Receiving over HTTP/2. Each stream fails alone, and the cost a client can cause is limited.

A stream ends at once, for the application too, if its client resets it or if its application accepts no data. More than
`RESETS` resets end the connection, since each has cost the start of an application. So do more than `PARTS` frames with
almost no data, of any kind; the library reports no events for many of them. When Hypercorn's limit of requests is
reached, or the server stops, the connection accepts no more requests and ends after the last response.
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

from trio_stream.server.asgi.allowance import BYTES_PER_PART, Allowance
from trio_stream.server.http2.sending import Sending
from trio_stream.server.http2.stream import Buffer, RequestStream, WebSocket
from trio_stream.server.tcp.admission import Admission
from trio_stream.server.tcp.trimming import trimming

log = structlog.get_logger("trio_stream.server")

OFFER_TIMEOUT = 1.0
"""Seconds for an application to accept data from its client. Nothing else on the connection is read in that time."""

RESETS = 200
"""Resets a client may send beyond its completed streams."""

RESETS_FORGIVEN = 10.0
"""How many of them are forgiven per second: each seek of a player is one."""

DEFAULT_WEIGHT = 16
"""The default weight of a stream (RFC 7540 section 5.3.5)."""


class H2(Sending):
    """One connection. `admission` limits the streams of one address on all its connections together."""

    admission: ClassVar[Admission] = Admission(total=sys.maxsize, per_address=sys.maxsize)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._resets = Allowance(RESETS, RESETS_FORGIVEN)
        self._frames = Allowance()
        self._widened = False
        self._address = self.client[0] if self.client else None
        # h2 reports no events for many frames (PING, SETTINGS, PRIORITY, empty DATA), and has no public hook between
        # the bytes and its events. `install` checks for the version that has this method.
        self._receive_frame = self.connection._receive_frame  # noqa: SLF001
        self.connection._receive_frame = self._count_frame  # type: ignore[method-assign]  # noqa: SLF001
        self.connection._frame_dispatch_table[GoAwayFrame] = _receive_goaway  # noqa: SLF001

    async def initiate(
        self, headers: list[tuple[bytes, bytes]] | None = None, settings: bytes | None = None
    ) -> None:
        """As in Hypercorn. The current task is the one that reads the connection."""
        self._reader = trio.lowlevel.current_task()
        await super().initiate(headers, settings)

    async def handle(self, event: Event) -> None:
        """As in Hypercorn, and tasks that wait on streams of a closed connection are released."""
        if isinstance(event, Closed):
            self.closed = True
            self._forget_all(ConnectionResetError("the connection is closed"))
            for stream_id in list(self.streams):
                await self._close_stream(stream_id)
            self._woken.unpark_all()
            self.connection._frame_dispatch_table.clear()  # noqa: SLF001 - bound methods, which form a cycle
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
        """Count a frame against the allowance. Raises `DenialOfServiceError`, which ends the connection.

        The head of a request does not count: the number of requests on a connection is limited already.
        """
        if not isinstance(frame, HeadersFrame):
            carried, self._carried = self._carried, 0
            if isinstance(frame, DataFrame):
                carried += len(frame.data)
            if not self._frames.spend(carried / BYTES_PER_PART):
                raise h2.exceptions.DenialOfServiceError("too many frames without data")
        return self._receive_frame(frame)

    async def _handle_events(self, received: list[h2.events.Event]) -> None:
        self._reader = trio.lowlevel.current_task()
        for event in received:
            if self.closed:
                return
            await self._handle_event(event)
        if self._widened:  # once for all events: there may be thousands, and a hundred streams
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
                self._widened = True  # handled once, after all events of this read
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
            log.warning("stream refused: too many streams", address=self._address, often=True)
            self.connection.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        stream_class = WebSocket if method == b"CONNECT" else RequestStream
        shared = (self.app, self.config, self.context, self.task_group, self.ssl, self.client, self.server)
        stream = self.streams[stream_id] = stream_class(*shared, self.stream_send, stream_id)
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
        if stream is not None:  # otherwise the response was sent before the request was complete
            with trio.move_on_after(OFFER_TIMEOUT) as offer:
                await stream.handle(event)
            if offer.cancelled_caught:  # one slow application must not block the other streams
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
        """End the connection of a client that has used up its allowance."""
        self.connection.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
        await self._end_connection()

    async def _end_connection(self) -> None:
        """Send the library's GOAWAY, after which it accepts nothing to send, and close.

        The streams end first: they must not send while the GOAWAY is being sent.
        """
        self._forget_all(ConnectionResetError("the connection is closed"))
        await self._flush()
        await self.send(Closed())

    def _prioritize(self, event: h2.events.PriorityUpdated) -> None:
        # Only for open streams: the tree has room for a thousand, and keeps streams that are never opened.
        if event.stream_id in self.outgoing:
            with suppress(PriorityError):
                self.priority.reprioritize(
                    stream_id=event.stream_id,
                    depends_on=event.depends_on if event.depends_on in self.outgoing else None,
                    weight=event.weight or DEFAULT_WEIGHT,
                    exclusive=bool(event.exclusive),
                )


def _receive_goaway(_: Frame) -> tuple[list[Frame], list[h2.events.Event]]:
    """Ignore a GOAWAY: it only forbids new streams by the server, which starts none (RFC 9113 section 6.8).

    The library would drop its pending data and send nothing more (python-hyper/h2#1181). The client's streams continue,
    and it may open others: Node sends the GOAWAY of `session.close()` ahead of requests that were made before it. A
    client that reports an error must close the connection itself (section 5.4.1).
    """
    return [], [h2.events.ConnectionTerminated()]
