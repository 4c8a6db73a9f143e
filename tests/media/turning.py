"""Videos whose container turns and mirrors the frames: by a matrix in MP4, by a projection in Matroska."""

import struct
import subprocess
from pathlib import Path

type Matrix = tuple[int, int, int, int]

WAYS: dict[str, tuple[Matrix, dict[str, float], str, int]] = {
    "a quarter": ((0, 1, -1, 0), {"roll": -90}, "transpose=clock", 90),
    "half": ((-1, 0, 0, -1), {"roll": 180}, "hflip,vflip", 180),
    "three quarters": ((0, -1, 1, 0), {"roll": 90}, "transpose=cclock", 270),
    "sideways": ((-1, 0, 0, 1), {"yaw": 180}, "hflip", 0),
    "upside down": ((1, 0, 0, -1), {"yaw": 180, "roll": 180}, "vflip", 0),
    "a quarter and mirrored": ((0, 1, 1, 0), {"yaw": 180, "roll": 90}, "transpose=cclock_flip", 90),
    "three quarters and mirrored": ((0, -1, -1, 0), {"yaw": 180, "roll": -90}, "transpose=clock_flip", 270),
    "as it is": ((1, 0, 0, 1), {}, "null", 0),
}
"""Each transformation: matrix (a, b, c, d), pose, ffmpeg filters that do the same, and clockwise degrees."""


def turned_mp4(source: bytes, matrix: Matrix) -> bytes:
    """Set the matrix of the first track of an MP4 file (ISO/IEC 14496-12 section 8.3.2)."""
    tkhd = source.index(b"tkhd")
    at = tkhd - 4 + int.from_bytes(source[tkhd - 4 : tkhd]) - 44
    a, b, c, d = (value << 16 for value in matrix)
    return source[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + source[at + 36 :]


VIDEO = (b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\xae", b"\xe0")
"""Segment, Tracks, TrackEntry, Video (RFC 9559 section 5.1)."""


def turned_mkv(source: Path, *, yaw: float = 0, roll: float = 0) -> bytes:
    """Remux the video to Matroska, with a projection of this pose (RFC 9559 section 5.1.4.1.28.41)."""
    command: list[str | Path] = ["ffmpeg", "-v", "error", "-i", source, "-c", "copy", "-f", "matroska", "-"]
    # Through a pipe, so it has no stated size and no index with positions.
    plain = subprocess.run(command, capture_output=True, check=True).stdout
    values = ((b"\x76\x73", yaw), (b"\x76\x74", 0.0), (b"\x76\x75", roll))
    pose = b"\x76\x71\x81\0" + b"".join(name + b"\x84" + struct.pack(">f", value) for name, value in values)
    return _with(plain, VIDEO, b"\x76\x70" + bytes([0x80 | len(pose)]) + pose)


def _with(data: bytes, path: tuple[bytes, ...], more: bytes) -> bytes:
    """Append `more` to the content of the first element at `path`."""
    at = 0
    while True:
        name, at_size = _number(data, at, keep=True)
        size, start = _number(data, at_size)
        unknown = size == (1 << 7 * (start - at_size)) - 1
        stop = len(data) if unknown else start + size
        if int.from_bytes(path[0]) == name:
            inner = data[start:stop]
            inner = _with(inner, path[1:], more) if path[1:] else inner + more
            length = data[at_size:start] if unknown else (1 << 56 | len(inner)).to_bytes(8)
            return data[:at_size] + length + inner + data[stop:]
        at = stop


def _number(data: bytes, at: int, *, keep: bool = False) -> tuple[int, int]:
    """Read an EBML number (RFC 8794 section 4), with its marker if `keep`, and return also where it ends."""
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length])
    return value if keep else value & ((1 << 7 * length) - 1), at + length
