"""Parameter sets of H.264 and HEVC: where a stream has them, and which of them apply where (pure).

In MP4 they are in the init segment, and only there if they never change. If they do, as for an advertisement of another
size, samples contain them too (the sample entries "avc3" and "hev1"). Each keyframe then has those that apply, so that
decoding can begin with it.

Sources: ISO/IEC 14496-15 sections 5.3.3, 5.4.2, 8.3.3 and 8.4.1; ITU-T H.264 table 7-1, H.265 table 7-1.
"""

import re
from bisect import bisect_right
from collections.abc import Buffer, Iterator, Sequence
from operator import itemgetter

from trio_stream.media.formats.codecs import nal_units

IN_BAND = {"h264": "avc3", "hevc": "hev1"}
"""Sample entries of tracks whose samples contain parameter sets."""

CHANGES_LIMIT = 200
"""Changes of parameter sets that are recorded."""

SETS_LIMIT = 500
"""Bytes of the parameter sets that apply at one time; those of encoders are a tenth as long."""

MAX_SETS = 64
"""Parameter sets that apply at one time."""

_START = re.compile(rb"\0\0\x01")
_SLICES = {"h264": range(1, 6), "hevc": range(32)}
_SETS = {"h264": frozenset({7, 8, 13, 15}), "hevc": frozenset({32, 33, 34})}
_FIRST_SETS = {"h264": frozenset({7}), "hevc": frozenset({32, 33})}
_DELIMITER = {"h264": 9, "hevc": 35}
"""NAL unit types: slices, parameter sets, those that begin a new description, the access unit delimiter."""


def _kind(codec: str, first: int) -> int:
    return first & 0x1F if codec == "h264" else first >> 1 & 0x3F


def _slice_or_set(codec: str) -> re.Pattern[bytes]:
    """Build a pattern for the next slice or parameter set; in most packets it matches the first slice."""
    kinds = {"slice": _SLICES[codec], "set": _SETS[codec]}
    classes = {
        name: b"".join(re.escape(bytes([first])) for first in range(256) if _kind(codec, first) in kind)
        for name, kind in kinds.items()
    }
    return re.compile(rb"\0\0\x01(?:(?P<slice>[%b])|(?P<set>[%b]))" % (classes["slice"], classes["set"]))


_SLICE_OR_SET = {codec: _slice_or_set(codec) for codec in IN_BAND}

_LENGTH_SIZE_AT = {"h264": 4, "hevc": 21}
"""Offset in a configuration record of the byte with lengthSizeMinusOne."""


def is_byte_stream(codec: str, extradata: bytes) -> bool:
    """Whether the units of a track have start codes: its extradata is not an AVC- or HEVCDecoderConfigurationRecord."""
    return codec in IN_BAND and extradata[:1] != b"\x01"


def sets_of(codec: str, extradata: bytes) -> list[bytes]:
    """Return the parameter sets in the extradata of a track, as many as can be read."""
    if is_byte_stream(codec, extradata):
        units = [unit.rstrip(b"\0") for unit in nal_units(extradata)]
        return [unit for unit in units if _kind(codec, unit[0]) in _SETS[codec]]
    return list(_avc_record(extradata) if codec == "h264" else _hevc_record(extradata))


def sets_in(codec: str, packet: Buffer) -> list[bytes]:
    """Return the parameter sets before the first slice of a packet of a byte stream."""
    data = memoryview(packet)
    sets: list[bytes] = []
    at = 0
    while (unit := _SLICE_OR_SET[codec].search(data, at)) is not None and unit.lastgroup == "set":
        begin = unit.end() - 1
        after = _START.search(data, begin)
        at = after.start() if after is not None else len(data)
        sets.append(bytes(data[begin:at]).rstrip(b"\0"))
    return sets


def sets_after_lengths(codec: str, packet: Buffer, length_size: int) -> list[bytes]:
    """Return the parameter sets before the first slice of a packet whose units follow their lengths.

    Each length has `length_size` bytes.
    """
    data = memoryview(packet)
    sets: list[bytes] = []
    at = 0
    while at + length_size < len(data):
        begin = at + length_size
        at = begin + int.from_bytes(data[at:begin])
        kind = _kind(codec, data[begin])
        if kind in _SLICES[codec]:
            break
        if kind in _SETS[codec] and begin < at <= len(data):
            sets.append(bytes(data[begin:at]).rstrip(b"\0"))
    return sets


class ParameterSetTracker:
    """Follows the parameter sets of a track through its packets.

    `is_byte_stream`: its units have start codes. `described` are the sets in its description, as a byte stream;
    `has_others`: some packets have sets that are not in it. `changes` says which sets apply from which keyframe on, as
    (timestamp, byte stream). It is None if they change too often, or are too large, to be recorded.
    """

    def __init__(self, codec: str, extradata: bytes) -> None:
        self._codec = codec
        self._now = sets_of(codec, extradata)
        self._described_sets = frozenset(self._now)
        self.is_byte_stream = is_byte_stream(codec, extradata)
        self.described = _byte_stream(self._now)
        self.has_others = False
        self._length_size = 0 if self.is_byte_stream else _length_size(codec, extradata)
        is_recordable = len(self.described) <= SETS_LIMIT and (self.is_byte_stream or self._length_size == 4)
        self.changes: list[tuple[int, bytes]] | None = [] if is_recordable else None

    def take(self, packet: Buffer, record: bytes | None, keyframe: int | None) -> None:
        """Process a packet; `record` is a new description of the track before it, if there is one.

        `keyframe`: when it is shown, None if it is not a keyframe.
        """
        new = sets_of(self._codec, record) if record else []
        if self.is_byte_stream:
            new += sets_in(self._codec, packet)
        elif keyframe is not None and self._length_size:
            new += sets_after_lengths(self._codec, packet, self._length_size)
        if new:
            self.has_others = self.has_others or not self._described_sets.issuperset(new)
            replaces_all = any(_kind(self._codec, unit[0]) in _FIRST_SETS[self._codec] for unit in new)
            old = [] if replaces_all else [unit for unit in self._now if unit not in new]
            self._now = [*old, *new][-MAX_SETS:]
        if keyframe is not None and self.changes is not None:
            units = _byte_stream(self._now)
            if not self.changes or units != self.changes[-1][1]:
                self.changes.append((keyframe, units))
            if len(self.changes) > CHANGES_LIMIT or len(units) > SETS_LIMIT:
                self.changes = None


class CurrentParameterSets:
    """Adds parameter sets to keyframes; `changes` are those of a `ParameterSetTracker`, in any unit of time."""

    def __init__(self, codec: str, changes: Sequence[tuple[int, bytes]]) -> None:
        self._codec = codec
        self._changes = changes

    def before(self, sample: bytes, time: int) -> bytes:
        """Return the keyframe shown at `time`, with the parameter sets that apply if it has none.

        In a sample, each unit follows its length, which has four bytes.
        """
        at = 0
        first = 0
        while at + 4 < len(sample):
            kind = _kind(self._codec, sample[at + 4])
            if kind in _SLICES[self._codec]:
                break
            if kind in _SETS[self._codec]:
                return sample
            at += 4 + int.from_bytes(sample[at : at + 4])
            if kind == _DELIMITER[self._codec]:
                first = at
        number = bisect_right(self._changes, time, key=itemgetter(0)) - 1
        units = nal_units(self._changes[max(0, number)][1])
        sets = b"".join(len(unit).to_bytes(4) + unit for unit in units)
        return sample[:first] + sets + sample[first:]


def _length_size(codec: str, record: bytes) -> int:
    """Return how many bytes the length of a unit has."""
    at = _LENGTH_SIZE_AT[codec]
    return (record[at] & 3) + 1 if at < len(record) else 0


def _byte_stream(units: Sequence[bytes]) -> bytes:
    return b"".join(b"\0\0\x01" + unit for unit in units)


def _avc_record(data: bytes) -> Iterator[bytes]:
    """Yield the sets of an AVCDecoderConfigurationRecord (section 5.3.3.1.2)."""
    at = 5
    for mask in (0x1F, 0xFF):
        count = data[at] & mask if at < len(data) else 0
        at += 1
        for _ in range(count):
            unit = _sized(data, at)
            if unit:
                yield unit
            at += 2 + len(unit)


def _hevc_record(data: bytes) -> Iterator[bytes]:
    """Yield the sets of an HEVCDecoderConfigurationRecord (section 8.3.3.1.2)."""
    at = 23
    for _ in range(data[22] if len(data) > 22 else 0):
        count, at = int.from_bytes(data[at + 1 : at + 3]), at + 3
        for _ in range(count if at < len(data) else 0):
            unit = _sized(data, at)
            if unit:
                yield unit
            at += 2 + len(unit)


def _sized(data: bytes, at: int) -> bytes:
    """Return what follows its size in two bytes; nothing if it is truncated."""
    end = at + 2 + int.from_bytes(data[at : at + 2])
    return data[at + 2 : end] if end <= len(data) else b""
