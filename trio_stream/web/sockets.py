"""The bytes of a video over WebSocket.

Every client gets the bytes as binary messages in order, then the close code 1000. A client that asked for the
subprotocol `trio-stream.v1` also gets JSON text messages, and may send some:

    <- {"type": "start", "offset", "end", "size", "content_type", "etag", "chunk_size"}   bytes from `offset` follow
    <- {"type": "end", "offset"}                                                          all bytes up to there went
    <- {"type": "error", "status", "code", "detail"}
    -> {"type": "seek", "offset": N}    {"type": "pause"}    {"type": "resume"}

After a seek a new `start` divides the bytes before it from those after it. A seek takes effect between two
messages: a message cut off in the middle would be the end of the connection.
"""

import json
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, assert_never

import trio
from quart import Blueprint, websocket

from trio_stream.errors import (
    BadRequest,
    ClientGone,
    ClientStalled,
    RangeNotSatisfiable,
    SourceChanged,
    SourceUnreadable,
    TooManyStreams,
    TrioStreamError,
)
from trio_stream.http.bodies import Window
from trio_stream.streaming.pump import Chunk, Delivery
from trio_stream.streaming.stream import Ending, Stream, first_error
from trio_stream.web.asgi import delivery, translate
from trio_stream.web.exchange import exchange, services
from trio_stream.web.streams import requested_name, validators

blueprint = Blueprint("sockets", __name__)

SUBPROTOCOL = "trio-stream.v1"
LARGEST_MESSAGE = 256 * 1024
"""Bytes in one binary message at most; where they are copies, `LARGEST_COPY` is less."""

MOST_MISTAKES = 32
"""A client that sent so many messages without a meaning is let go."""

LONGEST_REASON = 100
"""Characters in a close frame, whose 123 bytes hold them (RFC 6455 section 5.5); our reasons are ASCII."""

# RFC 6455 section 7.4.1, and the registry it opens.
NORMAL, GOING_AWAY, INTERNAL_ERROR, TRY_AGAIN_LATER = 1000, 1001, 1011, 1013

_OFFSET = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Command:
    """What a client said."""

    kind: Literal["seek", "pause", "resume"]
    offset: int = 0


def parse_command(message: str | bytes, *, start: int, end: int) -> Command:
    """Read a client's message; a seek must lie in `start` to `end`. Raises `BadRequest`, `RangeNotSatisfiable`."""
    try:
        value = json.loads(message) if isinstance(message, str) else None
    except (ValueError, RecursionError):
        value = None
    match value:
        case {"type": "pause" | "resume" as kind}:
            return Command(kind)
        case {"type": "seek", "offset": int(offset)} if not isinstance(offset, bool):
            if not start <= offset <= end:
                raise RangeNotSatisfiable(end)
            return Command("seek", offset)
        case _:
            raise BadRequest('messages are JSON text: {"type": "seek", "offset": N}, "pause" or "resume"')


def parse_span(query: Mapping[str, str], size: int) -> tuple[int, int]:
    """`start` (included, default 0) and `end` (not included, default and at most `size`), in bytes.

    Raises `BadRequest` for what is no number or backwards, `RangeNotSatisfiable` for a start past the end.
    """
    found = {}
    for name, default in (("start", 0), ("end", size)):
        text = query.get(name, str(default))
        if not _OFFSET.fullmatch(text):
            raise BadRequest(f"{name} is a number of bytes")
        found[name] = int(text)
    start, end = found["start"], found["end"]
    if start > size:
        raise RangeNotSatisfiable(size)
    if end < start:
        raise BadRequest("end lies before start")
    return start, min(end, size)


@blueprint.websocket("/api/ws/stream/<video:name>")
async def stream_over_websocket(name: str) -> None:
    """Send the video, or the part from `start` to `end`."""
    name = requested_name(websocket.scope["raw_path"], b"/api/ws/stream/")
    video = await services().catalog.open(name)
    file = exchange().hold(video.fd, video.status)
    start, end = parse_span(websocket.args, file.content.size)
    chatty = SUBPROTOCOL in websocket.requested_subprotocols
    await websocket.accept(subprotocol=SUBPROTOCOL if chatty else None)
    try:
        stream = exchange().admit(file, name=name, transport="websocket")
    except TooManyStreams as error:
        await _close(TRY_AGAIN_LATER, error, tell=chatty)
        return
    session = Session(
        stream=stream,
        start=start,
        end=end,
        chatty=chatty,
        about={
            "size": file.content.size,
            "content_type": video.media_type,
            "etag": validators(video).etag,
            "chunk_size": LARGEST_MESSAGE,
        },
        delivery=delivery(websocket.scope),
    )
    await session.serve()


class Session:
    """One viewer: where they are, and whether they paused. `start` to `end` is what they may see."""

    def __init__(
        self,
        *,
        stream: Stream,
        start: int,
        end: int,
        chatty: bool,
        about: Mapping[str, Any],
        delivery: Delivery,
    ) -> None:
        self._stream = stream
        self._start = start
        self._end = end
        self._chatty = chatty
        self._about = about
        self._delivery = delivery
        self._paused = False
        self._sought: int | None = None
        self._told = trio.Event()
        self._segment = trio.CancelScope()

    async def serve(self) -> None:
        """Send until the end, and close the WebSocket accordingly."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen)
                await self._play_and_close()
                nursery.cancel_scope.cancel()
        except* (ClientGone, ClientStalled) as group:
            self._stream.note(first_error(group))

    async def _play_and_close(self) -> None:
        try:
            whole = await self._play()
        except (SourceChanged, SourceUnreadable) as error:
            await _close(INTERNAL_ERROR, error, tell=self._chatty)
            return
        if not whole:
            await _close(GOING_AWAY, reason=self._stream.reason or "")
            return
        await _send_json({"type": "end", "offset": self._end}, tell=self._chatty)
        await _close(NORMAL)
        self._stream.end(Ending.FINISHED)

    async def _play(self) -> bool:
        """Send from the start to the end, again after each seek; answers whether the end was reached."""
        offset = self._start
        while True:
            await _send_json(
                {"type": "start", "offset": offset, "end": self._end, **self._about}, tell=self._chatty
            )
            with trio.CancelScope() as self._segment:
                whole = await self._stream.run(
                    (Window(offset, self._end - offset),),
                    self._send,
                    self._delivery,
                    largest=LARGEST_MESSAGE,
                )
            if self._sought is None:
                return whole
            offset, self._sought = self._sought, None

    async def _send(self, chunk: Chunk) -> None:
        while self._paused and self._sought is None:
            self._told = trio.Event()
            await self._told.wait()
            self._stream.file.check()  # a pause is long enough for the file to change
        if self._sought is not None:
            self._segment.cancel()
            await trio.lowlevel.checkpoint()
        await _deliver(websocket.send(chunk))  # type: ignore[arg-type]

    async def _listen(self) -> None:
        mistakes = 0
        while True:
            message = await websocket.receive()
            if not self._chatty:
                continue  # such a client only listens
            try:
                self._obey(parse_command(message, start=self._start, end=self._end))
            except TrioStreamError as error:
                await _send_json(_error_message(error), tell=True)
                mistakes += 1
                if mistakes == MOST_MISTAKES:
                    self._stream.end(Ending.STOPPED, "too many messages without a meaning")
                    return

    def _obey(self, command: Command) -> None:
        match command.kind:
            case "pause" | "resume":
                self._paused = command.kind == "pause"
            case "seek":
                self._sought = command.offset
            case _:
                assert_never(command.kind)
        self._told.set()


def _error_message(error: TrioStreamError) -> dict[str, Any]:
    return {"type": "error", "status": error.status, "code": error.code, "detail": str(error)}


async def _send_json(message: Mapping[str, Any], *, tell: bool) -> None:
    if tell:
        await _deliver(websocket.send(json.dumps(message)))


async def _close(
    code: int, error: TrioStreamError | None = None, *, reason: str = "", tell: bool = False
) -> None:
    if error is not None:
        await _send_json(_error_message(error), tell=tell)
        reason = str(error)
    await _deliver(websocket.close(code, reason[:LONGEST_REASON]))


async def _deliver(sending: Awaitable[None]) -> None:
    try:
        await sending
    except OSError as error:
        raise translate(error) from error
