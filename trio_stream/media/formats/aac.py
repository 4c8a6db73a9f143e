"""AAC as MP4 and browsers have it: what describes a stream, and its frames without what describes them again (pure).

A stream says in four bits how many channels it has, in an order that is a standard; where they are 0, a program config
element (PCE) lists them. Chromium's Media Source refuses such streams, and numbers above 7. Many are in an order that
has such a number all the same, and are described by that here; of the others a browser can make nothing.

Source: ISO/IEC 14496-3 sections 1.6.2.1 (AudioSpecificConfig), 1.A.3.2 (ADTS), 4.4.1 (GASpecificConfig) and 4.4.1.1
(PCE), tables 1.19 and 4.85.
"""

from typing import NamedTuple

UNARRANGED = "browsers take no segments of AAC whose channels are arranged in this way"
"""Why a track is left out whose arrangement no standard has."""

_STANDARD = {
    ("S", "", "", 0): 1,
    ("C", "", "", 0): 2,
    ("SC", "", "", 0): 3,
    ("SC", "", "S", 0): 4,
    ("SC", "", "C", 0): 5,
    ("SC", "C", "", 0): 5,
    ("SC", "", "C", 1): 6,
    ("SC", "C", "", 1): 6,
    ("SCC", "", "C", 1): 7,
    ("SC", "C", "C", 1): 7,
    ("SC", "", "CC", 1): 7,
}
"""channelConfiguration by what is in front, at the sides and behind, each single (S) or a pair (C), and low
frequencies. With a pair at the sides and one behind it were 12, whose elements are those of 7: FFmpeg decodes both to
the same samples, as most encoders mean 12 when they say 7."""

_MOST, _SIDES_AND_BACK, _WIDE = 7, 12, 7
"""The highest number that Chromium knows; those of arrangements with the same elements."""

_PCE = 5
"""The kind of element, in three bits."""

_GENERAL = frozenset({1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23})
"""Audio object types with a GASpecificConfig."""

_ESCAPED = 31
_RATE_SAID, _SPECTRAL, _PARAMETRIC = 15, 5, 29


class _Bits:
    """Reads bits from `data`, of which the first is at `at`. Raises `ValueError` at the end."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._text = f"{int.from_bytes(data):0{8 * len(data)}b}" if data else ""
        self.at = at

    def take(self, count: int) -> int:
        self.at += count
        if self.at > len(self._text):
            raise ValueError("what describes its AAC ends too early")
        return int(self._text[self.at - count : self.at] or "0", 2)

    def text(self, start: int, stop: int | None = None) -> str:
        """Bits as digits."""
        return self._text[start:stop]


class _Element(NamedTuple):
    """A PCE: the bits before the padding and those behind it, and the arrangement of its channels."""

    before: str
    behind: str
    arrangement: tuple[str, str, str, int]


def audio_specific_config(packet: bytes) -> bytes:
    """What an ADTS header, and a PCE at the start of its frame, say of a stream, as MP4 has it. Raises `ValueError`."""
    begin = _frame(packet)
    kind = (packet[2] >> 6) + 1
    rate = packet[2] >> 2 & 15
    channels = (packet[2] & 1) << 2 | packet[3] >> 6
    if rate > 12:
        raise ValueError("its AAC describes itself in a way that MP4 cannot")
    head = f"{kind:05b}{rate:04b}{channels:04b}000"
    if channels:
        return _bytes(head)
    bits = _Bits(packet[begin : begin + 400])
    if bits.take(3) != _PCE:
        raise ValueError(UNARRANGED)
    element = _element(bits, 0)
    return _bytes(_aligned(head + element.before) + element.behind)


def without_header(packet: bytes) -> bytes:
    """The one frame behind an ADTS header, without a PCE that it begins with. Raises `ValueError`."""
    begin = _frame(packet)
    if (packet[2] & 1) << 2 | packet[3] >> 6 or begin == len(packet) or packet[begin] >> 5 != _PCE:
        return packet[begin:]
    bits = _Bits(packet[begin : begin + 400], 3)
    _element(bits, 0)
    return packet[begin + bits.at // 8 :]


def arranged(config: bytes) -> bytes:
    """The AudioSpecificConfig of a stream, with a number that browsers know in place of a PCE, or of another number.

    Raises `ValueError` where there is none for its channels.
    """
    bits = _Bits(config)
    kind = _kind(bits)
    _rate(bits)
    at = bits.at
    if channels := bits.take(4):
        return _numbered(config, kind, at, channels)
    if kind in {_SPECTRAL, _PARAMETRIC}:
        _rate(bits)
        kind = _kind(bits)
    if kind not in _GENERAL:
        return config  # its channels are told elsewhere
    begin = bits.at
    bits.take(1)
    if bits.take(1):
        bits.take(14)
    bits.take(1)
    general = bits.text(begin, bits.at)
    element = _element(bits, 0)
    if (number := _STANDARD.get(element.arrangement)) is None:
        raise ValueError(UNARRANGED)
    return _bytes(
        bits.text(0, at) + f"{number:04b}" + bits.text(at + 4, begin) + general + bits.text(bits.at)
    )


def _numbered(config: bytes, kind: int, at: int, channels: int) -> bytes:
    """A config whose number of `channels` stands at the bit `at`, with a number that browsers know."""
    if channels <= _MOST or kind not in _GENERAL | {_SPECTRAL, _PARAMETRIC}:
        return config
    if channels != _SIDES_AND_BACK:
        raise ValueError(UNARRANGED)
    bits = _Bits(config)
    return _bytes(bits.text(0, at) + f"{_WIDE:04b}" + bits.text(at + 4))


def _frame(packet: bytes) -> int:
    """Where the frame begins behind an ADTS header."""
    if len(packet) < 9 or packet[0] != 0xFF or packet[1] & 0xF6 != 0xF0:
        raise ValueError("a frame of AAC has no header")
    if packet[6] & 3:
        raise ValueError("several frames of AAC have one header")
    return 7 if packet[1] & 1 else 9


def _kind(bits: _Bits) -> int:
    kind = bits.take(5)
    return 32 + bits.take(6) if kind == _ESCAPED else kind


def _rate(bits: _Bits) -> None:
    if bits.take(4) == _RATE_SAID:
        bits.take(24)


def _element(bits: _Bits, origin: int) -> _Element:
    """The PCE at which `bits` stand, which are read to its end; its padding is counted from `origin`."""
    begin = bits.at
    bits.take(4 + 2 + 4)
    counts = [bits.take(size) for size in (4, 4, 4, 2, 3, 4)]
    for mixdown in (4, 4, 3):
        if bits.take(1):
            bits.take(mixdown)
    places = ["".join("C" if bits.take(5) >> 4 else "S" for _ in range(count)) for count in counts[:3]]
    bits.take(4 * (counts[3] + counts[4]) + 5 * counts[5])
    before = bits.text(begin, bits.at)
    bits.take(-(bits.at - origin) % 8)
    padded = bits.at
    bits.take(8 * bits.take(8))
    front, side, back = places
    coupled = "" if not counts[5] else "coupled"  # channels that are added to others; no standard has them
    return _Element(before, bits.text(padded, bits.at), (front + coupled, side, back, counts[3]))


def _aligned(text: str) -> str:
    return text + "0" * (-len(text) % 8)


def _bytes(text: str) -> bytes:
    text = _aligned(text)
    return int(text, 2).to_bytes(len(text) // 8)
