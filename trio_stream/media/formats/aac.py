"""Convert AAC to the form that MP4 and browsers use: an AudioSpecificConfig and frames without headers (pure).

A stream gives its channel layout as a standard number of four bits. If the number is 0, a program config element (PCE)
lists the channels. Chromium's Media Source refuses streams with a PCE, and numbers above 7. Many PCEs list a layout
that has a standard number; this module writes that number instead. Browsers cannot play the others.

Source: ISO/IEC 14496-3 sections 1.6.2.1 (AudioSpecificConfig), 1.A.3.2 (ADTS), 4.4.1 (GASpecificConfig) and 4.4.1.1
(PCE), tables 1.19 and 4.85.
"""

from typing import NamedTuple

NONSTANDARD_LAYOUT = "browsers cannot play segments of AAC with this channel layout"
"""Why a track is left out whose channel layout has no standard number."""

_STANDARD_LAYOUTS = {
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
"""channelConfiguration by the elements at the front, the sides and the back, each a single channel (S) or a pair (C),
and the number of low-frequency channels. A pair at the sides and one at the back would be 12, which has the same
elements as 7. FFmpeg decodes both to the same samples, because most encoders that write 7 mean 12."""

_MAX_SUPPORTED, _SIDES_AND_BACK, _WIDE = 7, 12, 7
"""The highest number that Chromium supports; two numbers whose layouts have the same elements."""

_PCE = 5
"""The three bits that identify this kind of element."""

_GENERAL = frozenset({1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23})
"""Audio object types with a GASpecificConfig."""

_ESCAPED = 31
_EXPLICIT_RATE, _SBR, _PS = 15, 5, 29


class _Bits:
    """Reads the bits of `data`, from bit `at` on. Raises `ValueError` at the end."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._text = f"{int.from_bytes(data):0{8 * len(data)}b}" if data else ""
        self.at = at

    def take(self, count: int) -> int:
        self.at += count
        if self.at > len(self._text):
            raise ValueError("its AAC configuration is truncated")
        return int(self._text[self.at - count : self.at] or "0", 2)

    def text(self, start: int, stop: int | None = None) -> str:
        """Return bits as the digits 0 and 1."""
        return self._text[start:stop]


class _Element(NamedTuple):
    """A PCE: its bits before and after the padding, and its channel layout."""

    before: str
    after: str
    layout: tuple[str, str, str, int]


def audio_specific_config(packet: bytes) -> bytes:
    """Build the config for MP4 from an ADTS header and a PCE that its frame may begin with. Raises `ValueError`."""
    start = _frame_offset(packet)
    kind = (packet[2] >> 6) + 1
    rate = packet[2] >> 2 & 15
    channels = (packet[2] & 1) << 2 | packet[3] >> 6
    if rate > 12:
        raise ValueError("MP4 cannot describe the sample rate of its AAC")
    head = f"{kind:05b}{rate:04b}{channels:04b}000"
    if channels:
        return _bytes(head)
    bits = _Bits(packet[start : start + 400])
    if bits.take(3) != _PCE:
        raise ValueError(NONSTANDARD_LAYOUT)
    element = _read_element(bits, 0)
    return _bytes(_pad_to_bytes(head + element.before) + element.after)


def without_header(packet: bytes) -> bytes:
    """Return the frame without its ADTS header and without a PCE that it begins with. Raises `ValueError`."""
    start = _frame_offset(packet)
    if (packet[2] & 1) << 2 | packet[3] >> 6 or start == len(packet) or packet[start] >> 5 != _PCE:
        return packet[start:]
    bits = _Bits(packet[start : start + 400], 3)
    _read_element(bits, 0)
    return packet[start + bits.at // 8 :]


def with_standard_layout(config: bytes) -> bytes:
    """Replace a PCE, or an unsupported number, in an AudioSpecificConfig with a number that browsers support.

    Raises `ValueError` if there is none for its channels.
    """
    bits = _Bits(config)
    kind = _read_kind(bits)
    _skip_rate(bits)
    at = bits.at
    if channels := bits.take(4):
        return _with_supported_number(config, kind, at, channels)
    if kind in {_SBR, _PS}:
        _skip_rate(bits)
        kind = _read_kind(bits)
    if kind not in _GENERAL:
        return config  # it describes its channels elsewhere
    start = bits.at
    bits.take(1)
    if bits.take(1):
        bits.take(14)
    bits.take(1)
    general = bits.text(start, bits.at)
    element = _read_element(bits, 0)
    if (number := _STANDARD_LAYOUTS.get(element.layout)) is None:
        raise ValueError(NONSTANDARD_LAYOUT)
    return _bytes(
        bits.text(0, at) + f"{number:04b}" + bits.text(at + 4, start) + general + bits.text(bits.at)
    )


def _with_supported_number(config: bytes, kind: int, at: int, channels: int) -> bytes:
    """Return the config with a number that browsers support; its own number, `channels`, is at the bit `at`."""
    if channels <= _MAX_SUPPORTED or kind not in _GENERAL | {_SBR, _PS}:
        return config
    if channels != _SIDES_AND_BACK:
        raise ValueError(NONSTANDARD_LAYOUT)
    bits = _Bits(config)
    return _bytes(bits.text(0, at) + f"{_WIDE:04b}" + bits.text(at + 4))


def _frame_offset(packet: bytes) -> int:
    """Return the offset of the frame after its ADTS header."""
    if len(packet) < 9 or packet[0] != 0xFF or packet[1] & 0xF6 != 0xF0:
        raise ValueError("an AAC frame has no ADTS header")
    if packet[6] & 3:
        raise ValueError("several AAC frames share one ADTS header")
    return 7 if packet[1] & 1 else 9


def _read_kind(bits: _Bits) -> int:
    kind = bits.take(5)
    return 32 + bits.take(6) if kind == _ESCAPED else kind


def _skip_rate(bits: _Bits) -> None:
    if bits.take(4) == _EXPLICIT_RATE:
        bits.take(24)


def _read_element(bits: _Bits, origin: int) -> _Element:
    """Read the PCE at the position of `bits` to its end; its padding is counted from `origin`."""
    start = bits.at
    bits.take(4 + 2 + 4)
    counts = [bits.take(size) for size in (4, 4, 4, 2, 3, 4)]
    for mixdown in (4, 4, 3):
        if bits.take(1):
            bits.take(mixdown)
    places = ["".join("C" if bits.take(5) >> 4 else "S" for _ in range(count)) for count in counts[:3]]
    bits.take(4 * (counts[3] + counts[4]) + 5 * counts[5])
    before = bits.text(start, bits.at)
    bits.take(-(bits.at - origin) % 8)
    padded = bits.at
    bits.take(8 * bits.take(8))
    front, side, back = places
    coupled = "" if not counts[5] else "coupled"  # coupling channels: no standard layout has them
    return _Element(before, bits.text(padded, bits.at), (front + coupled, side, back, counts[3]))


def _pad_to_bytes(text: str) -> str:
    return text + "0" * (-len(text) % 8)


def _bytes(text: str) -> bytes:
    text = _pad_to_bytes(text)
    return int(text, 2).to_bytes(len(text) // 8)
