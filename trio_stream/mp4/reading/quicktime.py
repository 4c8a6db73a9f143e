"""How QuickTime movies differ from MP4: audio sample entries and language codes.

QuickTime has its own versions of audio entries, with more fields, and keeps the codec configuration in an atom `wave`.
Browsers support neither in fragments, so such an entry is rewritten as in ISO/IEC 14496-12.

Sources: QuickTime File Format, "Sound Sample Description" and "Language Code Values"; ISO/IEC 14496-14 section 5.6;
ISO/IEC 14496-1 section 7.2.6.
"""

import struct
from dataclasses import replace

from trio_stream.mp4.boxes import Box, Fields, box
from trio_stream.mp4.reading.esds import write_esds

AUDIO_ENTRY_SIZE = 28
"""Bytes of an audio sample entry before the boxes in it."""

EXTRA_BYTES = {1: 16, 2: 36}
"""Additional bytes in QuickTime's versions of it."""

_MP3 = frozenset({".mp3", "ms\0U"})
"""Kinds of MP3 entries, the second with its WAVE format number. They hold no codec configuration."""

_MPEG1_RATE = 32_000
"""Hz. From here on MP3 is MPEG-1 (0x6B), below it is MPEG-2 (0x69): ISO/IEC 14496-1 table 5."""

_CONFIGURE = ("esds", "alac", "dac3", "dec3", "dOps", "dfLa")

LANGUAGES = (
    "eng", "fra", "deu", "ita", "nld", "swe", "spa", "dan", "por", "nor", "heb", "jpn", "ara", "fin", "ell", "isl",
    "mlt", "tur", "hrv", "zho", "urd", "hin", "tha", "kor", "lit", "pol", "hun", "est", "lav", "smi", "fao", "fas",
    "rus", "zho", "nld", "gle", "sqi", "ron", "ces", "slk", "slv", "yid", "srp", "mkd", "bul", "ukr", "bel", "uzb",
    "kaz", "aze", "aze", "hye", "kat", "ron", "kir", "tgk", "tuk", "mon",
)  # fmt: skip
"""ISO 639-2 codes by QuickTime language code."""


def as_iso(entry: Box, stsd_version: int) -> Box:
    """An audio entry in the form of MP4, from an `stsd` of version `stsd_version`; the same entry if it already has it.

    Raises `Malformed`.
    """
    fields = Fields(entry)
    fields.take(6)
    reference, version = fields.u16(), fields.u16()
    fields.take(6)
    channels, _, _, _, rate = (fields.u16() for _ in range(5))
    fields.take(2)
    if stsd_version:
        return entry
    if version == 2:
        fields.take(4)
        (exact,) = struct.unpack(">d", fields.take(8))
        rate, channels = round(exact) if 0 < exact < 1 << 32 else 0, min(fields.u32(), 0xFFFF)
    inner = {child.kind: child for child in entry.children(AUDIO_ENTRY_SIZE + EXTRA_BYTES.get(version, 0))}
    wave = inner.get("wave")
    if version not in EXTRA_BYTES and wave is None and entry.kind not in _MP3:
        return entry
    if wave is not None:
        inner = {child.kind: child for child in wave.children()} | inner
    configure = [inner[kind].whole() for kind in _CONFIGURE if kind in inner]
    kind = entry.kind
    if kind in _MP3:
        kind, configure = "mp4a", [write_esds(0x6B if rate >= _MPEG1_RATE else 0x69)]
    written = box(
        kind,
        bytes(6),
        struct.pack(">H8xHHHHI", reference, channels, 16, 0, 0, rate << 16 if rate < 1 << 16 else 0),
        *configure,
    )
    return replace(entry, kind=kind, payload=memoryview(written)[8:])
