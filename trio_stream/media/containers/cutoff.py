"""Find out whether a file that is not MP4 is truncated (an aborted download, a full disk), and where it ends.

Matroska, AVI and FLV state their full size. MPEG-TS does not, so its end is simply its end.
"""

import struct

import av
import av.error

from trio_stream.media.containers.clusters import SEGMENT, Spliced, cluster_at, first_cluster, parse_element
from trio_stream.media.containers.opening import open_media
from trio_stream.media.jobs import MediaFile, Unreadable

READ_WHOLE_BYTES = 32 << 20
"""Bytes. A file of at most this size is read completely to find its end."""

MAX_CHUNKS = 1000
"""Chunks of an AVI file that are examined; each is usually a gigabyte."""

FLV_TAGS = {8, 9, 18}
"""Audio, video and metadata."""


def missing_bytes(file: MediaFile, name: str) -> int:
    """Return roughly how many bytes are missing at the end, 0 if none seem to be; `name` is the container's."""
    if file.size is None:
        return 0
    match name:
        case "matroska" | "webm":
            return max(0, _end_of_segment(file) - file.size)
        case "avi":
            return max(0, _end_of_chunks(file, file.size) - file.size)
        case "flv":
            return int(not _ends_with_a_tag(file, file.size))
    return 0


def avi_duration(file: MediaFile) -> float | None:
    """Return the duration in seconds from the header of an AVI file (`avih`)."""
    head = file.read_at(0, 56)
    if len(head) < 56 or head[24:28] != b"avih":
        return None
    interval, frames = struct.unpack_from("<I", head, 32)[0], struct.unpack_from("<I", head, 48)[0]
    return interval * frames / 1e6 or None


def last_timestamp(file: MediaFile, name: str) -> float | None:
    """Return when the last packet ends, on the clock of the file; None if finding out would take too long."""
    readable = file
    if (file.size or 0) > READ_WHOLE_BYTES:
        head = first_cluster(file) if name in {"matroska", "webm"} else None
        if head is None:
            return None
        readable = Spliced(file, head, cluster_at(file, head, 1 << 62))
    else:
        file.seek(0)
    last: float | None = None
    try:
        with open_media(readable) as container:
            for packet in container.demux(*container.streams.video, *container.streams.audio):
                time = packet.pts if packet.pts is not None else packet.dts
                if time is not None and packet.size:
                    last = max(last or 0.0, float((time + (packet.duration or 0)) * packet.time_base))
    except (av.error.FFmpegError, Unreadable, ValueError):
        return last
    return last


def _end_of_segment(file: MediaFile) -> int:
    """Return the stated end of a Matroska segment (RFC 9559 section 5.1); 0 if it states none."""
    at = 0
    for _ in range(10):
        element = parse_element(file.read_at(at, 12))
        if element is None or element.length is None:
            return 0
        at += element.header_size + element.length
        if element.kind == SEGMENT:
            return at
    return 0


def _end_of_chunks(file: MediaFile, size: int) -> int:
    """Return where the last RIFF chunk ends: files of more than a gigabyte have several (OpenDML)."""
    at = 0
    for _ in range(MAX_CHUNKS):
        head = file.read_at(at, 8)
        if head[:4] != b"RIFF" or len(head) < 8:
            return at
        length = int.from_bytes(head[4:8], "little")
        if not length:
            return 0  # the recording was never finished
        at += 8 + length + length % 2
        if at >= size:
            return at
    return at


def _ends_with_a_tag(file: MediaFile, size: int) -> bool:
    """Whether the last four bytes of an FLV file are the size of a tag before them (FLV 10.1, annex E.3)."""
    tag_size = int.from_bytes(file.read_at(size - 4, 4)) if size > 15 else 0
    at = size - 4 - tag_size
    tag = file.read_at(at, 4) if tag_size > 10 and at > 0 else b""
    return len(tag) == 4 and tag[0] & 0x1F in FLV_TAGS and int.from_bytes(tag[1:]) + 11 == tag_size
