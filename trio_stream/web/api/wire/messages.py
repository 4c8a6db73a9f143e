"""The JSON text messages of the WebSocket protocol, and the query parameters of its address."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from trio_stream.http.problems import Code, Detail, Status
from trio_stream.web.api.wire.parts import Number, Query, Shape, Whole, says

LARGEST_MESSAGE = 256 * 1024
"""Maximum bytes in one binary message. For copies the limit is `LARGEST_COPY`, which is lower."""

LONGEST_OFFSET = 10**18 - 1
LONGEST_TIME = 10**9
"""Bytes and seconds, more than any file has."""


class BytesQuery(Query, frozen=True, kw_only=True):
    """The range of bytes to send."""

    start: Annotated[int, says("First byte to send.", 0, ge=0, le=LONGEST_OFFSET)] = 0
    end: Annotated[
        Annotated[int, Meta(ge=0, le=LONGEST_OFFSET)] | UnsetType,
        says("First byte after the last one to send; the default is the size."),
    ] = UNSET


class FragmentsQuery(Query, frozen=True, kw_only=True):
    """The parameters of a video that is sent as fragmented MP4."""

    format: Annotated[
        Literal["fmp4"] | UnsetType,
        says(
            "Send fragmented MP4 with the video track and one audio track, which a page can append to a source buffer "
            "as it arrives. Positions are times then; `start` and `end` are ignored."
        ),
    ] = UNSET
    time: Annotated[float, says("With `format`: seconds to start at.", ge=0, lt=LONGEST_TIME)] = 0.0
    audio: Annotated[
        str | UnsetType, says("With `format`: the name of the audio rendition, as in the playlist.")
    ] = UNSET


class About(Shape, frozen=True, kw_only=True):
    """The file of the video."""

    size: Annotated[Whole, says("The size of the file in bytes.")]
    content_type: Annotated[str, says("The media type of the file.")]
    etag: Annotated[str, says("The entity-tag of the file, the same as over HTTP.")]
    chunk_size: Annotated[Whole, says("The maximum size of a binary message in bytes.", LARGEST_MESSAGE)]


class StartMessage(About, frozen=True, kw_only=True, tag_field="type", tag="start"):
    """The binary messages that follow are the bytes from `offset`."""

    offset: Annotated[Whole, says("The first byte that follows.")]
    end: Annotated[Whole, says("The first byte after the last one that will be sent.")]


class EndMessage(Shape, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """All bytes have been sent; the close code 1000 follows."""

    offset: Annotated[Whole, says("The first byte after the last one that was sent.")]


class ErrorMessage(Shape, frozen=True, kw_only=True, tag_field="type", tag="error"):
    """A message from the client was invalid, or the stream failed. If it failed, a close code follows."""

    status: Status
    code: Code
    detail: Detail


class FragmentsStartMessage(About, frozen=True, kw_only=True, tag_field="type", tag="start"):
    """With `format=fmp4`: an init segment follows, then the segments from `segment`."""

    segment: Annotated[Whole, says("The number of the first segment that follows.")]
    segments: Annotated[Whole, says("The total number of segments.")]
    time: Annotated[Number, says("Seconds at which that segment starts.")]
    duration: Annotated[Number, says("The duration of the video in seconds.")]
    mime: Annotated[str, says("The MIME type for a source buffer.")]


class FragmentsEndMessage(Shape, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """With `format=fmp4`: all segments have been sent; the close code 1000 follows."""

    segment: Annotated[Whole, says("The total number of segments.")]


class FromClient(Struct, frozen=True, kw_only=True, tag_field="type"):
    """A message from a client; unknown members are ignored."""


class SeekMessage(FromClient, frozen=True, kw_only=True, tag="seek"):
    """Continue from another byte. A new `start` separates the bytes before the seek from those after it."""

    # A negative offset is out of range, which is a different error from an invalid message.
    offset: Annotated[
        int,
        Meta(description="A byte within the requested range.", extra_json_schema={"minimum": 0}),
    ]


class FragmentsSeekMessage(FromClient, frozen=True, kw_only=True, tag="seek"):
    """With `format=fmp4`: continue from another time, with a new `start`."""

    time: Annotated[float, says("Seconds from the beginning.", ge=0, lt=LONGEST_TIME)]


class PauseMessage(FromClient, frozen=True, kw_only=True, tag="pause"):
    """Stop sending until `resume`."""


class ResumeMessage(FromClient, frozen=True, kw_only=True, tag="resume"):
    """Continue sending."""


type Start = StartMessage | FragmentsStartMessage
type End = EndMessage | FragmentsEndMessage
type Command = PauseMessage | ResumeMessage | int
"""A command from the client. A seek is the position that its feed continues from."""
