"""Convert packets to MP4 samples: the same coded bytes, framed as the sample entry says (pure).

In byte streams (MPEG-TS) units of H.264 and HEVC have start codes, parameter sets are among them, and each AAC frame
has a header. In MP4 units have lengths, and the description of the stream is in the init segment. All other codecs are
the same in both.

Sources: ISO/IEC 14496-15 sections 5.3 and 8.3; ITU-T H.264 Annex B and table 7-1, H.265 table 7-1; RFC 6716 section
3.1 (Opus).
"""

import struct
from collections.abc import Callable

from trio_stream.media.formats.aac import without_header
from trio_stream.media.formats.codecs import nal_units
from trio_stream.media.remux.parameter_sets import is_byte_stream

type Framing = Callable[[bytes], bytes]
"""Converts a packet to a sample. Raises `ValueError` for an invalid packet."""

CARRIED_CODECS = frozenset(
    {"h264", "hevc", "vp9", "av1", "aac", "opus", "mp3", "ac3", "eac3", "flac", "alac"}
)
"""Codecs, by FFmpeg's names, that some browser plays in fragmented MP4."""


def framing(codec: str, extradata: bytes, described: bytes = b"") -> Framing | None:
    """Return how to convert packets of a track to samples; None: they are samples already.

    `described` are parameter sets, as a byte stream, that samples need not repeat.
    """
    if is_byte_stream(codec, extradata):
        in_init_segment = frozenset(nal_units(described))
        return lambda packet: with_lengths(packet, in_init_segment)
    if codec == "aac" and not extradata:
        return without_header
    return None


def with_lengths(packet: bytes, described: frozenset[bytes] = frozenset()) -> bytes:
    """Put the length before each unit of a byte stream, and leave out the parameter sets in `described`."""
    parts: list[bytes] = []
    for padded in packet.split(b"\0\0\x01")[1:]:
        unit = padded.rstrip(b"\0")
        if unit and unit not in described:
            parts += (len(unit).to_bytes(4), unit)
    if not parts:
        raise ValueError("a frame has no units with start codes")
    return b"".join(parts)


def samples_per_packet(  # noqa: PLR0911 - a table of codecs
    codec: str, packet: bytes, frame_size: int, extradata: bytes, sample_rate: int
) -> int:
    """Return how many audio samples each packet of a track holds, from its first one; 0: the number varies.

    `frame_size` is what FFmpeg's parser found, or 0.
    """
    match codec:
        case "aac":
            return frame_size or 1024
        case "mp3":
            return frame_size or (1152 if sample_rate >= 32_000 else 576)
        case "ac3":
            return 1536
        case "eac3":
            return 256 * eac3_blocks(packet)
        case "opus":
            return opus_samples(packet)
        case "flac" if len(extradata) >= 4 and extradata[:2] == extradata[2:4]:
            return int.from_bytes(extradata[:2])  # STREAMINFO: the shortest block is also the longest
        case "alac" if len(extradata) >= 16:
            return int.from_bytes(extradata[12:16])
    return 0


def eac3_blocks(packet: bytes) -> int:
    """Return how many blocks of 256 samples an E-AC-3 frame has (ETSI TS 102 366 section E.1.3.1); MP4 needs six."""
    if len(packet) < 5 or packet[4] >> 6 == 3:
        return 6
    return (1, 2, 3, 6)[packet[4] >> 4 & 3]


def opus_samples(packet: bytes) -> int:
    """Return how many samples at 48 kHz an Opus packet holds, from its first two bytes."""
    if len(packet) < 2:
        return 0
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        frame = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        frame = (480, 960)[config & 1]
    else:
        frame = 120 << (config & 3)
    return frame * (packet[1] & 63 if code == 3 else min(code, 1) + 1)


def discarded_samples(skip: bytes | None) -> tuple[int, int]:
    """Return how many samples to discard at both ends of a packet: FFmpeg's AV_PKT_DATA_SKIP_SAMPLES."""
    return struct.unpack_from("<II", skip) if skip and len(skip) >= 8 else (0, 0)
