"""Parameter sets of H.264 and HEVC: where a stream has them, and which of them are in force where (pure).

In MP4 they stand in the init segment, and only there if they never change. If they do, as where an advertisement of
another size stands in a film, samples bring them along (the sample entries "avc3" and "hev1"), and each keyframe has
those that are in force, so that decoding may begin with it.

Sources: ISO/IEC 14496-15 sections 5.3.3, 5.4.2, 8.3.3 and 8.4.1; ITU-T H.264 table 7-1, H.265 table 7-1.
"""

import re
from bisect import bisect_right
from collections.abc import Buffer, Iterator, Sequence
from operator import itemgetter

from trio_stream.media.formats.codecs import nal_units

IN_BAND = {"h264": "avc3", "hevc": "hev1"}
"""Sample entries of tracks whose samples bring parameter sets."""

CHANGES_LIMIT = 200
"""Changes of parameter sets that are noted."""

SETS_LIMIT = 500
"""Bytes of the parameter sets that are in force at one time; those of an encoder are a tenth of it."""

MOST_SETS = 64
"""Parameter sets that are in force at one time."""

_START = re.compile(rb"\0\0\x01")
_SLICES = {"h264": range(1, 6), "hevc": range(32)}
_SETS = {"h264": frozenset({7, 8, 13, 15}), "hevc": frozenset({32, 33, 34})}
_FIRST_SETS = {"h264": frozenset({7}), "hevc": frozenset({32, 33})}
_DELIMITER = {"h264": 9, "hevc": 35}
"""Kinds of units: slices, parameter sets, those of them that begin a new description, an access unit delimiter."""


def _kind(codec: str, first: int) -> int:
    return first & 0x1F if codec == "h264" else first >> 1 & 0x3F


def _telling(codec: str) -> re.Pattern[bytes]:
    """Finds the start of the next unit that is a slice or a parameter set: of most packets, their first slice."""
    kinds = {"slice": _SLICES[codec], "set": _SETS[codec]}
    classes = {
        name: b"".join(re.escape(bytes([first])) for first in range(256) if _kind(codec, first) in kind)
        for name, kind in kinds.items()
    }
    return re.compile(rb"\0\0\x01(?:(?P<slice>[%b])|(?P<set>[%b]))" % (classes["slice"], classes["set"]))


_TELLING = {codec: _telling(codec) for codec in IN_BAND}

_SIZES_AT = {"h264": 4, "hevc": 21}
"""Where a record says how many bytes the length of a unit has, less one."""


def is_byte_stream(codec: str, extradata: bytes) -> bool:
    """Whether the units of a track lie between start codes: what describes it is no AVC- or
    HEVCDecoderConfigurationRecord."""
    return codec in IN_BAND and extradata[:1] != b"\x01"


def sets_of(codec: str, extradata: bytes) -> list[bytes]:
    """The parameter sets that describe a track, as many as can be read."""
    if is_byte_stream(codec, extradata):
        units = [unit.rstrip(b"\0") for unit in nal_units(extradata)]
        return [unit for unit in units if _kind(codec, unit[0]) in _SETS[codec]]
    return list(_avc_record(extradata) if codec == "h264" else _hevc_record(extradata))


def sets_in(codec: str, packet: Buffer) -> list[bytes]:
    """The parameter sets that a packet of a byte stream brings before its first slice."""
    data = memoryview(packet)
    found: list[bytes] = []
    at = 0
    while (unit := _TELLING[codec].search(data, at)) is not None and unit.lastgroup == "set":
        begins = unit.end() - 1
        after = _START.search(data, begins)
        at = after.start() if after is not None else len(data)
        found.append(bytes(data[begins:at]).rstrip(b"\0"))
    return found


def sets_behind_lengths(codec: str, packet: Buffer, lengths: int) -> list[bytes]:
    """The parameter sets that a packet brings before its first slice, whose units have their lengths before them, in so
    many bytes each."""
    data = memoryview(packet)
    found: list[bytes] = []
    at = 0
    while at + lengths < len(data):
        begins = at + lengths
        at = begins + int.from_bytes(data[at:begins])
        kind = _kind(codec, data[begins])
        if kind in _SLICES[codec]:
            break
        if kind in _SETS[codec] and begins < at <= len(data):
            found.append(bytes(data[begins:at]).rstrip(b"\0"))
    return found


class Following:
    """Follows the parameter sets of a track through its packets.

    `framed`: the track is a byte stream. `described` are the sets that describe it, as a byte stream; `others`: packets
    brought some that do not. `changes` says which are in force from which keyframe on, as (timestamp, byte stream).
    It is None where they change so often, or are so large, that nobody notes them.
    """

    def __init__(self, codec: str, extradata: bytes) -> None:
        self._codec = codec
        self._now = sets_of(codec, extradata)
        self._known = frozenset(self._now)
        self.framed = is_byte_stream(codec, extradata)
        self.described = _joined(self._now)
        self.others = False
        self._lengths = 0 if self.framed else _lengths(codec, extradata)
        notable = len(self.described) <= SETS_LIMIT and (self.framed or self._lengths == 4)
        self.changes: list[tuple[int, bytes]] | None = [] if notable else None

    def take(self, packet: Buffer, record: bytes | None, keyframe: int | None) -> None:
        """Note one packet, before which `record` described the track anew, if it did.

        `keyframe`: when it is shown, None if it is no keyframe.
        """
        brought = sets_of(self._codec, record) if record else []
        if self.framed:
            brought += sets_in(self._codec, packet)
        elif keyframe is not None and self._lengths:
            brought += sets_behind_lengths(self._codec, packet, self._lengths)
        if brought:
            self.others = self.others or not self._known.issuperset(brought)
            again = any(_kind(self._codec, unit[0]) in _FIRST_SETS[self._codec] for unit in brought)
            kept = [] if again else [unit for unit in self._now if unit not in brought]
            self._now = [*kept, *brought][-MOST_SETS:]
        if keyframe is not None and self.changes is not None:
            units = _joined(self._now)
            if not self.changes or units != self.changes[-1][1]:
                self.changes.append((keyframe, units))
            if len(self.changes) > CHANGES_LIMIT or len(units) > SETS_LIMIT:
                self.changes = None


class InForce:
    """What keyframes of a track need: `changes` as `Following` has them, in any unit of time."""

    def __init__(self, codec: str, changes: Sequence[tuple[int, bytes]]) -> None:
        self._codec = codec
        self._changes = changes

    def before(self, sample: bytes, time: int) -> bytes:
        """The keyframe that is shown at `time`, with the parameter sets that are in force, if it brings none.

        A sample is units with their lengths, four bytes each, before them.
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


def _lengths(codec: str, record: bytes) -> int:
    """How many bytes the length of a unit has."""
    at = _SIZES_AT[codec]
    return (record[at] & 3) + 1 if at < len(record) else 0


def _joined(units: Sequence[bytes]) -> bytes:
    return b"".join(b"\0\0\x01" + unit for unit in units)


def _avc_record(data: bytes) -> Iterator[bytes]:
    """Those of an AVCDecoderConfigurationRecord (section 5.3.3.1.2)."""
    at = 5
    for few in (0x1F, 0xFF):
        count = data[at] & few if at < len(data) else 0
        at += 1
        for _ in range(count):
            unit = _sized(data, at)
            if unit:
                yield unit
            at += 2 + len(unit)


def _hevc_record(data: bytes) -> Iterator[bytes]:
    """Those of an HEVCDecoderConfigurationRecord (section 8.3.3.1.2)."""
    at = 23
    for _ in range(data[22] if len(data) > 22 else 0):
        count, at = int.from_bytes(data[at + 1 : at + 3]), at + 3
        for _ in range(count if at < len(data) else 0):
            unit = _sized(data, at)
            if unit:
                yield unit
            at += 2 + len(unit)


def _sized(data: bytes, at: int) -> bytes:
    """What has its size in two bytes before it; nothing, if that is not all there."""
    end = at + 2 + int.from_bytes(data[at : at + 2])
    return data[at + 2 : end] if end <= len(data) else b""
