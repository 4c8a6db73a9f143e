"""The bytes of a video over WebSocket.

Every client gets the bytes as binary messages in order, then the close code 1000. A client that asked for the
subprotocol `trio-stream.v1` also gets JSON text messages, and may send some:

    <- {"type": "start", "offset", "end", "size", "content_type", "etag", "chunk_size"}   bytes from `offset` follow
    <- {"type": "end", "offset"}                                                          all bytes up to there went
    <- {"type": "error", "status", "code", "detail"}
    -> {"type": "seek", "offset": N}    {"type": "pause"}    {"type": "resume"}

With `?format=fmp4` the film comes as fragmented MP4, and places in it are times: see `feeds`.

After a seek a new `start` divides the bytes before it from those after it. A seek takes effect between two
messages: a message cut off in the middle would be the end of the connection.
"""

from typing import assert_never

import trio
from msgspec import Struct
from quart import Blueprint, websocket

from trio_stream.errors import (
    BadRequest,
    ClientGone,
    ClientStalled,
    RangeNotSatisfiable,
    SourceChanged,
    SourceUnreadable,
    TooManyFiles,
    TooManyStreams,
    TrioStreamError,
    Unpackageable,
    VideoNotFound,
    first_error,
)
from trio_stream.http.json_text import decode, encode
from trio_stream.server.sending.chunks import Chunk
from trio_stream.streaming.maps import MappedFile
from trio_stream.streaming.pump import Delivery
from trio_stream.streaming.stream import Ending, Stream
from trio_stream.web.api.feeds import WANTED, ByteFeed, Feed, Fragments
from trio_stream.web.api.streams import VIDEO_BYTES, requested_name, validators
from trio_stream.web.api.wire.messages import (
    LARGEST_MESSAGE,
    About,
    BytesQuery,
    Command,
    EndMessage,
    ErrorMessage,
    FragmentsEndMessage,
    FragmentsQuery,
    FragmentsSeekMessage,
    FragmentsStartMessage,
    PauseMessage,
    ResumeMessage,
    SeekMessage,
    StartMessage,
)
from trio_stream.web.api.wire.operations import FOREIGN, VIDEOS, Socket, declares
from trio_stream.web.asgi.exchange import exchange, services
from trio_stream.web.asgi.scopes import delivery

blueprint = Blueprint("sockets", __name__)

SUBPROTOCOL = "trio-stream.v1"
MOST_MISTAKES = 32
"""A client that sent so many messages without a meaning is let go."""

LONGEST_REASON = 100
"""Characters in a close frame, whose 123 bytes hold them (RFC 6455 section 5.5); our reasons are ASCII."""

# RFC 6455 section 7.4.1, and the registry it opens.
NORMAL, GOING_AWAY, INTERNAL_ERROR, TRY_AGAIN_LATER = 1000, 1001, 1011, 1013


def parse_command(message: str | bytes, feed: Feed) -> Command:
    """Read a client's message; of a seek, the position its feed goes on from.

    Raises `BadRequest`, `RangeNotSatisfiable`.
    """
    if not isinstance(message, str):
        raise BadRequest(WANTED)
    try:
        value = decode(message)
    except (ValueError, RecursionError):
        raise BadRequest(WANTED) from None
    return feed.read(value)


@blueprint.websocket("/api/ws/stream/<video:name>")
@declares(
    Socket(
        tag=VIDEOS,
        summary="The bytes of a video over WebSocket",
        description=f"Every client gets the bytes as binary messages, in order, then the close code {NORMAL}. A client "
        f"that asks for the subprotocol `{SUBPROTOCOL}` also gets JSON text messages, and may send some. Without it, "
        "what the client sends is ignored.\n\n"
        "A seek takes effect between two binary messages; a new `start` tells the bytes before it from those after it. "
        f"A client that sent {MOST_MISTAKES} messages without a meaning is let go.",
        places=VIDEO_BYTES.places,
        queries=(BytesQuery, FragmentsQuery),
        subprotocol=SUBPROTOCOL,
        from_server=(StartMessage, EndMessage, ErrorMessage, FragmentsStartMessage, FragmentsEndMessage),
        from_client=(SeekMessage, PauseMessage, ResumeMessage, FragmentsSeekMessage),
        closes={
            NORMAL: "All bytes went.",
            GOING_AWAY: "The stream was ended from the server's side; the reason says why.",
            INTERNAL_ERROR: "The file changed or could not be read; the reason says which.",
            TRY_AGAIN_LATER: "All places are taken; come back later.",
        },
        raises=(
            FOREIGN,
            {
                BadRequest: "`start`, `end`, `time`, `format` or `audio` has no meaning.",
                VideoNotFound: "There is no such video.",
                RangeNotSatisfiable: "`start` or `time` lies behind the end of the video.",
                Unpackageable: "It cannot be sent in segments; the detail says why.",
                TooManyFiles: "Too many files are open, or the videos are away; ask again later.",
            },
        ),
        conversation=(
            ("server", '{"type": "start", "offset": 0, "end": 11665961, …}'),
            ("server", "binary: the first bytes, then more of them"),
            ("client", '{"type": "seek", "offset": 8000000}'),
            ("server", '{"type": "start", "offset": 8000000, "end": 11665961, …}'),
            ("server", "binary: bytes 8,000,000 and on, up to the end"),
            ("server", '{"type": "end", "offset": 11665961}'),
            ("server", "close 1000"),
        ),
    )
)
async def stream_over_websocket(name: str) -> None:
    """Send the video, or the part from `start` to `end`; or as fragmented MP4."""
    name = requested_name(websocket.scope["raw_path"], b"/api/ws/stream/")
    video = await services().catalog.open(name)
    file = exchange().hold(video.file, video.status)
    feed = await _feed(file, video.revision)
    chatty = SUBPROTOCOL in websocket.requested_subprotocols
    await websocket.accept(subprotocol=SUBPROTOCOL if chatty else None)
    try:
        stream = exchange().admit(file, name=name, transport="websocket")
    except TooManyStreams as error:
        await _close(TRY_AGAIN_LATER, error, tell=chatty)
        return
    session = Session(
        stream=stream,
        feed=feed,
        chatty=chatty,
        about=About(
            size=file.content.size,
            content_type=video.media_type,
            etag=validators(video).etag,
            chunk_size=LARGEST_MESSAGE,
        ),
        delivery=delivery(websocket.scope),
    )
    await session.serve()


async def _feed(file: MappedFile, revision: str) -> Feed:
    """What the query asks for. Raises `BadRequest`, `RangeNotSatisfiable`, `Unpackageable`."""
    match websocket.args.get("format"):
        case None:
            return ByteFeed.of(websocket.args, file.content.size)
        case "fmp4":
            index = await services().offers.index(file.fd, revision, file.content.size)
            return Fragments.of(websocket.args, index)
        case _:
            raise BadRequest("the format is fmp4, or none is given")


class Session:
    """One viewer: where they are in their `feed`, and whether they paused."""

    def __init__(
        self,
        *,
        stream: Stream,
        feed: Feed,
        chatty: bool,
        about: About,
        delivery: Delivery,
    ) -> None:
        self._stream = stream
        self._feed = feed
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
                try:
                    await self._play_and_close()
                except (ClientGone, ClientStalled) as error:
                    self._stream.note(error)
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
        await _send_json(self._feed.end(), tell=self._chatty)
        await _close(NORMAL)
        self._stream.end(Ending.FINISHED)

    async def _play(self) -> bool:
        """Send from the start to the end, again after each seek; answers whether the end was reached."""
        position = self._feed.first
        while True:
            await _send_json(self._feed.start(position, self._about), tell=self._chatty)
            whole = False
            with trio.CancelScope() as self._segment:
                for parts in self._feed.bodies(position):
                    whole = await self._stream.run(parts, self._send, self._delivery, largest=LARGEST_MESSAGE)
                    if not whole:
                        break
            if self._sought is None:
                return whole
            position, self._sought = self._sought, None

    async def _send(self, chunk: Chunk) -> None:
        while self._paused and self._sought is None:
            self._told = trio.Event()
            await self._told.wait()
            self._stream.file.check()  # a pause is long enough for the file to change
        if self._sought is not None:
            self._segment.cancel()
            await trio.lowlevel.checkpoint()
        await websocket.send(chunk)  # type: ignore[arg-type] # a view: `server.asgi.websocket` takes it

    async def _listen(self) -> None:
        mistakes = 0
        while True:
            message = await websocket.receive()
            if not self._chatty:
                continue  # such a client only listens
            try:
                self._obey(parse_command(message, self._feed))
            except TrioStreamError as error:
                await _send_json(_error_message(error), tell=True)
                mistakes += 1
                if mistakes == MOST_MISTAKES:
                    self._stream.end(Ending.STOPPED, "too many messages without a meaning")
                    return

    def _obey(self, command: Command) -> None:
        match command:
            case PauseMessage() | ResumeMessage():
                self._paused = isinstance(command, PauseMessage)
            case int():
                self._sought = command
            case _:
                assert_never(command)
        self._told.set()


def _error_message(error: TrioStreamError) -> ErrorMessage:
    return ErrorMessage(status=error.status, code=error.code, detail=str(error))


async def _send_json(message: Struct, *, tell: bool) -> None:
    if tell:
        await websocket.send(encode(message).decode())


async def _close(
    code: int, error: TrioStreamError | None = None, *, reason: str = "", tell: bool = False
) -> None:
    if error is not None:
        await _send_json(_error_message(error), tell=tell)
        reason = str(error)
    await websocket.close(code, reason[:LONGEST_REASON])
