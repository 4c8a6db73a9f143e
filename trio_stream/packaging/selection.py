"""Which tracks of an MP4 file are packaged, and why the others are omitted."""

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
from trio_stream.packaging.coding import (
    VIDEO,
    codec_of,
    codec_string,
    is_remuxed,
    refusal_reason,
    with_supported_channels,
)
from trio_stream.packaging.presentation import Omission, Reason

MAX_AUDIO_TRACKS = 32

LONGEST = 4 * 24 * 3600
"""Maximum duration of a presentation, in seconds: it limits the number of segments."""

_IMAGES = {"jpeg": "mjpeg", "mjpa": "mjpeg", "mjpb": "mjpeg", "png ": "png"}
_IMAGE_TYPES = {0x6C: "mjpeg", 0x6D: "png"}
"""Image codecs, by sample entry and by the objectTypeIndication of `mp4v`."""

_SECONDARY = frozenset({"commentary", "description", "caption"})
"""DASH roles of audio tracks that are never the default; FFmpeg reads "caption" as "for the hard of hearing"."""

_PLACEHOLDERS = (
    "videohandler",
    "soundhandler",
    "audiohandler",
    "core media audio",
    "core media video",
    "iso media file",
)
"""What programs write in place of a track name."""


type CodedReason = tuple[Reason, str]
"""Why something is left out: as a code for programs, and as text for users."""

_SURPLUS: dict[str, CodedReason] = {
    "vide": ("second-video", ONE_VIDEO_TRACK),
    "soun": ("other", f"at most {MAX_AUDIO_TRACKS} audio tracks are offered"),
}
"""The reason for a track that could be packaged."""


@dataclass(frozen=True, slots=True)
class PackagedTrack:
    """A track with the data needed to build its segments."""

    track: Track
    samples: SampleTable
    timeline: Timeline

    @property
    def codings(self) -> Sequence[Description]:
        """Its distinct codings, in the order in which they first appear: each has an init segment."""
        return list({item.description.box: item.description for item in self.track.described}.values())

    def coded(self, number: int) -> "PackagedTrack":
        """The track as if all of it had the coding with that number. Raises `LookupError`."""
        described = (Described(0, self.codings[number]),)
        return replace(self, track=replace(self.track, described=described))

    @property
    def nbytes(self) -> int:
        """Approximate memory use, in bytes: with those tables of the file that were replaced in `samples`."""
        before, now = self.track.samples, self.samples
        replaced = (
            old
            for old, new in ((before.durations, now.durations), (before.compositions, now.compositions))
            if old is not None and old is not new
        )
        return self.track.nbytes + now.nbytes + sum(runs.nbytes for runs in replaced)


def packaged_tracks(movie: Movie) -> list[PackagedTrack]:
    """The tracks that are packaged: one video track, then all audio tracks, the default first.

    Raises `Unsupported`, with the reason, if there is none, or one whose edit list is not supported.
    """
    for track in movie.tracks:
        if track.samples.count and _is_remuxed(track):
            raise Unsupported("moov/trak", f"{_coding_reason(track)[1]} without remuxing")
    movie = replace(movie, tracks=tuple(map(_packaged_part, movie.tracks)))
    playable = [track for track in movie.tracks if _unpackaged(track) is None and track.samples.count]
    audio = [track for track in playable if track.handler == "soun"]
    audio.sort(key=lambda track: AudioTraits(track.enabled, bool(track.roles & _SECONDARY)).rank)
    if not playable:
        nothing = Unsupported("moov", "it has no video or audio track")
        raise next((_refusal(track) for track in movie.tracks), nothing)
    videos = (track for track in movie.tracks if track.handler == "vide" and track.samples.count)
    video = main_video(videos, _video_traits, has_audio=bool(audio))
    if video is not None and _unpackaged(video) is not None:
        raise _refusal(video)
    tracks = [*((video,) if video is not None else ()), *audio[:MAX_AUDIO_TRACKS]]
    return _end_together(
        [_with_presented_descriptions(PackagedTrack(*placed)) for placed in placed_tracks(movie, tracks)]
    )


def _end_together(tracks: Sequence[PackagedTrack]) -> list[PackagedTrack]:
    """Extends the last sample of each track to the end of the longest one: the last frame stays, the audio is silent.

    Direct play does the same; but players of segments take the end of one track for that of all, or wait there for more
    of it.
    """
    # No sample is added, and none is presented at another time.
    end = min(
        max(end_of(packaged.samples, packaged.timeline) / packaged.track.timescale for packaged in tracks),
        LONGEST,
    )
    return [_extended(packaged, round(end * packaged.track.timescale)) for packaged in tracks]


def _extended(packaged: PackagedTrack, end: int) -> PackagedTrack:
    """The track with its last sample extended to `end`, if it ends earlier and the duration fits."""
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
    """The video and audio tracks of `movie` that are not among `tracks`, each with the reason."""
    packaged = {packaged_track.track.id for packaged_track in tracks}
    parts = tuple(
        _omission(track, _part_reason(track, part))
        for track in movie.tracks
        if track.id in packaged
        for part in _unpackaged_parts(track)
    )
    return parts + tuple(
        _omission(track, _omission_reason(track, movie))
        for track in movie.tracks
        if track.id not in packaged and track.samples.count
    )


def _omission(track: Track, coded_reason: CodedReason) -> Omission:
    code, reason = coded_reason
    return Omission(
        kind="video" if track.handler == "vide" else "audio",
        track=track.id,
        codec=track.entry.kind.strip(),
        reason=reason,
        language=track.language,
        label=label_of(track),
        code=code,
    )


def _omission_reason(track: Track, movie: Movie) -> CodedReason:
    """Why a track is omitted: its codec, its edit list, or other tracks that are played."""
    if _unpackaged(track) is not None:
        return _coding_reason(track)
    try:
        place(track, movie.timescale, fragmented=movie.fragmented)
    except PresentsNothing:
        return "other", "its edit list presents no part of the track"
    except Malformed as error:
        return "other", str(error)
    return _SURPLUS[track.handler]


def _refusal(track: Track) -> Unsupported:
    code, reason = _coding_reason(track)
    return (Protected if code == "encrypted" else Unsupported)("moov", reason)


def _is_remuxed(track: Track) -> bool:
    """Whether FFmpeg can remux a track that cannot be packaged directly: what its entry lacks is in its samples."""
    samples = track.samples
    if (
        track.handler == "soun"
        and samples.sizes == samples.durations.constant == 1
        and track.timescale > 1000
    ):
        return True  # an old QuickTime movie, which counts single audio samples and not packets
    return is_remuxed(track.entry)


def _is_packaged(described: Described, track: Track) -> bool:
    """Whether these samples are packaged: they must have the codec of the first ones, as in players and FFmpeg."""
    entry = described.description.entry
    if described.first and (is_remuxed(entry) or codec_of(entry) != codec_of(track.entry)):
        return False
    return codec_string(entry, track.handler) is not None


def _unpackaged(track: Track) -> Described | None:
    """The first description that is not packaged; None if all are."""
    return next((item for item in track.described if not _is_packaged(item, track)), None)


def _unpackaged_parts(track: Track) -> list[tuple[Described, range]]:
    """The samples that are not packaged, and their descriptions."""
    bounds = [*(item.first for item in track.described), track.samples.count]
    return [
        (item, range(first, stop))
        for item, (first, stop) in zip(track.described, pairwise(bounds), strict=True)
        if not _is_packaged(item, track)
    ]


def _packaged_part(track: Track) -> Track:
    """The track without the samples that are not packaged, unless it begins with them."""
    if len(track.described) == 1 or not _is_packaged(track.described[0], track):
        return track
    parts = [samples for _, samples in _unpackaged_parts(track)]
    return leave_out(track, parts) if parts else track


def _part_reason(track: Track, part: tuple[Described, range]) -> CodedReason:
    """Why a part of a track is left out, with its time range."""
    described, samples = part
    times = (track.samples.durations.time(sample) for sample in (samples.start, samples.stop))
    begin, end = (time / track.timescale for time in times)
    entry = described.description.entry
    code, reason = _entry_reason(entry, track.handler)
    if code != "encrypted" and codec_string(entry, track.handler) is not None:
        reason = f"its codec changes there ({entry.kind.strip()}), and players support one codec per track"
    return code, f"from {begin:.1f} to {end:.1f} s: {reason}"


def _coding_reason(track: Track) -> CodedReason:
    """Why the coding of a track is not packaged."""
    found = _unpackaged(track) or track.described[0]
    code, reason = _entry_reason(found.description.entry, track.handler)
    return code, STILL_IMAGES if track.handler == "vide" and _video_traits(track).is_still else reason


def _entry_reason(entry: SampleEntry, handler: str) -> CodedReason:
    """Why a sample entry is not packaged."""
    return "encrypted" if entry.kind in ENCRYPTED else "codec", refusal_reason(entry, handler)


def _with_presented_descriptions(packaged: PackagedTrack) -> PackagedTrack:
    """The track with only the descriptions that are presented, in the form that browsers support."""
    track = packaged.track
    described = tuple(
        replace(item, description=with_supported_channels(item.description))
        for item in within(track.described, packaged.timeline.first, packaged.samples.count)
    )
    return replace(packaged, track=replace(track, described=described))


def _video_traits(track: Track) -> VideoTraits:
    """The properties by which a video track is chosen."""
    kind, samples = track.entry.kind, track.samples
    codec = VIDEO[kind][0] if codec_string(track.entry, "vide") is not None else _IMAGES.get(kind, kind)
    return VideoTraits(
        codec=_IMAGE_TYPES.get(track.entry.object_type, codec) if kind == "mp4v" else codec,
        default=track.enabled,
        rate=Fraction(samples.count * track.timescale, samples.end) if samples.end else None,
        count=samples.count,
    )


def label_of(track: Track) -> str | None:
    """The name of a track; None for placeholders that programs write."""
    return None if track.name.lower().startswith(_PLACEHOLDERS) else track.name or None
