"""WebVTT in MP4 (ISO/IEC 14496-30 section 7): finds such tracks and reads the cues of a sample.

FFmpeg reads the samples of such a track without knowing its codec.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from trio_stream.mp4.boxes import Box, Malformed, read_boxes

KINDS = frozenset({"wvtt", "stpp"})
"""Sample entries of subtitles that FFmpeg has no decoder for: WebVTT, and TTML (section 5)."""

LARGEST_HEADER = 64 << 10


@dataclass(frozen=True, slots=True)
class TextTrack:
    """`index` counts the tracks of the file from 0, `kind` is that of the sample entry; `header` is what comes before
    the cues of a WebVTT file."""

    index: int
    kind: str
    header: str = ""


def text_tracks(moov: bytes | memoryview) -> list[TextTrack]:
    """The tracks of `KINDS` in the payload of a `moov`. Raises `Malformed`."""
    found = []
    tracks = (box for box in read_boxes(moov, "moov") if box.kind == "trak")
    for index, trak in enumerate(tracks):
        entry = _entry(trak)
        if entry is not None and entry.kind in KINDS:
            found.append(TextTrack(index, entry.kind, _header(entry) if entry.kind == "wvtt" else ""))
    return found


def _entry(trak: Box) -> Box | None:
    """The first sample entry of the track."""
    box: Box | None = trak
    for kind in ("mdia", "minf", "stbl", "stsd"):
        box = None if box is None else next((child for child in box.children() if child.kind == kind), None)
    return None if box is None else next(iter(box.children(8)), None)


def _header(entry: Box) -> str:
    """The text of `WebVTTConfigurationBox`, after the eight bytes that start every sample entry (section 7.5)."""
    for child in entry.children(8):
        if child.kind == "vttC":
            return bytes(child.payload[:LARGEST_HEADER]).decode("utf-8", "replace")
    return ""


def sample_cues(sample: bytes) -> Iterator[tuple[str, str]]:
    """Text and settings of each cue that is shown during the sample; damaged cues are left out (section 7.4)."""
    try:
        for box in read_boxes(sample):
            if box.kind == "vttc":
                parts = {part.kind: bytes(part.payload).decode("utf-8", "replace") for part in box.children()}
                yield parts.get("payl", ""), " ".join(parts.get("sttg", "").split())
    except Malformed:
        return
