"""Where the boxes of a file are that tell of its samples: `moov`, at either end, and `moof` boxes in between.

The file is looked at through `read(offset, length)`, which answers fewer bytes only at its end. Only heads are read
of what is not wanted, so `mdat` costs nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trio_stream.mp4.boxes import Malformed, read_head

LARGEST_MOOV = 128 << 20
"""Bytes of a `moov`: a film of a day with five tracks."""

LARGEST_MOOF = 16 << 20
MOST_TOP_BOXES = 200_000
"""Boxes in a file: a day of fragments of a second are 172,800."""

type Read = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Located:
    """The payload of a `moov`; `fragments_from` is where the box behind it begins."""

    moov: bytes
    fragments_from: int


def locate(read: Read, size: int) -> Located:
    """Find `moov` in a file of `size` bytes. Raises `Malformed`, and whatever `read` raises."""
    first_moof: int | None = None
    for kind, offset, header, length in _top_boxes(read, size, 0):
        if kind == "moof" and first_moof is None:
            first_moof = offset
        elif kind == "moov":
            if length > LARGEST_MOOV:
                raise Malformed("moov", f"it has {length} bytes, more than the {LARGEST_MOOV} that may be")
            payload = read(offset + header, length - header) if offset + length <= size else b""
            if len(payload) != length - header:
                raise Malformed("moov", "the file ends in it")
            return Located(payload, offset + length if first_moof is None else first_moof)
    raise Malformed("", "there is no index (moov) in it")


def fragments(read: Read, size: int, start: int) -> Iterator[tuple[int, bytes]]:
    """Offset and payload of each `moof` from `start` on; one that is cut off ends them. Raises `Malformed`."""
    for kind, offset, header, length in _top_boxes(read, size, start):
        if kind != "moof":
            continue
        if length > LARGEST_MOOF:
            raise Malformed("moof", f"it has {length} bytes, more than the {LARGEST_MOOF} that may be")
        payload = read(offset + header, length - header) if offset + length <= size else b""
        if len(payload) != length - header:
            return
        yield offset, payload


def is_cut_off(read: Read, size: int) -> bool:
    """Whether the last box claims to end behind the end of the file. Raises `Malformed`."""
    end = 0
    for _, offset, _, length in _top_boxes(read, size, 0):
        end = offset + length
    return end > size


def undescribed_tracks(read: Read, size: int) -> list[int]:
    """Where the kinds ("trak") of those tracks stand whose `stsd` has no entries. Raises `Malformed`.

    Cameras write such tracks for data of their own. FFmpeg refuses the whole file for one.
    """
    found: list[int] = []
    for kind, offset, header, length in _top_boxes(read, size, 0):
        if kind != "moov" or length > LARGEST_MOOV:
            continue
        moov = read(offset + header, length - header)
        for each, at, data in _boxes(moov):
            if each == "trak":
                path = data
                for name in ("mdia", "minf", "stbl", "stsd"):
                    path = next((inner for kind, _, inner in _boxes(path) if kind == name), b"")
                if len(path) >= 8 and path[4:8] == bytes(4):
                    found.append(offset + header + at + 4)
    return found


def _boxes(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Kind, offset and payload of each box."""
    at = 0
    while (head := read_head(data[at : at + 16])) is not None:
        length = len(data) - at if head.size is None else head.size
        yield head.kind, at, data[at + head.header : at + length]
        at += max(length, head.header)


def _top_boxes(read: Read, size: int, start: int) -> Iterator[tuple[str, int, int, int]]:
    """Kind, offset, bytes of head, and bytes of each box in the file; the last may claim more than there is."""
    offset = start
    for _ in range(MOST_TOP_BOXES):
        head = read_head(read(offset, 16))
        if head is None:
            return  # the end, or what was written behind it
        length = size - offset if head.size is None else head.size
        yield head.kind, offset, head.header, length
        offset += length
        if offset >= size:
            return
    raise Malformed("", f"there are more than {MOST_TOP_BOXES} boxes in it")
