"""An MP4 file -> its presentation: which tracks can be played, how they are called, and where they are cut.

The first segment of each track begins with the title, however late its first sample is presented: it is decoded then.

A playlist needs of the tables only the keyframes, their times, and sums of sizes; no sample is looked at by itself.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import accumulate, pairwise

from trio_stream.media.choosing import ARE_STILLS, Pictures, Sound, film_of
from trio_stream.media.codecs import HLG, PQ, Coding, audio_codec_string, video_codec_string
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.extent import end_of, placed_tracks
from trio_stream.mp4.heads import SHORT
from trio_stream.mp4.movie import Movie, Track
from trio_stream.mp4.sample_entry import ENCRYPTED, SampleEntry
from trio_stream.mp4.tables import SampleTable
from trio_stream.mp4.timeline import PresentsNothing, Protected, Timeline, Unsupported, place
from trio_stream.packaging.cutting import MOST_SEGMENTS, cut, cut_evenly, thin
from trio_stream.packaging.presentation import Omission, Presentation, Reason, Rendition, Segments

MOST_IN_SEGMENT = 1 << 16
"""Samples in one segment: the head of a fragment names each of them."""

MOST_SOUNDS = 32

LONGEST = 4 * 24 * 3600
"""Seconds of a presentation: what has no end would have no end of segments."""

MOST_KEYS = 10_000
"""Keyframes in the playlist for trick play, about; they are at least a second apart."""

TOGETHER = 64
"""Keyframes whose times are reckoned at once."""

HEAD = 160
PER_SAMPLE = 16
"""Bytes that the head of a segment takes at most, and for each sample."""

_VIDEO = {
    "avc1": ("h264", "avcC"), "avc3": ("h264", "avcC"), "hvc1": ("hevc", "hvcC"), "hev1": ("hevc", "hvcC"),
    "dvh1": ("hevc", "hvcC"), "dvhe": ("hevc", "hvcC"), "av01": ("av1", "av1C"), "vp09": ("vp9", "vpcC"),
}  # fmt: skip
"""Sample entries that are packaged: FFmpeg's name of the codec, and the box that configures it."""

_AUDIO = {
    "ac-3": ("ac3", "dac3"), "ec-3": ("eac3", "dec3"), "Opus": ("opus", "dOps"), "fLaC": ("flac", "dfLa"),
    "alac": ("alac", "alac"), "ac-4": ("ac4", "dac4"),
}  # fmt: skip
"""The same of sound that is not `mp4a`."""

_OTHERWISE = frozenset({"avc2", "avc4", "h264", "H264", "x264", "X264", "DAVC", "davc", "HEVC"})
"""Sample entries of codecs that are packaged under another name: such a file is remuxed."""

_REMUXED = frozenset({0x66, 0x68, 0xA5, 0xA6, 0xAD})
"""Object types of `mp4a` that are: AAC of MPEG-2, AC-3, E-AC-3, Opus (mp4ra.org)."""

_MP3 = frozenset({0x69, 0x6B})

_IMAGES = {"jpeg": "mjpeg", "mjpa": "mjpeg", "mjpb": "mjpeg", "png ": "png"}
_IMAGE_TYPES = {0x6C: "mjpeg", 0x6D: "png"}
"""Images, by their sample entry and by the objectTypeIndication of `mp4v`."""

_SECONDARY = frozenset({"commentary", "description", "caption"})
"""Roles of sounds that nobody begins with; FFmpeg takes "caption" for the hard of hearing."""

_NAMELESS = (
    "videohandler",
    "soundhandler",
    "audiohandler",
    "core media audio",
    "core media video",
    "iso media file",
)
"""What programs write where a name could stand."""


_SURPLUS = {
    "vide": "one track of pictures is played at a time",
    "soun": f"more than {MOST_SOUNDS} tracks of sound are not offered",
}
"""Why a track is left out whose codec is packaged."""


@dataclass(frozen=True, slots=True)
class PackagedTrack:
    """A track with what is needed to make its segments."""

    track: Track
    samples: SampleTable
    timeline: Timeline

    @property
    def nbytes(self) -> int:
        """Memory it takes, in bytes, within some: with those tables of the file that `samples` has others for."""
        before, now = self.track.samples, self.samples
        replaced = (
            was
            for was, is_ in ((before.durations, now.durations), (before.compositions, now.compositions))
            if was is not None and was is not is_
        )
        return self.track.nbytes + now.nbytes + sum(each.nbytes for each in replaced)


@dataclass(frozen=True, slots=True)
class Marks:
    """Where segments begin and the last one ends, in units of a timescale."""

    times: Sequence[int]
    timescale: int


def packaged_tracks(movie: Movie) -> list[PackagedTrack]:
    """The tracks that are packaged, the pictures first: one with pictures and all that sound, the one to begin with
    first.

    Raises `Unsupported`, with the reason, where there is none, or one that cannot be placed in time.
    """
    for track in movie.tracks:
        if track.samples.count and _is_remuxed(track):
            raise Unsupported("moov/trak", f"{_why(track)} as they lie in the file")
    playable = [track for track in movie.tracks if _codecs(track) is not None and track.samples.count]
    audio = [track for track in playable if track.handler == "soun"]
    audio.sort(key=lambda track: Sound(track.enabled, bool(track.roles & _SECONDARY)).rank)
    if not playable:
        nothing = Unsupported("moov", "there is neither a picture nor a sound in it")
        raise next((_refusal(track) for track in movie.tracks), nothing)
    pictures = (track for track in movie.tracks if track.handler == "vide" and track.samples.count)
    film = film_of(pictures, _pictures, with_sound=bool(audio))
    if film is not None and _codecs(film) is None:
        raise _refusal(film)
    tracks = [*((film,) if film is not None else ()), *audio[:MOST_SOUNDS]]
    return _ending_together([PackagedTrack(*placed) for placed in placed_tracks(movie, tracks)])


def _ending_together(tracks: Sequence[PackagedTrack]) -> list[PackagedTrack]:
    """The last sample of a track that ends before another lasts until that one does: the picture stands, the sound is
    silent.

    So it is when the file is played; but players of segments take the end of one track for that of all, or wait there
    for more of it.
    """
    end = min(max(end_of(each.samples, each.timeline) / each.track.timescale for each in tracks), LONGEST)
    return [_lasting(each, round(end * each.track.timescale)) for each in tracks]


def _lasting(packaged: PackagedTrack, end: int) -> PackagedTrack:
    """The track with a last sample that lasts until `end`, if it is short of that, and a duration can say so."""
    samples, timeline = packaged.samples, packaged.timeline
    if end - end_of(samples, timeline) <= SHORT * packaged.track.timescale:
        return packaged
    last = samples.count - 1
    duration = end - timeline.offset - samples.shown_at(last)
    if not 0 < duration < 1 << 32:
        return packaged
    return replace(
        packaged, samples=replace(samples, durations=samples.durations.lasting(last + 1, duration))
    )


def omitted_tracks(movie: Movie, tracks: Sequence[PackagedTrack]) -> tuple[Omission, ...]:
    """The tracks of `movie` that hold pictures or sound and are not among `tracks`, each with the reason."""
    packaged = {each.track.id for each in tracks}
    return tuple(
        Omission(
            kind="video" if track.handler == "vide" else "audio",
            track=track.id,
            codec=track.entry.kind.strip(),
            reason=_why_not(track, movie),
            language=track.language,
            label=_label(track),
            code=_code(track),
        )
        for track in movie.tracks
        if track.id not in packaged and track.samples.count
    )


def _why_not(track: Track, movie: Movie) -> str:
    """Why a track is left out."""
    if _codecs(track) is None:
        return _why(track)
    try:
        place(track, movie.timescale, fragmented=movie.fragmented)
    except PresentsNothing:
        return "its edit list presents nothing of the track"
    except Malformed as error:
        return str(error)
    return _SURPLUS[track.handler]


def present(tracks: Sequence[PackagedTrack], omitted: tuple[Omission, ...] = ()) -> Presentation:
    """What manifests say of them, and of what is left out. Raises `Malformed`."""
    renditions: list[Rendition] = []
    marks: Marks | None = None
    for each in tracks:
        if end_of(each.samples, each.timeline) > LONGEST * each.track.timescale:
            raise Unsupported("moov/trak", f"it lasts longer than {LONGEST // 3600} hours")
        if each.track.handler == "vide":
            rendition = _video(each)
            marks = Marks(rendition.segments.starts, rendition.timescale)
        else:
            marks = marks or _even_marks(each)
            rendition = _audio(each, marks, default=not any(other.kind == "audio" for other in renditions))
        if max(after - before for before, after in pairwise(rendition.segments.samples)) > MOST_IN_SEGMENT:
            raise Unsupported(
                "moov/trak", f"there are more than {MOST_IN_SEGMENT} samples between two keyframes"
            )
        renditions.append(rendition)
        if sum(len(other.segments) for other in renditions) > MOST_SEGMENTS:
            raise Unsupported("moov", f"there would be more than {MOST_SEGMENTS} segments")
    return Presentation(tuple(renditions), omitted=omitted)


def _refusal(track: Track) -> Unsupported:
    return (Protected if track.entry.kind in ENCRYPTED else Unsupported)("moov", _why(track))


def _is_remuxed(track: Track) -> bool:
    """Whether FFmpeg can carry a track that cannot be packaged as it lies: what its entry lacks is in its samples."""
    entry, samples = track.entry, track.samples
    if (
        track.handler == "soun"
        and samples.sizes == samples.durations.constant == 1
        and track.timescale > 1000
    ):
        return True  # an old QuickTime movie, which counts samples of sound and not packets
    if entry.kind == "mp4a":
        return entry.object_type in _REMUXED
    if entry.kind in _AUDIO:
        return _AUDIO[entry.kind][1] not in entry.boxes
    return entry.kind in _OTHERWISE


def _why(track: Track) -> str:
    """Why its codec is not packaged."""
    kind = track.entry.kind
    if kind in ENCRYPTED:
        return "it is encrypted"
    what = "pictures" if track.handler == "vide" else "sound"
    if track.handler == "vide" and _pictures(track).still:
        return ARE_STILLS
    return f"its {what} ({kind.strip()}) cannot be sent in fragments"


def _code(track: Track) -> Reason:
    """Why it is left out, for programs."""
    if _codecs(track) is None:
        return "encrypted" if track.entry.kind in ENCRYPTED else "codec"
    return "second-video" if track.handler == "vide" else "other"


def _pictures(track: Track) -> Pictures:
    """What is to be known of it in order to choose."""
    kind, samples = track.entry.kind, track.samples
    codec = _VIDEO[kind][0] if _codecs(track) is not None else _IMAGES.get(kind, kind)
    return Pictures(
        codec=_IMAGE_TYPES.get(track.entry.object_type, codec) if kind == "mp4v" else codec,
        default=track.enabled,
        rate=Fraction(samples.count * track.timescale, samples.end) if samples.end else None,
        count=samples.count,
    )


def _codecs(track: Track) -> str | None:
    """The name of its codec in manifests; None where it is not packaged."""
    entry = track.entry
    if track.handler == "vide" and entry.kind in _VIDEO:
        if (dolby := _dolby_vision(entry)) is not None:
            return dolby
        codec, box = _VIDEO[entry.kind]
        config = entry.boxes.get(box, b"")
        primaries, transfer, matrix, full = entry.colours
        return (
            _vp9(config)
            if codec == "vp9"
            else video_codec_string(
                Coding(
                    codec,
                    entry.kind,
                    extradata=config,
                    primaries=primaries,
                    transfer=transfer,
                    matrix=matrix,
                    full_range=full,
                )
            )
        )
    if track.handler == "soun":
        if entry.kind == "mp4a":
            if entry.object_type in _MP3:
                return f"mp4a.{entry.object_type:2X}"
            return (
                audio_codec_string("aac", extradata=entry.config)
                if entry.object_type in (0x40, 0x67)
                else None
            )
        if entry.kind in _AUDIO:
            return entry.kind if entry.kind in ("fLaC", "Opus") else audio_codec_string(_AUDIO[entry.kind][0])
    return None


def _dolby_vision(entry: SampleEntry) -> str | None:
    """The name of what a sample entry of Dolby's own holds, in bits: two bytes of version, profile (7), level (6)
    ("Dolby Vision Streams Within the ISO Base Media File Format"). Where the entry is another, so is the name."""
    config = entry.boxes.get("dvcC") or entry.boxes.get("dvvC") or b""
    if entry.kind not in ("dvh1", "dvhe") or len(config) < 4:
        return None
    said = int.from_bytes(config[2:4], "big")
    return f"{entry.kind}.{said >> 9:02}.{said >> 3 & 0x3F:02}"


def _vp9(config: bytes) -> str | None:
    """VPCodecConfigurationRecord behind version and flags: profile, level, four bits of depth."""
    if len(config) < 7:
        return None
    return f"vp09.{config[4]:02}.{config[5]:02}.{config[6] >> 4:02}"


def _video(packaged: PackagedTrack) -> Rendition:
    track, samples, timeline = packaged.track, packaged.samples, packaged.timeline
    keys = samples.sync_within(timeline.first, samples.count)
    if not len(keys) or keys[0] != timeline.first:
        keys = array("I", (timeline.first,)) + array("I", keys)  # nothing comes before it that it could need
    scale = track.timescale
    times = _KeyTimes(packaged, keys)
    end = end_of(samples, timeline)
    is_open = cache(lambda number: samples.has_leading(keys[number]))
    chosen = cut(times, end / scale, is_open=is_open)
    firsts = [keys[number] for number in chosen]
    bounds = [*firsts, samples.count]
    starts = [
        max(0, samples.earliest(first, stop) + timeline.offset) if is_open(number) else times.exactly(number)
        for number, first, stop in zip(chosen, firsts, bounds[1:], strict=True)
    ]
    starts[0] = 0
    shown = thin(times, max(1.0, end / scale / MOST_KEYS), MOST_KEYS + 1)
    whole = track.samples  # whose last picture lasts no longer than it does in the file
    rate = Fraction(whole.count * scale, whole.end) if whole.end else None
    width, height = _shown_size(track)
    _, transfer, _, _ = track.entry.colours
    return Rendition(
        name=f"v{track.id}",
        kind="video",
        track=track.id,
        codecs=_codecs(track) or "",
        timescale=scale,
        segments=_segments(samples, [*starts, end], bounds),
        default=True,
        width=width,
        height=height,
        pixel_aspect=track.entry.pixel_aspect,
        frame_rate=_plausible(rate),
        video_range="PQ" if transfer == PQ else "HLG" if transfer == HLG else "SDR",
        keys=_keys(samples, [keys[each] for each in shown], [0, *map(times.exactly, shown[1:]), end]),
        independent=not any(map(is_open, chosen)),
    )


class _KeyTimes:
    """When keyframes are presented: in seconds, or exactly. Each is reckoned once, with those beside it, and of the
    hundred thousand of a film of keyframes alone only those that lie near to a cut."""

    def __init__(self, packaged: PackagedTrack, keys: Sequence[int]) -> None:
        self._samples = packaged.samples
        self._offset = packaged.timeline.offset
        self._timescale = packaged.track.timescale
        self._keys = keys
        self._known: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, number: int) -> float:
        known = self._known.get(number // TOGETHER) or self._reckon(number // TOGETHER)
        return known[number % TOGETHER] / self._timescale  # of each film, some ten thousand times

    def exactly(self, number: int) -> int:
        """In units of the timescale."""
        known = self._known.get(number // TOGETHER) or self._reckon(number // TOGETHER)
        return known[number % TOGETHER]

    def _reckon(self, block: int) -> list[int]:
        shown = self._samples.all_shown_at(self._keys[block * TOGETHER : (block + 1) * TOGETHER])
        found = self._known[block] = [max(0, time + self._offset) for time in shown]
        return found


def _plausible(rate: Fraction | None) -> Fraction | None:
    """The rate that was meant: whole, or of NTSC, if it is that within a thousandth."""
    if rate is None or not 0 < rate < 1000:
        return None
    for exact in (Fraction(round(rate)), Fraction(round(rate * 1001 / 1000) * 1000, 1001)):
        if exact and abs(rate - exact) < exact / 2000:
            return exact
    return rate.limit_denominator(1001)


def _shown_size(track: Track) -> tuple[int, int]:
    """Width and height in square pixels, turned as the file says."""
    width, height = max(1, round(track.entry.width * track.entry.pixel_aspect)), track.entry.height
    return (height, width) if track.rotated and _quarter(track) else (width, height)


def _quarter(track: Track) -> bool:
    """Whether the matrix of `tkhd` turns by a quarter: what goes across goes down."""
    at = 8 + 4 + (32 if track.header[8] else 20) + 16
    return track.header[at : at + 4] == bytes(4)


def _keys(samples: SampleTable, keys: Sequence[int], starts: Sequence[int]) -> Segments:
    sizes = [HEAD + PER_SAMPLE + samples.bytes_of(key, key + 1) for key in keys]
    return Segments(_forwards(starts), array("q", (*keys, samples.count)), array("q", sizes))


def _audio(packaged: PackagedTrack, marks: Marks, *, default: bool) -> Rendition:
    track, samples, timeline = packaged.track, packaged.samples, packaged.timeline
    scale, offset = track.timescale, timeline.offset
    firsts = [timeline.first]
    for mark in marks.times[1:-1]:  # what goes on for a moment behind the pictures is no segment
        sample = samples.durations.at(mark * scale // marks.timescale - offset)
        if firsts[-1] < sample < samples.count:
            firsts.append(sample)
    last = samples.durations.time(firsts[-1]) + offset
    end = end_of(samples, timeline)
    later = cut_evenly(last / scale, end / scale)[1:] if end - last > 12 * scale else []
    for time in later:  # it goes on when the pictures have ended
        sample = samples.durations.at(round(time * scale) - offset)
        if firsts[-1] < sample < samples.count:
            firsts.append(sample)
    bounds = [*firsts, samples.count]
    starts = [0, *(max(0, samples.durations.time(each) + offset) for each in firsts[1:])]
    return Rendition(
        name=f"a{track.id}",
        kind="audio",
        track=track.id,
        codecs=_codecs(track) or "",
        timescale=scale,
        segments=_segments(samples, [*starts, end], bounds),
        language=track.language,
        label=_label(track),
        default=default,
        channels=track.entry.channels_heard,
        sample_rate=track.entry.rate or track.timescale,
    )


def _label(track: Track) -> str | None:
    return None if track.name.lower().startswith(_NAMELESS) else track.name or None


def _even_marks(packaged: PackagedTrack) -> Marks:
    scale, timeline = packaged.track.timescale, packaged.timeline
    end = end_of(packaged.samples, timeline)
    times = cut_evenly(max(0, timeline.offset) / scale, end / scale)
    return Marks([*(round(time * scale) for time in times), end], scale)


def _segments(samples: SampleTable, starts: Sequence[int], bounds: Sequence[int]) -> Segments:
    sizes = [
        HEAD + PER_SAMPLE * (stop - first) + samples.bytes_of(first, stop) for first, stop in pairwise(bounds)
    ]
    return Segments(_forwards(starts), array("q", bounds), array("q", sizes))


def _forwards(times: Iterable[int]) -> "array[int]":
    """No time before the one before it, whatever a file says."""
    return array("q", accumulate(times, max))
