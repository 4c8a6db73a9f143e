"""The bytes of a video over WebSocket.

Every client gets the bytes as binary messages in order, then the close code 1000. A client that requests the
subprotocol `trio-stream.v1` also gets JSON text messages, and may send some:

    <- {"type": "start", "offset", "end", "size", "content_type", "etag", "chunk_size"}   bytes from `offset` follow
    <- {"type": "end", "offset"}                                                          all bytes have been sent
    <- {"type": "error", "status", "code", "detail"}
    -> {"type": "seek", "offset": N}    {"type": "pause"}    {"type": "resume"}

With `?format=fmp4` the video is sent as fragmented MP4, and positions are times: see `feeds`.

After a seek a new `start` separates the bytes before it from those after it. A seek takes effect between two messages,
because cutting off a message in the middle would end the connection.
"""

from typing import assert_never

import trio
from msgspec import Struct
from quart import Blueprint, websocket

from trio_stream.accounts.grants import Verb
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
from trio_stream.web.api.feeds import EXPECTED, ByteFeed, Feed, FragmentFeed
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
MAX_MISTAKES = 32
"""Invalid messages after which a client is disconnected."""

LONGEST_REASON = 100
"""Characters in a close frame, which has room for 123 bytes (RFC 6455 section 5.5); our reasons are ASCII."""

# RFC 6455 section 7.4.1, and the registry of close codes (section 11.7).
NORMAL, GOING_AWAY, INTERNAL_ERROR, TRY_AGAIN_LATER = 1000, 1001, 1011, 1013


def parse_command(message: str | bytes, feed: Feed) -> Command:
    """Parse a client's message; a seek becomes the position that the feed continues from.

    Raises `BadRequest`, `RangeNotSatisfiable`.
    """
    if not isinstance(message, str):
        raise BadRequest(EXPECTED)
    try:
        value = decode(message)
    except (ValueError, RecursionError):
        raise BadRequest(EXPECTED) from None
    return feed.read(value)


@blueprint.websocket("/api/ws/stream/<video:name>")
@declares(
    Socket(
        tag=VIDEOS,
        summary="Stream a video over WebSocket",
        description=f"Every client gets the bytes as binary messages, in order, then the close code {NORMAL}. A client "
        f"that requests the subprotocol `{SUBPROTOCOL}` also gets JSON text messages, and may send some. Without it, "
        "messages from the client are ignored.\n\n"
        "A seek takes effect between two binary messages; a new `start` separates the bytes before it from those after "
        f"it. After {MAX_MISTAKES} invalid messages the client is disconnected.",
        verb=Verb.WATCH,
        path=VIDEO_BYTES.path,
        queries=(BytesQuery, FragmentsQuery),
        subprotocol=SUBPROTOCOL,
        from_server=(StartMessage, EndMessage, ErrorMessage, FragmentsStartMessage, FragmentsEndMessage),
        from_client=(SeekMessage, PauseMessage, ResumeMessage, FragmentsSeekMessage),
        closes={
            NORMAL: "All bytes have been sent.",
            GOING_AWAY: "The server ended the stream; the reason says why.",
            INTERNAL_ERROR: "The file changed or could not be read; the reason says which.",
            TRY_AGAIN_LATER: "The limit of streams is reached; try again later.",
        },
        raises=(
            FOREIGN,
            {
                BadRequest: "`start`, `end`, `time`, `format` or `audio` is invalid.",
                VideoNotFound: "There is no such video.",
                RangeNotSatisfiable: "`start` or `time` is after the end of the video.",
                Unpackageable: "The video cannot be sent in segments; the detail says why.",
                TooManyFiles: "Too many files are open, or the videos cannot be read; try again later.",
            },
        ),
        conversation=(
            ("server", '{"type": "start", "offset": 0, "end": 11665961, …}'),
            ("server", "binary: the first bytes, then the following ones"),
            ("client", '{"type": "seek", "offset": 8000000}'),
            ("server", '{"type": "start", "offset": 8000000, "end": 11665961, …}'),
            ("server", "binary: the bytes from 8,000,000 to the end"),
            ("server", '{"type": "end", "offset": 11665961}'),
            ("server", "close 1000"),
        ),
    )
)
async def stream_over_websocket(name: str) -> None:
    """Send the video, or its bytes from `start` to `end`; or send it as fragmented MP4."""
    name = requested_name(websocket.scope["raw_path"], b"/api/ws/stream/")
    video = await services().catalog.open(name)
    file = exchange().hold(video.file, video.status)
    feed = await _feed(file, video.revision)
    with_text = SUBPROTOCOL in websocket.requested_subprotocols
    await websocket.accept(subprotocol=SUBPROTOCOL if with_text else None)
    try:
        stream = exchange().admit(file, name=name, transport="websocket")
    except TooManyStreams as error:
        await _close(TRY_AGAIN_LATER, error, with_text=with_text)
        return
    session = Session(
        stream=stream,
        feed=feed,
        with_text=with_text,
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
    """The feed that the query requests. Raises `BadRequest`, `RangeNotSatisfiable`, `Unpackageable`."""
    match websocket.args.get("format"):
        case None:
            return ByteFeed.of(websocket.args, file.content.size)
        case "fmp4":
            index = await services().offers.index(file.fd, revision, file.content.size)
            return FragmentFeed.of(websocket.args, index)
        case _:
            raise BadRequest("format must be fmp4 or be left out")


class Session:
    """One viewer: the position in the `feed`, and whether it is paused."""

    def __init__(
        self,
        *,
        stream: Stream,
        feed: Feed,
        with_text: bool,
        about: About,
        delivery: Delivery,
    ) -> None:
        self._stream = stream
        self._feed = feed
        self._with_text = with_text
        self._about = about
        self._delivery = delivery
        self._paused = False
        self._seek_target: int | None = None
        self._command_received = trio.Event()
        self._sending = trio.CancelScope()

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
            complete = await self._play()
        except (SourceChanged, SourceUnreadable) as error:
            await _close(INTERNAL_ERROR, error, with_text=self._with_text)
            return
        if not complete:
            await _close(GOING_AWAY, reason=self._stream.reason or "")
            return
        if self._with_text:
            await _send_json(self._feed.end())
        await _close(NORMAL)
        self._stream.end(Ending.FINISHED)

    async def _play(self) -> bool:
        """Send from the start to the end, again after each seek; return whether the end was reached."""
        position = self._feed.first
        while True:
            if self._with_text:
                await _send_json(self._feed.start(position, self._about))
            complete = False
            with trio.CancelScope() as self._sending:
                for parts in self._feed.bodies(position):
                    complete = await self._stream.run(
                        parts, self._send, self._delivery, largest=LARGEST_MESSAGE
                    )
                    if not complete:
                        break
            if self._seek_target is None:
                return complete
            position, self._seek_target = self._seek_target, None

    async def _send(self, chunk: Chunk) -> None:
        while self._paused and self._seek_target is None:
            self._command_received = trio.Event()
            await self._command_received.wait()
            self._stream.file.check()  # the file may have changed during a long pause
        if self._seek_target is not None:
            self._sending.cancel()
            await trio.lowlevel.checkpoint()
        await websocket.send(chunk)  # type: ignore[arg-type] # a view: `server.asgi.websocket` accepts it

    async def _listen(self) -> None:
        mistakes = 0
        while True:
            message = await websocket.receive()
            if not self._with_text:
                continue  # messages of such a client are ignored
            try:
                self._execute(parse_command(message, self._feed))
            except TrioStreamError as error:
                await _send_json(_error_message(error))
                mistakes += 1
                if mistakes == MAX_MISTAKES:
                    self._stream.end(Ending.STOPPED, "too many invalid messages")
                    return

    def _execute(self, command: Command) -> None:
        match command:
            case PauseMessage() | ResumeMessage():
                self._paused = isinstance(command, PauseMessage)
            case int():
                self._seek_target = command
            case _:
                assert_never(command)
        self._command_received.set()


def _error_message(error: TrioStreamError) -> ErrorMessage:
    return ErrorMessage(status=error.status, code=error.code, detail=str(error))


async def _send_json(message: Struct) -> None:
    await websocket.send(encode(message).decode())


async def _close(
    code: int, error: TrioStreamError | None = None, *, reason: str = "", with_text: bool = False
) -> None:
    if error is not None:
        if with_text:
            await _send_json(_error_message(error))
        reason = str(error)
    await websocket.close(code, reason[:LONGEST_REASON])
