"""The JSON text messages of the WebSocket protocol, and what its address may ask for."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from trio_stream.http.problems import Code, Detail, Status
from trio_stream.web.api.wire.parts import Number, Query, Shape, Whole, says

LARGEST_MESSAGE = 256 * 1024
"""Bytes in one binary message at most; where they are copies, `LARGEST_COPY` is less."""

LONGEST_OFFSET = 10**18 - 1
LONGEST_TIME = 10**9
"""Bytes and seconds, of which no file has so many."""


class BytesQuery(Query, frozen=True, kw_only=True):
    """The bytes of a file that are sent."""

    start: Annotated[int, says("First byte to send.", 0, ge=0, le=LONGEST_OFFSET)] = 0
    end: Annotated[
        Annotated[int, Meta(ge=0, le=LONGEST_OFFSET)] | UnsetType,
        says("First byte not to send; the size if left out."),
    ] = UNSET


class FragmentsQuery(Query, frozen=True, kw_only=True):
    """From where a film is sent as fragmented MP4, and with which sound."""

    format: Annotated[
        Literal["fmp4"] | UnsetType,
        says(
            "Send the film as fragmented MP4, the pictures and one sound: what a page can append as it comes. Places "
            "in it are times; `start` and `end` mean nothing then."
        ),
    ] = UNSET
    time: Annotated[float, says("With `format`: seconds to begin at.", ge=0, lt=LONGEST_TIME)] = 0.0
    audio: Annotated[str | UnsetType, says("With `format`: the rendition of sound, as in the playlist.")] = (
        UNSET
    )


class About(Shape, frozen=True, kw_only=True):
    """The file of the video."""

    size: Annotated[Whole, says("Bytes of the whole video, of whose file all is made that is sent.")]
    content_type: Annotated[str, says("The media type of the file.")]
    etag: Annotated[str, says("The entity-tag of the file, the one HTTP has too.")]
    chunk_size: Annotated[Whole, says("Bytes a binary message has at most.", LARGEST_MESSAGE)]


class StartMessage(About, frozen=True, kw_only=True, tag_field="type", tag="start"):
    """The binary messages from here on are the bytes from `offset`."""

    offset: Annotated[Whole, says("The first byte that follows.")]
    end: Annotated[Whole, says("The first byte that will not be sent any more.")]


class EndMessage(Shape, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """All bytes went; the close code 1000 follows."""

    offset: Annotated[Whole, says("Where they ended.")]


class ErrorMessage(Shape, frozen=True, kw_only=True, tag_field="type", tag="error"):
    """A message of yours had no meaning, or the stream failed; then a close code follows."""

    status: Status
    code: Code
    detail: Detail


class FragmentsStartMessage(About, frozen=True, kw_only=True, tag_field="type", tag="start"):
    """With `format=fmp4`: an init segment follows, then the segments from here on."""

    segment: Annotated[Whole, says("The number of the segment that follows.")]
    segments: Annotated[Whole, says("How many there are.")]
    time: Annotated[Number, says("Seconds at which it begins.")]
    duration: Annotated[Number, says("Seconds of the film.")]
    mime: Annotated[str, says("What a source buffer is asked for.")]


class FragmentsEndMessage(Shape, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """With `format=fmp4`: all segments went; the close code 1000 follows."""

    segment: Annotated[Whole, says("How many there are.")]


class FromClient(Struct, frozen=True, kw_only=True, tag_field="type"):
    """A message of a client; what else is in it is ignored."""


class SeekMessage(FromClient, frozen=True, kw_only=True, tag="seek"):
    """Go on from another byte. A new `start` divides the bytes before from those after it."""

    # One that is negative is a number that lies outside, and not a message without a meaning.
    offset: Annotated[
        int,
        Meta(description="A byte within the part that was asked for.", extra_json_schema={"minimum": 0}),
    ]


class FragmentsSeekMessage(FromClient, frozen=True, kw_only=True, tag="seek"):
    """With `format=fmp4`: go on from another time, with a new `start`."""

    time: Annotated[float, says("Seconds from the beginning.", ge=0, lt=LONGEST_TIME)]


class PauseMessage(FromClient, frozen=True, kw_only=True, tag="pause"):
    """Send nothing more for now."""


class ResumeMessage(FromClient, frozen=True, kw_only=True, tag="resume"):
    """Go on."""


type Start = StartMessage | FragmentsStartMessage
type End = EndMessage | FragmentsEndMessage
type Command = PauseMessage | ResumeMessage | int
"""What a client wants: of a seek, the position its feed goes on from."""
