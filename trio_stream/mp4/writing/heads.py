"""The head of a segment: styp, moof with one track and one run, and the beginning of mdat, whose data follow at once.

What all samples have in common is said once. Sources: ISO/IEC 14496-12 sections 8.8 and 8.16.2; ISO/IEC 23000-19 (CMAF)
section 7.5.
"""

import struct
from array import array
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from sys import byteorder

from trio_stream.mp4.boxes import box, full_box

SYNC, NOT_SYNC = 0x02000000, 0x01010000
"""Sample flags (section 8.8.3.1): depends on no other; depends on others, is no sync sample."""

LATEST = 1 << 30
"""Units of a timescale by which a track may begin later, so that one sample can say it."""

SHORT = 0.1
"""Seconds by which a track may end before another one."""

_STYP = box("styp", b"cmfs", struct.pack(">I", 0), b"cmfs", b"msdh")
_TFHD_FLAGS = 0x020000 | 0x20  # default-base-is-moof, default-sample-flags-present


@dataclass(frozen=True, slots=True)
class Flags:
    """Flags of the samples: what is common, what the first has instead, and those of each where that does not do."""

    common: int
    first: int | None = None
    each: "array[int] | None" = None

    @classmethod
    def of(cls, keys: Sequence[int], count: int) -> "Flags":
        """Those of `count` samples of which the ones at `keys` are sync samples."""
        if len(keys) == count:
            return cls(SYNC)
        if len(keys) == 0:
            return cls(NOT_SYNC)
        if len(keys) == 1 and keys[0] == 0:
            return cls(NOT_SYNC, first=SYNC)
        each = array("I", (NOT_SYNC,)) * count
        for key in keys:
            each[key] = SYNC
        return cls(NOT_SYNC, each=each)


LATE = 4
"""Seconds by which pictures may begin later than the title and still be shown when they are in the file.

hls.js 1.7 passes over 5 s. Where there are 6 it takes the first segment to lie where its pictures are, and all that
follow to lie as much later, so a seek leads to another place or ends in waiting for ever.
"""


def from_zero(decoded: int, durations: MutableSequence[int], offsets: MutableSequence[int]) -> int:
    """When the first sample of a track is decoded that would be at `decoded`: at 0, and shown when it was to be, as its
    duration and offset say then. Players take the time at which the first segment is decoded for that at which its
    playlist begins. It stays where it is if one sample cannot say that.
    """
    if decoded + max(durations[0], offsets[0]) > LATEST:
        return decoded
    durations[0] += decoded
    offsets[0] += decoded
    return 0


def shown_from_zero(
    decoded: int, durations: MutableSequence[int], offsets: MutableSequence[int], hidden: int, timescale: int
) -> int:
    """As `from_zero`, of pictures. Where they are `LATE`, the first of them is shown from 0 on, until the second is: so
    a browser shows it that waits for pictures. `hidden` units are hidden by the edit list of the init segment."""
    at = from_zero(decoded, durations, offsets)
    if at == 0 and offsets[0] - hidden >= LATE * timescale:
        offsets[0] = hidden
    return at


def segment_head(
    sequence: int,
    decoded: int,
    durations: "array[int]",
    sizes: "array[int]",
    flags: Flags,
    offsets: "array[int] | None" = None,
    *,
    track: int = 1,
) -> bytes:
    """What stands before the bytes of samples of `track` in segment `sequence`, counted from 1.

    `decoded` is when the first one is; `offsets`, signed, are of when each is shown from when it is decoded. Columns
    are of 32-bit numbers, and as long as each other. Raises `ValueError` for numbers that a segment cannot hold.
    """
    count = len(sizes)
    data = sum(sizes)
    run_flags = 0x1
    columns: list[array[int]] = []
    defaults: list[int] = []
    track_flags = _TFHD_FLAGS
    for column, as_default, in_run in ((durations, 0x8, 0x100), (sizes, 0x10, 0x200)):
        if count and column.count(column[0]) == count:
            track_flags |= as_default
            defaults.append(column[0])
        else:
            run_flags |= in_run
            columns.append(column)
    first = b""
    if flags.first is not None:
        run_flags |= 0x4
        first = struct.pack(">I", flags.first)
    if flags.each is not None:
        run_flags |= 0x400
        columns.append(flags.each)
    if offsets is not None:
        run_flags |= 0x800
        columns.append(array("I", offsets.tobytes()))
    try:
        tfhd = full_box(
            "tfhd", 0, track_flags, struct.pack(f">{len(defaults) + 2}I", track, *defaults, flags.common)
        )
        tfdt = full_box("tfdt", 1, 0, struct.pack(">Q", decoded))
        trun_size = 20 + len(first) + 4 * count * len(columns)
        traf_size = 8 + len(tfhd) + len(tfdt) + trun_size
        moof_size = 24 + traf_size
        mdat = _mdat(data)
        return b"".join((
            _STYP,
            struct.pack(">I4s", moof_size, b"moof"),
            full_box("mfhd", 0, 0, struct.pack(">I", sequence)),
            struct.pack(">I4s", traf_size, b"traf"),
            tfhd,
            tfdt,
            struct.pack(">I4sIIi", trun_size, b"trun", 1 << 24 | run_flags, count, moof_size + len(mdat)),
            first,
            _rows(columns, count),
            mdat,
        ))  # fmt: skip
    except struct.error as error:
        raise ValueError(f"no segment can hold this: {error}") from None


def _mdat(data: int) -> bytes:
    if data + 8 < 1 << 32:
        return struct.pack(">I4s", data + 8, b"mdat")
    return struct.pack(">I4sQ", 1, b"mdat", data + 16)


def _rows(columns: "list[array[int]]", count: int) -> bytes:
    """The columns as rows of 32-bit numbers."""
    if not columns:
        return b""
    rows = array("I", bytes(4 * count * len(columns)))
    for at, column in enumerate(columns):
        rows[at :: len(columns)] = column
    if byteorder == "little":
        rows.byteswap()
    return rows.tobytes()
