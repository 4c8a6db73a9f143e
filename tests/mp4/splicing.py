"""Videos joined from several, as by editors: with a sample entry for each, and all bytes unchanged."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.mp4.making import (
    FTYP,
    Edit,
    Sample,
    TrackSpec,
    box,
    film,
    fragment,
    full,
    opening,
    words,
)
from trio_stream.mp4.boxes import read_boxes

SCALES = {"vide": 12_800, "soun": 48_000}
TYPES = {"vide": "v:0", "soun": "a:0"}
CHUNK = 5
"""Samples in a chunk."""


@dataclass(frozen=True)
class Clip:
    """A track of a video written by ffmpeg: its sample entry, its samples and their bytes."""

    entry: bytes
    samples: tuple[Sample, ...]
    contents: tuple[bytes, ...]
    handler: str

    def entry_with(self, *more: bytes) -> "Clip":
        """A copy with more boxes in its entry."""
        return replace(self, entry=box(self.entry[4:8].decode("latin-1"), self.entry[8:], *more))


@cache
def clip(path: Path, handler: str) -> Clip:
    """The first video ("vide") or audio ("soun") track."""
    data = path.read_bytes()
    columns = "packet=pos,size,pts,dts,duration,flags"
    command = [
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        TYPES[handler],
        "-show_entries",
        f"{columns}:stream=time_base",
    ]
    shown = subprocess.run([*command, "-of", "json", path], capture_output=True, check=True).stdout
    read: dict[str, Any] = json.loads(shown)
    ticks = SCALES[handler] / int(read["streams"][0]["time_base"].partition("/")[2])
    packets = read["packets"]
    times = [round(int(packet["dts"]) * ticks) for packet in packets]
    times.append(times[-1] + round(int(packets[-1]["duration"]) * ticks))
    samples = [
        Sample(
            int(packet["size"]),
            stop - time,
            round(int(packet["pts"]) * ticks) - time,
            sync="K" in packet["flags"],
        )
        for packet, time, stop in zip(packets, times, times[1:], strict=False)
    ]
    places = [(int(packet["pos"]), int(packet["size"])) for packet in packets]
    contents = tuple(data[at : at + size] for at, size in places)
    return Clip(_entry(data, handler), tuple(samples), contents, handler)


def _entry(data: bytes, handler: str) -> bytes:
    moov = next(read_box for read_box in read_boxes(data) if read_box.kind == "moov")
    for trak in moov.children():
        if trak.kind == "trak" and bytes(trak.get("mdia").get("hdlr").payload[8:12]) == handler.encode():
            stsd = trak.get("mdia").get("minf").get("stbl").get("stsd")
            return next(iter(stsd.children(8))).whole()
    raise AssertionError(handler)


def track(clips: Sequence[Clip], *, id_: int = 1, edits: tuple[Edit, ...] = ()) -> TrackSpec:
    """The clips one after the other, each with its own entry; equal clips share one."""
    entries = list(dict.fromkeys(clip.entry for clip in clips))
    chunks: list[int] = []
    described: list[int] = []
    for each in clips:
        count = len(each.samples)
        chunks += [min(CHUNK, count - at) for at in range(0, count, CHUNK)]
        described += [entries.index(each.entry) + 1] * -(-count // CHUNK)
    rows = [
        (number + 1, count, entry)
        for number, (count, entry) in enumerate(zip(chunks, described, strict=True))
    ]
    return TrackSpec(
        samples=tuple(sample for clip in clips for sample in clip.samples),
        chunks=tuple(chunks),
        id=id_,
        handler=clips[0].handler,
        timescale=SCALES[clips[0].handler],
        edits=edits,
        entries=tuple(entries),
        data=tuple(sample for clip in clips for sample in clip.contents),
        more={"stsc": full("stsc", 0, 0, words(len(rows)), *(words(*row) for row in rows))},
    )


def splice(path: Path, *tracks: TrackSpec) -> Path:
    """A video of these tracks, with alternating chunks; a `.mov` is written as QuickTime."""
    data = film(*tracks)
    if path.suffix == ".mov":
        data = data.replace(FTYP, box("ftyp", b"qt  ", words(512), b"qt  " + bytes(4)), 1)
    path.write_bytes(data)
    return path


def splice_fragments(path: Path, clips: Sequence[Clip]) -> Path:
    """A video of one track in fragments, one for each clip, that refer to its entry."""
    spec = track(clips)
    data, first, time = opening(replace(spec, more={})), 0, 0
    for number, clip in enumerate(clips):
        stop = first + len(clip.samples)
        described = spec.entries.index(clip.entry) + 1
        data += fragment(spec, first, stop, number + 1, time, described=described)
        time += sum(sample.duration for sample in clip.samples)
        first = stop
    path.write_bytes(data)
    return path
