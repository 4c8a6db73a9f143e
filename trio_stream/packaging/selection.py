"""Which tracks of an MP4 file are packaged, and why the others are left out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from trio_stream.media.formats.track_choice import (
    ONE_VIDEO_TRACK,
    STILL_IMAGES,
    AudioTraits,
    VideoTraits,
    main_video,
)
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.edits.extent import end_of, placed_tracks
from trio_stream.mp4.edits.rearranging import leave_out
from trio_stream.mp4.edits.timeline import PresentsNothing, Protected, Timeline, Unsupported, place
from trio_stream.mp4.reading.descriptions import Described, Description, within
from trio_stream.mp4.reading.movie import Movie, Track
from trio_stream.mp4.reading.sample_entry import ENCRYPTED, SampleEntry
from trio_stream.mp4.reading.tables import SampleTable
from trio_stream.mp4.writing.heads import SHORT
from trio_stream.packaging.coding import VIDEO, as_browsers_know, codec_of, codec_string, is_remuxed, why_not
from trio_stream.packaging.presentation import Omission, Reason

MOST_SOUNDS = 32

LONGEST = 4 * 24 * 3600
"""Seconds of a presentation: what has no end would have no end of segments."""

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


type Because = tuple[Reason, str]
"""Why something is left out: for programs, and in a sentence for people."""

_SURPLUS: dict[str, Because] = {
    "vide": ("second-video", ONE_VIDEO_TRACK),
    "soun": ("other", f"more than {MOST_SOUNDS} tracks of sound are not offered"),
}
"""Why a track is left out that could be packaged."""


@dataclass(frozen=True, slots=True)
class PackagedTrack:
    """A track with what is needed to make its segments."""

    track: Track
    samples: SampleTable
    timeline: Timeline

    @property
    def codings(self) -> Sequence[Description]:
        """How it is coded, in the order in which each coding comes first: there is an init segment for each."""
        return list({each.description.box: each.description for each in self.track.described}.values())

    def coded(self, number: int) -> "PackagedTrack":
        """The track as if all of it were coded in the way of that number. Raises `LookupError`."""
        described = (Described(0, self.codings[number]),)
        return replace(self, track=replace(self.track, described=described))

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


def packaged_tracks(movie: Movie) -> list[PackagedTrack]:
    """The tracks that are packaged, the pictures first: one with pictures and all that sound, the one to begin with
    first.

    Raises `Unsupported`, with the reason, where there is none, or one that cannot be placed in time.
    """
    for track in movie.tracks:
        if track.samples.count and _is_remuxed(track):
            raise Unsupported("moov/trak", f"{_coding_refused(track)[1]} as they lie in the file")
    movie = replace(movie, tracks=tuple(map(_packaged_part, movie.tracks)))
    playable = [track for track in movie.tracks if _unpackaged(track) is None and track.samples.count]
    audio = [track for track in playable if track.handler == "soun"]
    audio.sort(key=lambda track: AudioTraits(track.enabled, bool(track.roles & _SECONDARY)).rank)
    if not playable:
        nothing = Unsupported("moov", "there is neither a picture nor a sound in it")
        raise next((_refusal(track) for track in movie.tracks), nothing)
    pictures = (track for track in movie.tracks if track.handler == "vide" and track.samples.count)
    film = main_video(pictures, _video_traits, has_audio=bool(audio))
    if film is not None and _unpackaged(film) is not None:
        raise _refusal(film)
    tracks = [*((film,) if film is not None else ()), *audio[:MOST_SOUNDS]]
    return _ending_together([_described(PackagedTrack(*placed)) for placed in placed_tracks(movie, tracks)])


def _ending_together(tracks: Sequence[PackagedTrack]) -> list[PackagedTrack]:
    """The last sample of a track that ends before another lasts until that one does: the picture stands, the sound is
    silent.

    So it is when the file is played; but players of segments take the end of one track for that of all, or wait there
    for more of it.
    """
    # No sample is added, and none is presented at another time.
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
    parts = tuple(
        _omission(track, _part_refused(track, part))
        for track in movie.tracks
        if track.id in packaged
        for part in _unpackaged_parts(track)
    )
    return parts + tuple(
        _omission(track, _refused(track, movie))
        for track in movie.tracks
        if track.id not in packaged and track.samples.count
    )


def _omission(track: Track, because: Because) -> Omission:
    code, reason = because
    return Omission(
        kind="video" if track.handler == "vide" else "audio",
        track=track.id,
        codec=track.entry.kind.strip(),
        reason=reason,
        language=track.language,
        label=label_of(track),
        code=code,
    )


def _refused(track: Track, movie: Movie) -> Because:
    """Why a track is left out: for its coding, for its edit list, or because others are played."""
    if _unpackaged(track) is not None:
        return _coding_refused(track)
    try:
        place(track, movie.timescale, fragmented=movie.fragmented)
    except PresentsNothing:
        return "other", "its edit list presents nothing of the track"
    except Malformed as error:
        return "other", str(error)
    return _SURPLUS[track.handler]


def _refusal(track: Track) -> Unsupported:
    code, reason = _coding_refused(track)
    return (Protected if code == "encrypted" else Unsupported)("moov", reason)


def _is_remuxed(track: Track) -> bool:
    """Whether FFmpeg can carry a track that cannot be packaged as it lies: what its entry lacks is in its samples."""
    samples = track.samples
    if (
        track.handler == "soun"
        and samples.sizes == samples.durations.constant == 1
        and track.timescale > 1000
    ):
        return True  # an old QuickTime movie, which counts samples of sound and not packets
    return is_remuxed(track.entry)


def _is_packaged(described: Described, track: Track) -> bool:
    """Whether its samples are: they are of the codec of the first one, which players keep to, as FFmpeg does."""
    entry = described.description.entry
    if described.first and (is_remuxed(entry) or codec_of(entry) != codec_of(track.entry)):
        return False
    return codec_string(entry, track.handler) is not None


def _unpackaged(track: Track) -> Described | None:
    """From where on it is coded in a way that is not packaged; None if all of it is."""
    return next((each for each in track.described if not _is_packaged(each, track)), None)


def _unpackaged_parts(track: Track) -> list[tuple[Described, range]]:
    """The samples that are coded in a way that is not packaged, and how."""
    bounds = [*(each.first for each in track.described), track.samples.count]
    return [
        (each, range(first, stop))
        for each, (first, stop) in zip(track.described, pairwise(bounds), strict=True)
        if not _is_packaged(each, track)
    ]


def _packaged_part(track: Track) -> Track:
    """The track without what is coded in a way that is not packaged, unless that is how it begins."""
    if len(track.described) == 1 or not _is_packaged(track.described[0], track):
        return track
    parts = [samples for _, samples in _unpackaged_parts(track)]
    return leave_out(track, parts) if parts else track


def _part_refused(track: Track, part: tuple[Described, range]) -> Because:
    """Why a part of a track is left out, and from when to when."""
    described, samples = part
    times = (track.samples.durations.time(each) for each in (samples.start, samples.stop))
    begin, end = (time / track.timescale for time in times)
    entry = described.description.entry
    code, reason = _entry_refused(entry, track.handler)
    if code != "encrypted" and codec_string(entry, track.handler) is not None:
        reason = f"it is of another codec there ({entry.kind.strip()}), and players keep to one"
    return code, f"from {begin:.1f} to {end:.1f} s: {reason}"


def _coding_refused(track: Track) -> Because:
    """Why the coding of a track is not packaged."""
    found = _unpackaged(track) or track.described[0]
    code, reason = _entry_refused(found.description.entry, track.handler)
    return code, STILL_IMAGES if track.handler == "vide" and _video_traits(track).is_still else reason


def _entry_refused(entry: SampleEntry, handler: str) -> Because:
    """Why what is coded in that way is not packaged."""
    return "encrypted" if entry.kind in ENCRYPTED else "codec", why_not(entry, handler)


def _described(packaged: PackagedTrack) -> PackagedTrack:
    """The track with the descriptions of what is presented, as browsers know them."""
    track = packaged.track
    described = tuple(
        replace(each, description=as_browsers_know(each.description))
        for each in within(track.described, packaged.timeline.first, packaged.samples.count)
    )
    return replace(packaged, track=replace(track, described=described))


def _video_traits(track: Track) -> VideoTraits:
    """What is to be known of it in order to choose."""
    kind, samples = track.entry.kind, track.samples
    codec = VIDEO[kind][0] if codec_string(track.entry, "vide") is not None else _IMAGES.get(kind, kind)
    return VideoTraits(
        codec=_IMAGE_TYPES.get(track.entry.object_type, codec) if kind == "mp4v" else codec,
        default=track.enabled,
        rate=Fraction(samples.count * track.timescale, samples.end) if samples.end else None,
        count=samples.count,
    )


def label_of(track: Track) -> str | None:
    """What the file calls a track; None for what programs write in place of a name."""
    return None if track.name.lower().startswith(_NAMELESS) else track.name or None
