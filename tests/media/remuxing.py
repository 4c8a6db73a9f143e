"""Remux like a client: request the init segment and the segments of a file, join them, and decode them."""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.container

from tests.media.making import run
from trio_stream.media.formats.outline import AudioOutline, Outline, VideoOutline
from trio_stream.media.remux.describing import outline
from trio_stream.media.remux.segments import init, segment

type Outlined = VideoOutline | AudioOutline


def outlined(path: Path, **options: Any) -> Outline:
    """Return the outline, through JSON, as the server gets it."""
    result, _ = run(outline, path, **options)
    return Outline.from_json(json.loads(json.dumps(result, allow_nan=False)))


def carried(found: Outline) -> list[Outlined]:
    """Return the tracks that can be carried; of the video tracks, only the one with cuts."""
    tracks: list[Outlined] = [*found.video[:1], *found.audio]
    return [track for track in tracks if track.carriage.refusal is None]


def bounds(found: Outline, track: Outlined) -> list[int]:
    """Return where the segments of a track begin if each is one GOP, in its own timescale."""
    assert found.cuts is not None
    if isinstance(track, VideoOutline):
        return list(found.cuts.times)
    scale = track.carriage.timescale / found.video[0].carriage.timescale
    starts = [round(time * scale) for time in found.cuts.times]
    first = track.carriage.first
    return [min(starts[0], first), *(start for start in starts[1:] if start > first)]


@dataclass(frozen=True)
class BuiltSegment:
    """A segment: the result of the job, and its bytes."""

    result: dict[str, Any]
    data: bytes


def init_of(path: Path, track: Outlined) -> bytes:
    return run(init, path, track=track.track.index, carriage=track.carriage.to_json())[1]["init"]


def segment_of(
    path: Path, track: Outlined, start: int, stop: int | None, sequence: int = 1, **more: object
) -> BuiltSegment:
    result, blobs = run(
        segment,
        path,
        track=track.track.index,
        carriage=track.carriage.to_json(),
        start=start,
        stop=stop,
        sequence=sequence,
        **more,
    )
    return BuiltSegment(result, b"".join(blobs.values()))


def segments_of(path: Path, found: Outline, track: Outlined) -> list[BuiltSegment]:
    """Build all segments of a track, cut at every keyframe."""
    starts = bounds(found, track)
    stops = [*starts[1:], None]
    return [
        segment_of(path, track, start, stop, number, begins=number == 1)
        for number, (start, stop) in enumerate(zip(starts, stops, strict=True), 1)
    ]


def decoded(source: Path | bytes) -> av.container.InputContainer:
    """Open built segments or a file, with enough probing to find all tracks."""
    if isinstance(source, bytes):
        return av.open(io.BytesIO(source), "r")
    thorough = {"probesize": str(100 << 20), "analyzeduration": str(100_000_000)}
    return av.open(str(source), "r", options=thorough)


def frames_of(source: Path | bytes, index: int = 0, zero: float = 0.0) -> list[tuple[float, str]]:
    """Return when each frame is shown, in seconds since `zero`, and its digest; earlier frames are left out."""
    found = []
    with decoded(source) as container:
        for frame in container.decode(container.streams[index]):
            assert isinstance(frame, av.VideoFrame)
            found.append((round(_seconds(frame) - zero, 6), _digest(frame)))
    return [shown for shown in found if shown[0] > -0.0005]


def _seconds(frame: av.VideoFrame | av.AudioFrame) -> float:
    assert frame.pts is not None
    return frame.pts * float(frame.time_base)


def _digest(frame: av.VideoFrame) -> str:
    """Hash the pixels, without the padding between rows."""
    digest = hashlib.md5(usedforsecurity=False)
    for plane, component in zip(frame.planes, frame.format.components, strict=False):
        row_size = plane.width * (2 if component.bits > 8 else 1)
        data = memoryview(plane)
        for at in range(0, plane.height * plane.line_size, plane.line_size):
            digest.update(data[at : at + row_size])
    return digest.hexdigest()


@dataclass(frozen=True)
class DecodedAudio:
    """When the audio begins, in seconds; how many samples it has; the samples, plane by plane."""

    start: float
    samples: int
    planes: list[bytes]


def audio_of(source: Path | bytes, index: int = 0, zero: float = 0.0) -> DecodedAudio:
    """Decode the audio from `zero` seconds on."""
    start, samples, planes = None, 0, [bytearray() for _ in range(8)]
    with decoded(source) as container:
        for frame in container.decode(container.streams[index]):
            assert isinstance(frame, av.AudioFrame)
            at = _seconds(frame) - zero
            early = max(0, min(frame.samples, round(-at * frame.sample_rate)))
            if start is None and early < frame.samples:
                start = max(0.0, at)
            samples += frame.samples - early
            row_size = frame.format.bytes * (1 if frame.format.is_planar else len(frame.layout.channels))
            for number, plane in enumerate(frame.planes):
                planes[number] += bytes(plane)[early * row_size : frame.samples * row_size]
    assert start is not None
    return DecodedAudio(start, samples, [bytes(plane) for plane in planes])


def boxes(data: bytes) -> list[tuple[str, bytes]]:
    """Return the boxes of one level: their types and contents."""
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        assert 8 <= size <= len(data) - at, data[at : at + 8]
        found.append((data[at + 4 : at + 8].decode("latin-1"), data[at + 8 : at + size]))
        at += size
    return found


def box(data: bytes, *path: str) -> bytes:
    """Return the content of the first box at a path."""
    for kind in path:
        data = next(content for name, content in boxes(data) if name == kind)
    return data
