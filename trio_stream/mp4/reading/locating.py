"""Finds the boxes of a file that list its samples: `moov`, at either end, and the `moof` boxes in between.

The file is read through `read(offset, length)`, which returns fewer bytes only at its end. Only the headers of other
boxes are read, so `mdat` costs nothing."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from trio_stream.mp4.boxes import Box, Head, Malformed, read_boxes, read_head

LARGEST_MOOV = 128 << 20
"""Maximum bytes of a `moov`: enough for a video of a day with five tracks."""

LARGEST_MOOF = 16 << 20
MAX_TOP_BOXES = 200_000
"""Maximum number of boxes in a file: a day of one-second fragments has 172,800."""

type Read = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Located:
    """The payload of a `moov`; `fragments_from` is where to look for the first `moof`."""

    moov: bytes
    fragments_from: int


def locate(read: Read, size: int) -> Located:
    """Find `moov` in a file of `size` bytes. Raises `Malformed`, and the errors of `read`."""
    first_moof: int | None = None
    for head, end in _top_boxes(read, size, 0):
        if head.kind == "moof" and first_moof is None:
            first_moof = head.offset
        elif head.kind == "moov":
            payload = _payload(read, size, head, end, LARGEST_MOOV)
            if payload is None:
                raise Malformed("moov", "the file ends inside it")
            return Located(payload, end if first_moof is None else first_moof)
    raise Malformed("", "it has no index (moov)")


def fragments(read: Read, size: int, start: int) -> Iterator[tuple[int, bytes]]:
    """Offset and payload of each `moof` from `start` on, up to a truncated one. Raises `Malformed`."""
    for head, end in _top_boxes(read, size, start):
        if head.kind != "moof":
            continue
        payload = _payload(read, size, head, end, LARGEST_MOOF)
        if payload is None:
            return
        yield head.offset, payload


def is_cut_off(read: Read, size: int) -> bool:
    """Whether the last box would end beyond the end of the file. Raises `Malformed`."""
    return max((end for _, end in _top_boxes(read, size, 0)), default=0) > size


def undescribed_tracks(read: Read, size: int) -> list[int]:
    """Offsets of the "trak" kind field of the tracks whose `stsd` has no entries. Raises `Malformed`.

    Cameras write such tracks for their own data. FFmpeg refuses the whole file because of one.
    """
    found: list[int] = []
    for head, end in _top_boxes(read, size, 0):
        if head.kind == "moov" and end - head.offset <= LARGEST_MOOV:
            moov = read(head.payload, end - head.payload)
            found += (trak.offset + 4 for trak in _before_damage(moov, head) if _is_undescribed(trak))
    return found


def _before_damage(moov: bytes, head: Head) -> Iterator[Box]:
    """The boxes in a `moov` up to the first invalid one: damage hides no track before it."""
    with suppress(Malformed):
        yield from read_boxes(moov, head.kind, offset=head.payload)


def _is_undescribed(box: Box) -> bool:
    """Whether it is a track whose list of sample entries is empty (ISO/IEC 14496-12 section 8.5.2)."""
    if box.kind != "trak":
        return False
    try:
        _, _, fields = box.get("mdia").get("minf").get("stbl").get("stsd").full()
        return fields.u32() == 0
    except Malformed:
        return False


def _payload(read: Read, size: int, head: Head, end: int, largest: int) -> bytes | None:
    """The payload of a box, None if the file ends inside it. Raises `Malformed` if it is too large."""
    if (length := end - head.offset) > largest:
        raise Malformed(head.kind, f"it has {length} bytes, and the limit is {largest}")
    payload = read(head.payload, end - head.payload) if end <= size else b""
    return payload if len(payload) == end - head.payload else None


def _top_boxes(read: Read, size: int, start: int) -> Iterator[tuple[Head, int]]:
    """Header and end of each box in the file; the last may claim to end beyond the file."""
    offset = start
    for _ in range(MAX_TOP_BOXES):
        head = read_head(read(offset, 16), offset)
        if head is None:
            return  # the end, or data that is not a box
        end = size if head.size is None else offset + head.size
        yield head, end
        offset = end
        if offset >= size:
            return
    raise Malformed("", f"it has more than {MAX_TOP_BOXES} boxes")
