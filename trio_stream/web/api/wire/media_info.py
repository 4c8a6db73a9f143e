"""What is in a file, as the API says it: `media/formats/media_info.py` has the same, and what it means."""

from typing import Annotated, Literal

from msgspec import Meta

from trio_stream.web.api.wire.parts import Fraction, Language, Number, Shape, Whole, says

type Codec = Annotated[str, says("As FFmpeg names it.", "h264")]
type CodecString = Annotated[
    Annotated[str, Meta(examples=["avc1.64001f"])] | None, says("As browsers know it (RFC 6381).")
]
type Profile = Annotated[str | None, says("The profile of the codec.")]
type Index = Annotated[Whole, says("The number of the track in the file.")]
type Title = Annotated[str | None, says("What the file calls it.")]
type BitRate = Annotated[Whole | None, says("Bits a second.")]
type Default = Annotated[bool, says("Whether the file flags it as the default.")]
type Forced = Annotated[bool, says("For what is foreign in the film only.")]
type HearingImpaired = Annotated[bool, says("With sounds described.")]
type Colour = Annotated[Annotated[str, Meta(examples=["bt709"])] | None, says("As in ITU-T H.273.")]


class VideoTrack(Shape, frozen=True, kw_only=True):
    """A track of pictures."""

    index: Index
    codec: Codec
    codec_string: CodecString
    profile: Profile
    width: Annotated[Whole, says("Pixels as they are stored.")]
    height: Annotated[Whole, says("Pixels as they are stored.")]
    pixel_aspect: Annotated[Fraction, says("Width of a pixel over its height.")]
    rotation: Annotated[
        Whole, says("Degrees a player turns it clockwise, once it is mirrored where the file says so.")
    ]
    frame_rate: Annotated[Fraction | None, says("Pictures a second in the mean.")]
    variable_frame_rate: Annotated[bool, says("Whether they come unevenly.")]
    pixel_format: Annotated[Annotated[str, Meta(examples=["yuv420p"])] | None, says("As FFmpeg names it.")]
    bit_depth: Annotated[Whole | None, says("Bits of a sample.")]
    transfer: Colour
    primaries: Colour
    hdr: Annotated[Literal["HDR10", "HLG", "Dolby Vision"] | None, says("High dynamic range.")]
    bit_rate: BitRate
    language: Language
    title: Title
    default: Default


class AudioTrack(Shape, frozen=True, kw_only=True):
    """A track of sound."""

    index: Index
    codec: Codec
    codec_string: CodecString
    profile: Profile
    channels: Annotated[Whole, says("How many.")]
    layout: Annotated[Annotated[str, Meta(examples=["stereo", "5.1(side)"])] | None, says("Their places.")]
    sample_rate: Annotated[Whole, says("Hz.")]
    bit_rate: BitRate
    language: Language
    title: Title
    default: Default


class SubtitleTrack(Shape, frozen=True, kw_only=True):
    """A track of subtitles."""

    index: Index
    codec: Codec
    text: Annotated[bool, says("Words; otherwise they are pictures.")]
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
    """Where decoding can begin."""

    track: Annotated[Whole, says("The number of the track.")]
    count: Annotated[Whole, says("How many places are known.")]
    until: Annotated[Number | None, says("Seconds up to which they are known; null: to the end.")]


class MediaInfo(Shape, frozen=True, kw_only=True):
    """What is in a file."""

    container: Annotated[str, says("A short name.", "mp4", "matroska", "webm", "mpegts")]
    duration: Annotated[Number | None, says("Seconds, of the whole film.")]
    start: Annotated[
        Number, says("Seconds that the clock in the file shows at the beginning; all else counts from 0.")
    ]
    until: Annotated[
        Number | None,
        says("Seconds up to which it is there, if its end is missing; null: nothing is known to be missing."),
    ]
    recoded: Annotated[
        bool,
        says(
            "Whether the coding of a track changes, as sample entries of an MP4 file say: browsers that play the file "
            "itself stop there."
        ),
    ]
    bit_rate: BitRate
    title: Title
    video: Annotated[list[VideoTrack], says("Its tracks of pictures, the one that is played first.")]
    audio: Annotated[list[AudioTrack], says("Its tracks of sound, the one to begin with first.")]
    subtitles: Annotated[list[SubtitleTrack], says("Its tracks of subtitles.")]
    chapters: Annotated[list[Chapter], says("In their order; none goes on behind the end.")]
    keyframes: Annotated[Keyframes | None, says("Where it can be cut; null if nobody knows.")]
    cover: Annotated[
        Whole | None,
        says("The number of a track of stills that is no film: a cover, or one for each chapter."),
    ]
