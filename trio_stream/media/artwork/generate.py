"""The job `artwork`: a poster with its blur hash, and sheets of preview tiles.

Invariant: at most one decoded frame, one sheet and one file made are in memory, only keyframes are decoded, in one
thread and with the pauses that keep to the set share of a core. What cannot be made of a damaged file is left out and
the result says why; only a file without any picture to be had where there should be one is `Unreadable`.
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
TALLEST_POSTER = 1280
POSTER_QUANTISER = 3
SHEET_QUANTISER = 6

PLACES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
"""Where posters are looked for, as parts of the duration."""

MORE_PLACES = (0.0, 0.03, 0.06, 0.65, 0.8, 0.95)
"""And where else, when nothing is to be seen there."""

MOST_FRAMES = 250
"""How far into a film whose keyframes show nothing the others are decoded."""

PLAIN = 12.0
"""The score below which a picture shows nothing: black, white, a card of one colour."""


@dataclass
class Pace:
    """Keeps to a share of one core: `rest` waits as long as that takes."""

    share: float = 1.0

    def __post_init__(self) -> None:
        self._began = time.monotonic(), time.process_time()

    def rest(self) -> None:
        """Sleep, so that the processor time used is again at most `share` of the time gone by."""
        behind = self.used / self.share - self.elapsed
        if behind > 0:
            time.sleep(behind)

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began[0]

    @property
    def used(self) -> float:
        """Seconds of processor time since it began."""
        return time.process_time() - self._began[1]


def generate_artwork(file: MediaFile, options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Make a poster and tiles.

    Options, all optional: `share` (0 to 1 of a core, default 1), `seconds` (after this long it comes to an end with
    the tiles there are), `duration` (seconds, if a probe knows better than the container's head).

    Blobs: `poster.jpg`, `sheet-0.jpg` and so on. The result:

        poster   {"width", "height"} in pixels, or null
        blurhash text, or null
        tiles    {"interval" (s), "count", "width", "height" (pixels), "columns", "rows", "sheets"}, or null
        reason   why something of this is missing, else null

    Raises `Unreadable` when there is a picture track but nothing of it can be decoded, or no container at all.
    """
    pace = Pace(min(1.0, max(0.01, float(options.get("share") or 1.0))))
    limit = float(options.get("seconds") or math.inf)
    with _again(file) as container:
        start = start_of(container, file, container_name(container, file))
        duration = float(options.get("duration") or 0) or _duration(container)
        film = main_video_stream(container)
        track = None if film is None else film.index
    poster = None if track is None else _poster(file, track, start, duration, pace)
    if poster is None or track is None:
        return _cover(file, track, reply)
    result = _send_poster(poster.picture, reply)
    with _again(file) as container:
        stream = _track(container, track)
        if stream is None:
            raise Unreadable("the file changed while pictures were made of it")
        grid = plan_grid(duration, poster.aspect)
        return result | _send_sheets(_keyframes(file, container, stream, start), grid, pace, limit, reply)


@dataclass(frozen=True, slots=True)
class _Poster:
    picture: VideoFrame
    aspect: float
    score: float


def _poster(file: MediaFile, track: int, start: float, duration: float, pace: Pace) -> _Poster | None:
    """The first places are tried, then the others, then frames that are no keyframes: until something is seen."""
    best: _Poster | None = None
    for look in (_keyframes_at(PLACES, start), _keyframes_at(MORE_PLACES, start), _first_frames):
        with _again(file) as container:
            stream = _track(container, track)
            if stream is None:
                break
            for frame in look(file, container, stream, duration):
                made = _as_poster(stream, frame)
                if made is not None and (best is None or made.score > best.score):
                    best = made
                pace.rest()
        if best is not None and best.score >= PLAIN:
            break
    return best


type _Look = Callable[[MediaFile, InputContainer, VideoStream, float], Iterator[VideoFrame]]


def _keyframes(
    file: MediaFile, container: InputContainer, stream: VideoStream, start: float
) -> KeyframeReader | JoinedKeyframeReader:
    """Those of the film, which is open; of all of its parts, if it has several."""
    parts = find_parts(file)
    if len(parts) == 1:
        return KeyframeReader(container, stream, start)
    return JoinedKeyframeReader(_part_by_part(file, parts))


def _part_by_part(
    file: MediaFile, parts: Sequence[tuple[int, int | None]]
) -> Iterator[tuple[float, KeyframeReader]]:
    begins = 0.0
    for begin, stop in parts:
        part = view(file, begin, stop)
        container = _again(part)
        stream = main_video_stream(container)
        if stream is not None:
            start = start_of(container, part, container_name(container, part))
            yield begins, KeyframeReader(container, stream, start)
        begins += (container.duration or 0) / 1_000_000


def _keyframes_at(places: Sequence[float], start: float) -> _Look:
    def look(
        file: MediaFile, container: InputContainer, stream: VideoStream, duration: float
    ) -> Iterator[VideoFrame]:
        stills = _keyframes(file, container, stream, start)
        before: Keyframe | None = None
        for place in places:
            still = stills.at(place * duration)
            if still is not None and still is not before:
                yield still.frame
            before = still

    return look


def _first_frames(
    _file: MediaFile, container: InputContainer, stream: VideoStream, _duration: float
) -> Iterator[VideoFrame]:
    """Some of the frames a film begins with, for one that fades in and has no keyframe after that."""
    stream.codec_context.thread_count = 1
    try:
        yield from itertools.islice(container.decode(stream), 0, MOST_FRAMES, MOST_FRAMES // 10)
    except FFmpegError:
        return  # that much could be decoded


def _as_poster(stream: VideoStream, frame: VideoFrame) -> _Poster | None:
    width, height = display_size(stream, frame)
    aspect = width / height
    size = fit(aspect, min(POSTER_WIDTH, math.ceil(width)), min(TALLEST_POSTER, math.ceil(height)))
    picture = Scaler(*size).shrink(frame)
    return _Poster(picture, aspect, score(pixels(picture, 64, 36, "gray"), 64)) if picture else None


def score(gray: bytes, width: int) -> float:
    """How much there is to see in a small gray picture, 0 for none: contrast and detail, less where it is dark."""
    mean = sum(gray) / len(gray)
    contrast = math.sqrt(sum((value - mean) ** 2 for value in gray) / len(gray))
    steps = [abs(one - next_) for one, next_ in itertools.pairwise(gray)]
    detail = sum(steps) / len(steps) + sum(
        abs(one - below) for one, below in zip(gray, gray[width:], strict=False)
    ) / (len(gray) - width)
    return (contrast + 2 * detail) * min(1.0, mean / 60)


def _send_poster(picture: VideoFrame, reply: Reply) -> dict[str, Any]:
    reply.blob("poster.jpg", jpeg(picture, POSTER_QUANTISER))
    width, height = picture.width, picture.height
    across, down = (4, 3) if width >= height else (3, 4)
    small = fit(width / height, 32, 32)
    return {
        "poster": {"width": width, "height": height},
        "blurhash": blurhash(pixels(picture, *small, "rgb24"), *small, across, down),
        "tiles": None,
        "reason": None,
    }


def _send_sheets(
    stills: KeyframeReader | JoinedKeyframeReader, grid: Grid, pace: Pace, limit: float, reply: Reply
) -> dict[str, Any]:
    shrinker = Scaler(grid.width, grid.height)
    before: Keyframe | None = None
    tile: VideoFrame | None = None
    made, reason = 0, None
    for sheet in range(grid.sheets):
        tiler: Graph | None = None
        last = made + grid.thumbnails_on(sheet)
        while made < last and (reason := _why_stop(stills, made * grid.interval, grid, pace, limit)) is None:
            still = stills.at(made * grid.interval)
            if still is not None and still is not before:
                tile = shrinker.shrink(still.frame) or tile
            before = still
            if tile is None:
                return _tiles(None, "no preview picture could be made")
            tiler = tiler or _tiler(tile, grid, last - made)
            tile.pts = made
            tiler.vpush(tile)
            made += 1
            pace.rest()
        if tiler is not None:
            if made < last:
                tiler.vpush(None)
            reply.blob(f"sheet-{sheet}.jpg", jpeg(tiler.vpull(), SHEET_QUANTISER))
        if reason is not None:
            break
    return _tiles(replace(grid, count=made), reason)


def _why_stop(
    stills: KeyframeReader | JoinedKeyframeReader, moment: float, grid: Grid, pace: Pace, limit: float
) -> str | None:
    if pace.elapsed > limit:
        return "the time for it was over"
    if stills.ended and moment > stills.reached + grid.interval:
        return "the file ends before its time"
    return None


def _tiler(tile: VideoFrame, grid: Grid, count: int) -> Graph:
    """Puts `count` tiles like this one together, row by row."""
    return chain(tile, ("tile", f"layout={grid.columns}x{-(-count // grid.columns)}:nb_frames={count}"))


def _tiles(grid: Grid | None, reason: str | None) -> dict[str, Any]:
    about = asdict(grid) | {"sheets": grid.sheets} if grid is not None and grid.count else None
    return {"tiles": about, "reason": reason}


def _cover(file: MediaFile, film: int | None, reply: Reply) -> dict[str, Any]:
    """A picture attached to the file, as music has it, or the first still, for want of a film."""
    filmed = film is not None
    with _again(file) as container:
        for stream in container.streams.video:
            if stream.index == film or not video_traits(stream).is_still or stream.codec_context is None:
                continue
            for frame in _first_frames(file, container, stream, 0):
                poster = _as_poster(stream, frame)
                if poster is not None:
                    reason = "no frame could be decoded" if filmed else "there is only sound in the file"
                    reason += "; this is its cover"
                    return _send_poster(poster.picture, reply) | {"reason": reason}
    if filmed:
        raise Unreadable("no frame of the video could be decoded")
    return {"poster": None, "blurhash": None, "tiles": None, "reason": "there is only sound in the file"}


def _again(file: MediaFile) -> InputContainer:
    """The container from its start; reading one only ever goes forward."""
    return open_described(file, audio=False)


def _track(container: InputContainer, index: int) -> VideoStream | None:
    """The track of that number, if it can be decoded."""
    found = next((each for each in container.streams.video if each.index == index), None)
    known: Any = None if found is None else found.codec_context
    return None if known is None else found


def _duration(container: InputContainer) -> float:
    return (container.duration or 0) / 1_000_000
