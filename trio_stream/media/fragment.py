"""One segment as bytes: styp, moof with one track and one run, mdat (pure).

Sources: ISO/IEC 14496-12 sections 8.8 (movie fragments) and 8.16.2 (styp), ISO/IEC 23000-19 (CMAF) section 7.3.2.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

TRACK_ID = 1
"""Of the only track of an init segment."""

SYNC, OTHER = 0x0200_0000, 0x0101_0000
"""Sample flags: depends on no other; depends on others and is no sync sample (section 8.8.3.1)."""

_STYP = struct.pack(">I4s4sI4s4s4s", 28, b"styp", b"msdh", 0, b"msdh", b"cmfs", b"iso6")
_DEFAULT_BASE_IS_MOOF = 0x02_0000
_VERSION_1 = 1 << 24
_RUN_FLAGS = 0x001 | 0x100 | 0x200 | 0x400 | 0x800  # where the data is; duration, size, flags, offset of each


class Sample(NamedTuple):
    """`duration` and `offset` (of when it is shown from when it is decoded) in the timescale, `size` in bytes."""

    duration: int
    size: int
    sync: bool
    offset: int


def head(sequence: int, decoded: int, samples: Sequence[Sample]) -> bytes:
    """Everything of a segment before the bytes of its samples; `decoded`: when the first one is.

    Raises `ValueError` for numbers that a segment cannot hold.
    """
    try:
        run = b"".join(
            struct.pack(">IIIi", each.duration, each.size, SYNC if each.sync else OTHER, each.offset)
            for each in samples
        )
        traf_size = 8 + 16 + 20 + 20 + len(run)
        moof_size = 8 + 16 + traf_size
        return b"".join((
            _STYP,
            struct.pack(">I4s", moof_size, b"moof"),
            struct.pack(">I4sII", 16, b"mfhd", 0, sequence),
            struct.pack(">I4s", traf_size, b"traf"),
            struct.pack(">I4sII", 16, b"tfhd", _DEFAULT_BASE_IS_MOOF, TRACK_ID),
            struct.pack(">I4sIQ", 20, b"tfdt", _VERSION_1, decoded),
            struct.pack(">I4sIIi", 20 + len(run), b"trun", _VERSION_1 | _RUN_FLAGS, len(samples), moof_size + 8),
            run,
            struct.pack(">I4s", 8 + sum(each.size for each in samples), b"mdat"),
        ))  # fmt: skip
    except struct.error as error:
        raise ValueError(f"no segment can hold this: {error}") from None
