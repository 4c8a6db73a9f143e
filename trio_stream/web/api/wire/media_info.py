"""The media info of a file in the API. `media/formats/media_info.py` has the same members and documents them."""

from typing import Annotated, Literal

from msgspec import Meta

from trio_stream.web.api.wire.parts import Fraction, Language, Number, Shape, Whole, says

type Codec = Annotated[str, says("The name in FFmpeg.", "h264")]
type CodecString = Annotated[
    Annotated[str, Meta(examples=["avc1.64001f"])] | None, says("The name for browsers (RFC 6381).")
]
type Profile = Annotated[str | None, says("The profile of the codec.")]
type Index = Annotated[Whole, says("The number of the track in the file.")]
type Title = Annotated[str | None, says("The title in the file.")]
type BitRate = Annotated[Whole | None, says("Bits per second.")]
type Default = Annotated[bool, says("Whether the file marks it as the default.")]
type Forced = Annotated[bool, says("Whether it covers only foreign-language parts.")]
type HearingImpaired = Annotated[bool, says("Whether it also describes sounds.")]
type Colour = Annotated[Annotated[str, Meta(examples=["bt709"])] | None, says("The name in ITU-T H.273.")]


class VideoTrack(Shape, frozen=True, kw_only=True):
    """A video track."""

    index: Index
    codec: Codec
    codec_string: CodecString
    profile: Profile
    width: Annotated[Whole, says("Pixels, as stored.")]
    height: Annotated[Whole, says("Pixels, as stored.")]
    pixel_aspect: Annotated[Fraction, says("Width of a pixel divided by its height.")]
    rotation: Annotated[
        Whole,
        says(
            "Degrees by which a player turns the frames clockwise, after mirroring them if the file says so."
        ),
    ]
    frame_rate: Annotated[Fraction | None, says("Frames per second, on average.")]
    variable_frame_rate: Annotated[bool, says("Whether the frame rate varies.")]
    pixel_format: Annotated[Annotated[str, Meta(examples=["yuv420p"])] | None, says("The name in FFmpeg.")]
    bit_depth: Annotated[Whole | None, says("Bits per sample.")]
    transfer: Colour
    primaries: Colour
    hdr: Annotated[Literal["HDR10", "HLG", "Dolby Vision"] | None, says("The kind of high dynamic range.")]
    bit_rate: BitRate
    language: Language
    title: Title
    default: Default


class AudioTrack(Shape, frozen=True, kw_only=True):
    """An audio track."""

    index: Index
    codec: Codec
    codec_string: CodecString
    profile: Profile
    channels: Annotated[Whole, says("Number of channels.")]
    layout: Annotated[
        Annotated[str, Meta(examples=["stereo", "5.1(side)"])] | None, says("The channel layout.")
    ]
    sample_rate: Annotated[Whole, says("Hz.")]
    bit_rate: BitRate
    language: Language
    title: Title
    default: Default


class SubtitleTrack(Shape, frozen=True, kw_only=True):
    """A subtitle track."""

    index: Index
    codec: Codec
    text: Annotated[bool, says("Whether the subtitles are text; otherwise they are images.")]
    language: Language
    title: Title
    forced: Forced
    hearing_impaired: HearingImpaired
    default: Default


class Chapter(Shape, frozen=True, kw_only=True):
    """A chapter."""

    start: Annotated[Number, says("Seconds.")]
    end: Annotated[Number, says("Seconds.")]
    title: Title


class Keyframes(Shape, frozen=True, kw_only=True):
    """The keyframes of a track."""

    track: Annotated[Whole, says("The number of the track.")]
    count: Annotated[Whole, says("How many keyframes are recorded.")]
    until: Annotated[Number | None, says("Seconds up to which they are recorded; null: to the end.")]


class MediaInfo(Shape, frozen=True, kw_only=True):
    """The media info of a file."""

    container: Annotated[str, says("A short name.", "mp4", "matroska", "webm", "mpegts")]
    duration: Annotated[Number | None, says("Seconds, of the whole video.")]
    start: Annotated[
        Number, says("The first timestamp in the file, in seconds; all other times count from 0.")
    ]
    until: Annotated[
        Number | None,
        says(
            "Seconds up to which the file has data, if its end is missing; null if nothing seems to be missing."
        ),
    ]
    recoded: Annotated[
        bool,
        says(
            "Whether the codec configuration of a track changes, according to the sample entries of an MP4 file. "
            "Browsers that play the file directly stop there."
        ),
    ]
    bit_rate: BitRate
    title: Title
    video: Annotated[list[VideoTrack], says("The video tracks; the first one is played.")]
    audio: Annotated[list[AudioTrack], says("The audio tracks; the first one is the default.")]
    subtitles: Annotated[list[SubtitleTrack], says("The subtitle tracks.")]
    chapters: Annotated[list[Chapter], says("In order; no chapter extends beyond the end.")]
    keyframes: Annotated[Keyframes | None, says("Where it can be cut; null if that is unknown.")]
    cover: Annotated[
        Whole | None,
        says(
            "The number of a track of images that are not part of the video: a cover, or one for each chapter."
        ),
    ]
