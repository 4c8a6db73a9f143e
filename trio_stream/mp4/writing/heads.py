"""The header of a segment: styp, moof with one track and one run, and the start of mdat, directly before its data.

Values common to all samples are written once. Sources: ISO/IEC 14496-12 sections 8.8 and 8.16.2; ISO/IEC 23000-19
(CMAF) section 7.5.
"""

import struct
from array import array
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from sys import byteorder

from trio_stream.mp4.boxes import box, full_box

SYNC, NOT_SYNC = 0x02000000, 0x01010000
"""Sample flags (section 8.8.3.1): depends on no other sample; depends on others and is not a sync sample."""

LATEST = 1 << 30
"""Units of a timescale by which a track may begin late, so that the duration of one sample can bridge it."""

SHORT = 0.1
"""Seconds by which a track may end before another one without being extended."""

_STYP = box("styp", b"cmfs", struct.pack(">I", 0), b"cmfs", b"msdh")
_TFHD_FLAGS = 0x020000 | 0x20  # default-base-is-moof, default-sample-flags-present


@dataclass(frozen=True, slots=True)
class Flags:
    """Sample flags: the common ones, those of the first sample if they differ, and those of each where neither fits."""

    common: int
    first: int | None = None
    per_sample: "array[int] | None" = None

    @classmethod
    def of(cls, keys: Sequence[int], count: int) -> "Flags":
        """The flags of `count` samples, of which those at `keys` are sync samples."""
        if len(keys) == count:
            return cls(SYNC)
        if len(keys) == 0:
            return cls(NOT_SYNC)
        if len(keys) == 1 and keys[0] == 0:
            return cls(NOT_SYNC, first=SYNC)
        per_sample = array("I", (NOT_SYNC,)) * count
        for key in keys:
            per_sample[key] = SYNC
        return cls(NOT_SYNC, per_sample=per_sample)


LATE = 4
"""Seconds by which the video may begin later than the title without its first frame being shown early.

hls.js 1.7 skips gaps of up to 5 s. At 6 s it places the first segment where its frames are, and all that follow as
much later, so a seek ends at another position or waits forever.
"""


def from_zero(decoded: int, durations: MutableSequence[int], offsets: MutableSequence[int]) -> int:
    """Decode the first sample of a track, due at `decoded`, at 0 instead; returns its new decode time.

    Its duration and composition offset change so that it is presented when it was before. Players take the decode time
    of the first segment for the beginning of its playlist. If one sample cannot express that, nothing changes.
    """
    if decoded + max(durations[0], offsets[0]) > LATEST:
        return decoded
    durations[0] += decoded
    offsets[0] += decoded
    return 0


def shown_from_zero(
    decoded: int, durations: MutableSequence[int], offsets: MutableSequence[int], hidden: int, timescale: int
) -> int:
    """Like `from_zero`, for video. If the video begins `LATE`, its first frame is shown from 0 until the second one,
    for browsers that wait for frames. The edit list of the init segment hides `hidden` units."""
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
    """The boxes before the bytes of samples of `track` in segment `sequence`, counted from 1.

    `decoded` is the decode time of the first sample; `offsets` are signed composition offsets. All columns hold 32-bit
    numbers and have the same length. Raises `ValueError` for numbers that do not fit into a segment.
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
    if flags.per_sample is not None:
        run_flags |= 0x400
        columns.append(flags.per_sample)
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
        raise ValueError(f"a number does not fit into the segment header: {error}") from None


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
