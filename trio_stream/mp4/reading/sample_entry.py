"""Reads from a sample entry how a track is coded (ISO/IEC 14496-12 section 8.5.2).

Only what manifests need is read; the entry itself goes unchanged into the init segment. Sources: ISO/IEC 14496-14 and
-15, 14496-1 section 7.2.6."""

from dataclasses import dataclass, field
from fractions import Fraction

from trio_stream.mp4.boxes import Box, Fields, Malformed, box, full_box, read_boxes
from trio_stream.mp4.reading.esds import read_esds, write_esds
from trio_stream.mp4.reading.quicktime import AUDIO_ENTRY_SIZE

VIDEO_ENTRY_SIZE = 78
"""Bytes of a video sample entry before the boxes in it."""

_AAC_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 14: 8}
"""By channelConfiguration (ISO/IEC 14496-3 table 1.19, 23001-8)."""

_AC3_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)
"""By acmod (ETSI TS 102 366 table 4.3)."""

_PAIRS, _SINGLES = 0b001110011, 0b110001100
"""The bits of chan_loc (table F.6.1) that stand for two channels, and those that stand for one."""

_PARAMETRIC_STEREO = 29

ENCRYPTED = frozenset({"encv", "enca", "drmi", "drms", "p608"})


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """`kind` is its four-character code; `boxes` are the payloads of the boxes in it, by kind.

    `width` and `height` are in stored pixels, `rate` in Hz; `object_type` and `config` are the objectTypeIndication
    and the DecoderSpecificInfo of an `esds`.
    """

    kind: str
    boxes: dict[str, bytes] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    channels: int = 0
    rate: int = 0
    object_type: int = 0
    config: bytes = b""

    @property
    def nbytes(self) -> int:
        """Approximate memory use, in bytes."""
        return len(self.config) + sum(200 + len(payload) for payload in self.boxes.values())

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel divided by its height (`pasp`, section 12.1.4)."""
        data = self.boxes.get("pasp", b"")
        across, down = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
        return Fraction(across, down) if across and down else Fraction(1)

    @property
    def channel_count(self) -> int:
        """The number of audio channels, from the codec configuration if it has that. Some programs write 2 as
        `channels` for any audio."""
        match self.kind:
            case "mp4a":
                return _channels_of_aac(self.config) or self.channels
            case "ac-3":
                return _channels_of_ac3(self.boxes.get("dac3", b"")) or self.channels
            case "ec-3":
                return _channels_of_eac3(self.boxes.get("dec3", b"")) or self.channels
            case "Opus":
                return self.boxes.get("dOps", b"")[1:2].rjust(1, b"\0")[0] or self.channels
        return self.channels

    @property
    def colours(self) -> tuple[int, int, int, bool]:
        """Primaries, transfer and matrix as in ITU-T H.273, and whether the range is full (`colr`, section 12.1.5)."""
        data = self.boxes.get("colr", b"")
        if data[:4] not in (b"nclx", b"nclc") or len(data) < 10:
            return 2, 2, 2, False
        primaries, transfer, matrix = (int.from_bytes(data[at : at + 2], "big") for at in (4, 6, 8))
        return primaries, transfer, matrix, data[:4] == b"nclx" and len(data) > 10 and bool(data[10] & 0x80)


def read_sample_entry(entry: Box, handler: str) -> SampleEntry:
    """Read the sample entry of a track with that handler. Raises `Malformed`."""
    if handler == "vide":
        fields = Fields(entry)
        fields.take(24)
        width, height = fields.u16(), fields.u16()
        boxes = _boxes(entry, VIDEO_ENTRY_SIZE)
        return SampleEntry(entry.kind, boxes, width, height, object_type=_object_type(boxes, entry.path))
    if handler == "soun":
        fields = Fields(entry)
        fields.take(16)
        channels, _, _, _, rate = (fields.u16() for _ in range(5))
        boxes = _boxes(entry, AUDIO_ENTRY_SIZE)
        object_type, config = read_esds(boxes.get("esds", b""), entry.path)
        return SampleEntry(
            entry.kind, boxes, channels=channels, rate=rate, object_type=object_type, config=config
        )
    return SampleEntry(entry.kind)


def _object_type(boxes: dict[str, bytes], path: str) -> int:
    """The objectTypeIndication of a video entry; 0 if it is missing, which loses only the codec's name."""
    try:
        return read_esds(boxes.get("esds", b""), path)[0]
    except Malformed:
        return 0


def with_config(descriptions: bytes, object_type: int, config: bytes) -> bytes:
    """An `stsd` with one audio entry, with its `esds` replaced. Raises `Malformed`."""
    [stsd] = read_boxes(descriptions)
    version, flags, _ = stsd.full()
    [entry] = stsd.children(8)
    others = [child.whole() for child in entry.children(AUDIO_ENTRY_SIZE) if child.kind != "esds"]
    rewritten = box(
        entry.kind, bytes(entry.payload[:AUDIO_ENTRY_SIZE]), write_esds(object_type, config), *others
    )
    return full_box("stsd", version, flags, bytes(stsd.payload[4:8]), rewritten)


def _channels_of_aac(config: bytes) -> int:
    """From the AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2.1); 0 if it does not say."""
    bits = int.from_bytes(config[:8].ljust(8, b"\0"), "big")
    at = 64

    def take(count: int) -> int:
        nonlocal at
        at -= count
        return bits >> at & (1 << count) - 1

    kind = take(5)
    if kind == 31:
        kind = 32 + take(6)
    if take(4) == 15:
        take(24)
    found = _AAC_CHANNELS.get(take(4), 0)
    return 2 if kind == _PARAMETRIC_STEREO and found == 1 else found


def _channels_of_ac3(config: bytes) -> int:
    """From the AC3SpecificBox (ETSI TS 102 366 section F.4); 0 if it does not say."""
    return _AC3_CHANNELS[config[1] >> 3 & 7] + (config[1] >> 2 & 1) if len(config) > 2 else 0


def _channels_of_eac3(config: bytes) -> int:
    """From the EC3SpecificBox (ETSI TS 102 366 section F.6): the first independent substream and the channels that its
    dependent substreams add; 0 if it does not say."""
    if len(config) < 5:
        return 0
    found = _AC3_CHANNELS[config[3] >> 1 & 7] + (config[3] & 1)
    if not config[4] & 0x1E or len(config) < 6:
        return found
    places = (config[4] & 1) << 8 | config[5]
    return found + 2 * (places & _PAIRS).bit_count() + (places & _SINGLES).bit_count()


def _boxes(entry: Box, skip: int) -> dict[str, bytes]:
    if len(entry.payload) < skip:
        raise Malformed(entry.path, "it ends too early")
    found: dict[str, bytes] = {}
    for child in entry.children(skip):
        found.setdefault(child.kind, bytes(child.payload))
    return found
