"""Read the coding of audio from the header of each frame, for self-describing codecs (pure).

Sources: ISO/IEC 13818-7 section 6.2 (ADTS), ETSI TS 102 366 sections 4.4.1 and E.1.3.1 (AC-3, E-AC-3), ISO/IEC 11172-3
section 2.4.1.3 (MPEG audio).
"""

from typing import NamedTuple

SELF_DESCRIBING = frozenset({"aac", "ac3", "eac3", "mp3", "mp2", "mp1"})
"""Codecs, by FFmpeg's names, with a header in each frame that says how it is coded."""

CODING_BITS = 0xFFFFFFC0
"""The bits of the first four bytes of an ADTS frame that describe its coding; the frame length follows. In other
formats (AC-3) there are checksums at this place."""


class FrameCoding(NamedTuple):
    """The codec, by FFmpeg's name, and the values that must stay the same for an init segment to be correct."""

    codec: str
    parameters: tuple[int, ...]


def coding_of(frame: bytes) -> FrameCoding | None:
    """Return the coding of a frame from its first seven bytes; None if they do not say it."""
    if len(frame) < 7:
        return None
    if frame[:2] == b"\x0b\x77":
        return _dolby(frame)
    if frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return None
    if frame[1] & 0x16 == 0x10:
        return FrameCoding("aac", (frame[2] >> 6, frame[2] >> 2 & 15, (frame[2] & 1) << 2 | frame[3] >> 6))
    codec = {1: "mp3", 2: "mp2", 3: "mp1"}.get(frame[1] >> 1 & 3)
    if codec is None or frame[2] >> 2 & 3 == 3:
        return None
    return FrameCoding(codec, (frame[1] >> 3 & 3, frame[2] >> 2 & 3, int(frame[3] >> 6 == 3)))


def _dolby(frame: bytes) -> FrameCoding | None:
    version = frame[5] >> 3
    if version > 16:
        return None
    if version > 10:  # sampling frequency, blocks, channels and their low-frequency one, in one byte
        return FrameCoding("eac3", (frame[4],))
    channels = frame[6] >> 5
    before = 2 * (bool(channels & 1) and channels != 1) + 2 * bool(channels & 4) + 2 * (channels == 2)
    return FrameCoding("ac3", (frame[4] >> 6, channels, frame[6] >> 4 - before & 1))
