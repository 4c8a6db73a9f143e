"""The job `artwork`: a poster with its blur hash, and trickplay sheets.

Invariant: at most one decoded frame, one sheet and one derived file are in memory. Only keyframes are decoded, in one
thread, with pauses that keep to the configured share of a core. What cannot be generated from a damaged file is left
out, and the result says why. Only a file with a video track but without any decodable frame or cover is `Unreadable`.
"""

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from av import FFmpegError
from av.container import InputContainer
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from trio_stream.media.artwork.blurhash import blurhash
from trio_stream.media.artwork.keyframes import JoinedKeyframeReader, Keyframe, KeyframeReader
from trio_stream.media.artwork.scaling import Scaler, chain, display_size, jpeg, pixels
from trio_stream.media.containers.clock import start_of
from trio_stream.media.containers.opening import container_name, open_described
from trio_stream.media.containers.parts import find_parts, view
from trio_stream.media.containers.streams import main_video_stream, video_traits
from trio_stream.media.formats.trickplay import Grid, fit, plan_grid
from trio_stream.media.jobs import MediaFile, Reply, Unreadable

POSTER_WIDTH = 640
MAX_POSTER_HEIGHT = 1280
POSTER_QUANTISER = 3
SHEET_QUANTISER = 6

PLACES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
"""Where frames for the poster are taken first, as fractions of the duration."""

MORE_PLACES = (0.0, 0.03, 0.06, 0.65, 0.8, 0.95)
"""Where they are taken next, if those frames are blank."""

MAX_FRAMES = 250
"""How many of the first frames are decoded if all keyframes are blank."""

BLANK = 12.0
"""The score below which a frame is blank: black, white, a card of one colour."""


@dataclass
class Pace:
    """Limits the job to a share of one core: `rest` waits as long as needed."""

    share: float = 1.0

    def __post_init__(self) -> None:
        self._began = time.monotonic(), time.process_time()

    def rest(self) -> None:
        """Sleep until the CPU time used is at most `share` of the elapsed time."""
        wait = self.used / self.share - self.elapsed
        if wait > 0:
            time.sleep(wait)

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began[0]

    @property
    def used(self) -> float:
        """Seconds of CPU time since it began."""
        return time.process_time() - self._began[1]


def generate_artwork(file: MediaFile, options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Generate a poster and trickplay sheets.

    Options, all optional: `share` (0 to 1 of a core, default 1), `seconds` (after this long it ends with the thumbnails
    generated so far), `duration` (in seconds, if a probe found a better value than the container header has).

    Blobs: `poster.jpg`, `sheet-0.jpg` and so on. The result:

        poster   {"width", "height"} in pixels, or null
        blurhash text, or null
        tiles    {"interval" (s), "count", "width", "height" (pixels), "columns", "rows", "sheets"}, or null
        reason   why something is missing, else null

    Raises `Unreadable` if there is a video track but nothing of it can be decoded, or if the file is not a container.
    """
    pace = Pace(min(1.0, max(0.01, float(options.get("share") or 1.0))))
    limit = float(options.get("seconds") or math.inf)
    with _reopen(file) as container:
        start = start_of(container, file, container_name(container, file))
        duration = float(options.get("duration") or 0) or _duration(container)
        video = main_video_stream(container)
        track = None if video is None else video.index
    poster = None if track is None else _poster(file, track, start, duration, pace)
    if poster is None or track is None:
        return _cover(file, track, reply)
    result = _send_poster(poster.image, reply)
    with _reopen(file) as container:
        stream = _track(container, track)
        if stream is None:
            raise Unreadable("the file changed while its artwork was generated")
        grid = plan_grid(duration, poster.aspect)
        return result | _send_sheets(_keyframes(file, container, stream, start), grid, pace, limit, reply)


@dataclass(frozen=True, slots=True)
class _Poster:
    image: VideoFrame
    aspect: float
    score: float


def _poster(file: MediaFile, track: int, start: float, duration: float, pace: Pace) -> _Poster | None:
    """Try the first places, then the others, then frames that are not keyframes, until one is not blank."""
    best: _Poster | None = None
    for frames_of in (_keyframes_at(PLACES, start), _keyframes_at(MORE_PLACES, start), _first_frames):
        with _reopen(file) as container:
            stream = _track(container, track)
            if stream is None:
                break
            for frame in frames_of(file, container, stream, duration):
                candidate = _as_poster(stream, frame)
                if candidate is not None and (best is None or candidate.score > best.score):
                    best = candidate
                pace.rest()
        if best is not None and best.score >= BLANK:
            break
    return best


type _FrameSource = Callable[[MediaFile, InputContainer, VideoStream, float], Iterator[VideoFrame]]


def _keyframes(
    file: MediaFile, container: InputContainer, stream: VideoStream, start: float
) -> KeyframeReader | JoinedKeyframeReader:
    """Read the keyframes of the open video, or of all its parts, if it has several."""
    parts = find_parts(file)
    if len(parts) == 1:
        return KeyframeReader(container, stream, start)
    return JoinedKeyframeReader(_part_by_part(file, parts))


def _part_by_part(
    file: MediaFile, parts: Sequence[tuple[int, int | None]]
) -> Iterator[tuple[float, KeyframeReader]]:
    offset = 0.0
    for begin, stop in parts:
        part = view(file, begin, stop)
        container = _reopen(part)
        stream = main_video_stream(container)
        if stream is not None:
            start = start_of(container, part, container_name(container, part))
            yield offset, KeyframeReader(container, stream, start)
        offset += (container.duration or 0) / 1_000_000


def _keyframes_at(places: Sequence[float], start: float) -> _FrameSource:
    def frames_of(
        file: MediaFile, container: InputContainer, stream: VideoStream, duration: float
    ) -> Iterator[VideoFrame]:
        keyframes = _keyframes(file, container, stream, start)
        previous: Keyframe | None = None
        for place in places:
            keyframe = keyframes.at(place * duration)
            if keyframe is not None and keyframe is not previous:
                yield keyframe.frame
            previous = keyframe

    return frames_of


def _first_frames(
    _file: MediaFile, container: InputContainer, stream: VideoStream, _duration: float
) -> Iterator[VideoFrame]:
    """Decode some of the first frames, for a video that fades in and has no keyframe after that."""
    stream.codec_context.thread_count = 1
    try:
        yield from itertools.islice(container.decode(stream), 0, MAX_FRAMES, MAX_FRAMES // 10)
    except FFmpegError:
        return  # no more can be decoded


def _as_poster(stream: VideoStream, frame: VideoFrame) -> _Poster | None:
    width, height = display_size(stream, frame)
    aspect = width / height
    size = fit(aspect, min(POSTER_WIDTH, math.ceil(width)), min(MAX_POSTER_HEIGHT, math.ceil(height)))
    image = Scaler(*size).shrink(frame)
    return _Poster(image, aspect, score(pixels(image, 64, 36, "gray"), 64)) if image else None


def score(gray: bytes, width: int) -> float:
    """Rate how much a small gray image shows, 0 for nothing: contrast and detail, less where it is dark."""
    mean = sum(gray) / len(gray)
    contrast = math.sqrt(sum((value - mean) ** 2 for value in gray) / len(gray))
    steps = [abs(left - right) for left, right in itertools.pairwise(gray)]
    detail = sum(steps) / len(steps) + sum(
        abs(above - below) for above, below in zip(gray, gray[width:], strict=False)
    ) / (len(gray) - width)
    return (contrast + 2 * detail) * min(1.0, mean / 60)


def _send_poster(image: VideoFrame, reply: Reply) -> dict[str, Any]:
    reply.blob("poster.jpg", jpeg(image, POSTER_QUANTISER))
    width, height = image.width, image.height
    across, down = (4, 3) if width >= height else (3, 4)
    small = fit(width / height, 32, 32)
    return {
        "poster": {"width": width, "height": height},
        "blurhash": blurhash(pixels(image, *small, "rgb24"), *small, across, down),
        "tiles": None,
        "reason": None,
    }


def _send_sheets(
    keyframes: KeyframeReader | JoinedKeyframeReader, grid: Grid, pace: Pace, limit: float, reply: Reply
) -> dict[str, Any]:
    scaler = Scaler(grid.width, grid.height)
    previous: Keyframe | None = None
    thumbnail: VideoFrame | None = None
    count, reason = 0, None
    for sheet in range(grid.sheets):
        graph: Graph | None = None
        last = count + grid.thumbnails_on(sheet)
        while (
            count < last
            and (reason := _stop_reason(keyframes, count * grid.interval, grid, pace, limit)) is None
        ):
            keyframe = keyframes.at(count * grid.interval)
            if keyframe is not None and keyframe is not previous:
                thumbnail = scaler.shrink(keyframe.frame) or thumbnail
            previous = keyframe
            if thumbnail is None:
                return _sheets_result(None, "no thumbnail could be generated")
            graph = graph or _sheet_graph(thumbnail, grid, last - count)
            thumbnail.pts = count
            graph.vpush(thumbnail)
            count += 1
            pace.rest()
        if graph is not None:
            if count < last:
                graph.vpush(None)
            reply.blob(f"sheet-{sheet}.jpg", jpeg(graph.vpull(), SHEET_QUANTISER))
        if reason is not None:
            break
    return _sheets_result(replace(grid, count=count), reason)


def _stop_reason(
    keyframes: KeyframeReader | JoinedKeyframeReader, time: float, grid: Grid, pace: Pace, limit: float
) -> str | None:
    if pace.elapsed > limit:
        return "generating the thumbnails took too long"
    if keyframes.ended and time > keyframes.reached + grid.interval:
        return "the file ends earlier than its duration"
    return None


def _sheet_graph(thumbnail: VideoFrame, grid: Grid, count: int) -> Graph:
    """Build a graph that puts `count` thumbnails like this one together, row by row."""
    return chain(thumbnail, ("tile", f"layout={grid.columns}x{-(-count // grid.columns)}:nb_frames={count}"))


def _sheets_result(grid: Grid | None, reason: str | None) -> dict[str, Any]:
    sheets = asdict(grid) | {"sheets": grid.sheets} if grid is not None and grid.count else None
    return {"tiles": sheets, "reason": reason}


def _cover(file: MediaFile, track: int | None, reply: Reply) -> dict[str, Any]:
    """Use an image attached to the file, as in music files, or the first still image, as the poster."""
    has_video = track is not None
    with _reopen(file) as container:
        for stream in container.streams.video:
            if stream.index == track or not video_traits(stream).is_still or stream.codec_context is None:
                continue
            for frame in _first_frames(file, container, stream, 0):
                poster = _as_poster(stream, frame)
                if poster is not None:
                    reason = "no frame could be decoded" if has_video else "the file has only audio"
                    reason += "; the poster is the cover image"
                    return _send_poster(poster.image, reply) | {"reason": reason}
    if has_video:
        raise Unreadable("no frame of the video could be decoded")
    return {"poster": None, "blurhash": None, "tiles": None, "reason": "the file has only audio"}


def _reopen(file: MediaFile) -> InputContainer:
    """Open the container again, at its beginning; reading only goes forward."""
    return open_described(file, audio=False)


def _track(container: InputContainer, index: int) -> VideoStream | None:
    """Return the track with that index, if it can be decoded."""
    track = next((stream for stream in container.streams.video if stream.index == index), None)
    context: Any = None if track is None else track.codec_context
    return None if context is None else track


def _duration(container: InputContainer) -> float:
    return (container.duration or 0) / 1_000_000
