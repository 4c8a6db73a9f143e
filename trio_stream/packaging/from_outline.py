"""A file that is not MP4 -> its presentation, from the outline that a remuxing job returns.

Another job builds its segments, with the parameters in the rendition (`Rendition.carriage`); boundaries are times
instead of sample numbers. As with MP4, each track begins and ends with the title: late tracks are decoded from 0, and
the last sample of a short track lasts until the end.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from trio_stream.media.formats.outline import AudioOutline, Carriage, FilePart, Outline, VideoOutline
from trio_stream.media.formats.track_choice import ONE_VIDEO_TRACK, STILL_IMAGES
from trio_stream.mp4.edits.timeline import Unsupported
from trio_stream.mp4.writing.heads import SHORT
from trio_stream.packaging.cutting import MAX_SEGMENTS, cut_evenly
from trio_stream.packaging.presentation import (
    Omission,
    Presentation,
    Reason,
    Rendition,
)
from trio_stream.packaging.renditions import AudioBoundaries, audio_rendition, cut_at_keys, video_rendition
from trio_stream.packaging.selection import LONGEST

NOTHING = "it has no video or audio track"


def present_outline(outline: Outline) -> Presentation:
    """The presentation of the outline. Raises `Unsupported`, with the reason."""
    try:
        return _present(outline)
    except ArithmeticError:
        raise Unsupported("", "its timestamps are out of range") from None


def _present(outline: Outline) -> Presentation:
    video = _main_video(outline)
    carried = [
        track
        for part in outline.parts
        for track in part.tracks
        if track.carriage.refusal is None
        and (isinstance(track, AudioOutline) or (video and _is_same_track(track, video)))
    ]
    whole = min(max(_end(track.carriage, outline) for track in carried), LONGEST)
    renditions, boundaries = [], AudioBoundaries()
    if video is not None:
        rendition, boundaries = _video_rendition(outline, video, whole)
        renditions.append(rendition)
    audio_indexes = list(
        dict.fromkeys(track.track.index for track in carried if isinstance(track, AudioOutline))
    )
    for index in audio_indexes:
        audio_parts = [
            track
            for part in outline.parts
            for track in (*part.audio, *part.changes)
            if track.track.index == index and track.carriage.refusal is None
        ]
        end = _end(audio_parts[-1].carriage, outline)
        renditions.append(
            audio_rendition(
                audio_parts, boundaries, end, _until(end, whole), default=index == audio_indexes[0]
            )
        )
        if sum(len(other.segments) for other in renditions) > MAX_SEGMENTS:
            raise Unsupported("", f"it would have more than {MAX_SEGMENTS} segments")
    return Presentation(tuple(renditions), by_copy=False, omitted=tuple(_omitted(outline, renditions)))


def _main_video(outline: Outline) -> VideoOutline | None:
    """The video track to play, from the first part that has it; None if only audio can be played.

    Raises `Unsupported`, with the reason, if nothing can be played, or there is video that cannot.
    """
    videos = [
        track for part in outline.parts for track in part.video if track.carriage.refusal != STILL_IMAGES
    ]
    if videos:
        carried = (
            video for video in videos if _is_same_track(video, videos[0]) and video.carriage.refusal is None
        )
        if (main := next(carried, None)) is not None:
            return main
        raise Unsupported("", videos[0].carriage.refusal or NOTHING)
    audio = [track for part in outline.parts for track in (*part.audio, *part.changes)]
    if not any(track.carriage.refusal is None for track in audio):
        raise Unsupported("", (audio[0].carriage.refusal if audio else None) or NOTHING)
    return None


def _video_rendition(
    outline: Outline, video: VideoOutline, whole: float
) -> tuple[Rendition, AudioBoundaries]:
    """The video of all parts, and where audio segments begin to match it."""
    parts = outline.parts
    video_parts = [
        (track, part.cuts)
        for part in parts
        for track in part.video
        if _is_same_track(track, video) and track.carriage.refusal is None
    ]
    end = _until(_end(video_parts[-1][0].carriage, outline), whole)
    changed = [change.carriage.start for part in parts for change in part.changes]
    rendition = video_rendition(video_parts, end, changed)
    times = [start / rendition.timescale for start in rendition.segments.starts]
    if len(parts) == 1 and (keys := outline.cuts) is not None:
        chosen = cut_at_keys(keys, video.carriage.timescale, end, changed)
        return rendition, AudioBoundaries(times, list(pairwise([*chosen, len(keys.times)])))
    return rendition, AudioBoundaries(
        _with_gaps(times, parts, [track.carriage.start for track, _ in video_parts], whole)
    )


def _is_same_track(one: VideoOutline | AudioOutline, other: VideoOutline | AudioOutline) -> bool:
    return one.track.index == other.track.index


def _with_gaps(
    boundaries: Sequence[float], parts: Sequence[FilePart], video_starts: Sequence[float], end: float
) -> list[float]:
    """Where audio segments begin: with those of the video, and evenly in parts without video."""
    found = list(boundaries)
    for part, until in zip(parts, [*(following.start for following in parts[1:]), end], strict=True):
        if not any(part.start <= start < until for start in video_starts):
            found += cut_evenly(part.start, until)
    return sorted(found)


def _omitted(outline: Outline, renditions: Sequence[Rendition]) -> Iterator[Omission]:
    """The tracks that are in no rendition, or only in some parts, each with the reason."""
    carried = {rendition.track for rendition in renditions}
    parts = outline.parts
    reported: set[int] = set()
    ends = [*(f" up to {following.start:.0f} s" for following in parts[1:]), ""]
    for part, end in zip(parts, ends, strict=True):
        for track in part.tracks:
            refusal = track.carriage.refusal
            if track.track.index not in carried and track.track.index not in reported:
                reported.add(track.track.index)
                code: Reason = "codec" if refusal else "second-video"
                yield _omission(track, refusal or ONE_VIDEO_TRACK, code)
            elif track.track.index in carried and refusal is not None:
                since = max(part.start, track.carriage.start)
                yield _omission(track, f"from {since:.0f} s on{end}: {refusal}", "codec")
    if outline.unread is not None:
        yield _omission(parts[-1].tracks[0], outline.unread, "codec")


def _omission(outline: VideoOutline | AudioOutline, reason: str, code: Reason) -> Omission:
    return Omission(
        kind="video" if isinstance(outline, VideoOutline) else "audio",
        track=outline.track.index,
        codec=outline.track.codec,
        reason=reason,
        language=outline.track.language,
        label=outline.track.title,
        code=code,
    )


def _end(carriage: Carriage, outline: Outline) -> float:
    end = carriage.end if carriage.end is not None else outline.duration
    if end is None or not end > carriage.start:
        raise Unsupported("", "its duration is unknown")
    if end > LONGEST:
        raise Unsupported("", f"it is longer than {LONGEST // 3600} hours")
    return end


def _until(end: float, whole: float) -> float:
    """When a track that ends at `end` stops playing, if the longest track ends at `whole`."""
    return whole if whole - end > SHORT else end
