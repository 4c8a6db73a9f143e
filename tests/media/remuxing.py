"""Remuxing as a client meets it: init segments and segments of a file, joined, and what decoding finds in them."""

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
    """The outline, by way of JSON, as the server gets it."""
    answer, _ = run(outline, path, **options)
    return Outline.from_json(json.loads(json.dumps(answer, allow_nan=False)))


def carried(found: Outline) -> list[Outlined]:
    """The tracks that can be carried; of video only the one that cuts are of."""
    tracks: list[Outlined] = [*found.video[:1], *found.audio]
    return [each for each in tracks if each.carriage.refusal is None]


def bounds(found: Outline, each: Outlined) -> list[int]:
    """Where segments of a track begin if each is one group of pictures, in its own timescale."""
    assert found.cuts is not None
    if isinstance(each, VideoOutline):
        return list(found.cuts.times)
    scale = each.carriage.timescale / found.video[0].carriage.timescale
    starts = [round(time * scale) for time in found.cuts.times]
    first = each.carriage.first
    return [min(starts[0], first), *(start for start in starts[1:] if start > first)]


@dataclass(frozen=True)
class Made:
    """A segment: what the job said of it, and its bytes."""

    said: dict[str, Any]
    data: bytes


def init_of(path: Path, each: Outlined) -> bytes:
    return run(init, path, track=each.track.index, carriage=each.carriage.to_json())[1]["init"]


def segment_of(
    path: Path, each: Outlined, start: int, stop: int | None, sequence: int = 1, **more: object
) -> Made:
    said, blobs = run(
        segment,
        path,
        track=each.track.index,
        carriage=each.carriage.to_json(),
        start=start,
        stop=stop,
        sequence=sequence,
        **more,
    )
    return Made(said, b"".join(blobs.values()))


def segments_of(path: Path, found: Outline, each: Outlined) -> list[Made]:
    """All segments of a track, cut at every keyframe."""
    starts = bounds(found, each)
    stops = [*starts[1:], None]
    return [
        segment_of(path, each, start, stop, number, begins=number == 1)
        for number, (start, stop) in enumerate(zip(starts, stops, strict=True), 1)
    ]


def decoded(source: Path | bytes) -> av.container.InputContainer:
    """Open what was made, or a file, as a decoder that takes its time to find all tracks."""
    if isinstance(source, bytes):
        return av.open(io.BytesIO(source), "r")
    patient = {"probesize": str(100 << 20), "analyzeduration": str(100_000_000)}
    return av.open(str(source), "r", options=patient)


def pictures(source: Path | bytes, index: int = 0, zero: float = 0.0) -> list[tuple[float, str]]:
    """When each picture is shown, in seconds since `zero`, and a digest of it; nothing that is shown before that."""
    found = []
    with decoded(source) as container:
        for frame in container.decode(container.streams[index]):
            assert isinstance(frame, av.VideoFrame)
            found.append((round(_moment(frame) - zero, 6), _digest(frame)))
    return [each for each in found if each[0] > -0.0005]


def _moment(frame: av.VideoFrame | av.AudioFrame) -> float:
    assert frame.pts is not None
    return frame.pts * float(frame.time_base)


def _digest(frame: av.VideoFrame) -> str:
    """Of the pixels, without what a decoder leaves between the rows."""
    digest = hashlib.md5(usedforsecurity=False)
    for plane, component in zip(frame.planes, frame.format.components, strict=False):
        wide = plane.width * (2 if component.bits > 8 else 1)
        data = memoryview(plane)
        for at in range(0, plane.height * plane.line_size, plane.line_size):
            digest.update(data[at : at + wide])
    return digest.hexdigest()


@dataclass(frozen=True)
class Sound:
    """When it begins, in seconds; how many samples it has; the samples, plane by plane."""

    begins: float
    samples: int
    planes: list[bytes]


def sound(source: Path | bytes, index: int = 0, zero: float = 0.0) -> Sound:
    """What is heard from `zero` seconds on."""
    begins, samples, planes = None, 0, [bytearray() for _ in range(8)]
    with decoded(source) as container:
        for frame in container.decode(container.streams[index]):
            assert isinstance(frame, av.AudioFrame)
            at = _moment(frame) - zero
            early = max(0, min(frame.samples, round(-at * frame.sample_rate)))
            if begins is None and early < frame.samples:
                begins = max(0.0, at)
            samples += frame.samples - early
            wide = frame.format.bytes * (1 if frame.format.is_planar else len(frame.layout.channels))
            for number, plane in enumerate(frame.planes):
                planes[number] += bytes(plane)[early * wide : frame.samples * wide]
    assert begins is not None
    return Sound(begins, samples, [bytes(plane) for plane in planes])


def boxes(data: bytes) -> list[tuple[str, bytes]]:
    """The boxes of a level: their kinds and what is in them."""
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        assert 8 <= size <= len(data) - at, data[at : at + 8]
        found.append((data[at + 4 : at + 8].decode("latin-1"), data[at + 8 : at + size]))
        at += size
    return found


def box(data: bytes, *path: str) -> bytes:
    """What is in the first box at a path."""
    for kind in path:
        data = next(held for name, held in boxes(data) if name == kind)
    return data
