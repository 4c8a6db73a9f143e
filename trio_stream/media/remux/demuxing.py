"""Open a file for its packets, and read the packets of its tracks in file order."""

from collections.abc import Iterable, Iterator, Sequence

import av.container
import av.error
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from trio_stream.media.containers import clusters
from trio_stream.media.containers.opening import open_described, open_media
from trio_stream.media.jobs import MediaFile, Unreadable

MAX_HIDDEN = 500
"""Consecutive hidden packets that are held because later frames may need them."""

MAX_RESYNCS = 4096
"""Failed attempts, each over 64 KiB, to find where a transport stream continues."""

QUICKTIME = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""Types of atoms that QuickTime files begin with."""

type MediaStream = VideoStream | AudioStream

type AnyPacket = Packet[Stream]


def open_tracks(file: MediaFile, *, hasty: bool = False) -> av.container.InputContainer:
    """Open `file` from its beginning, always with the same packets as a result. Raises what `open_media` does.

    The tables of QuickTime files are trusted: the content of samples is not parsed to find keyframes. If `hasty`, no
    frame is decoded, so what only frames say (the pixel format) is unknown, and so is the coding of tracks that begin
    late.
    """
    start = file.read_at(0, 8) if file.seekable() else b""
    options = {}
    if start[4:] in QUICKTIME:
        options["fflags"] = "+noparse"
    if hasty:  # for a segment: what its track needs is in the outline
        options["skip_frame"] = "all"
        options["skip_estimate_duration_from_pts"] = "1"
        if start[4:] in QUICKTIME or start.startswith(clusters.EBML):  # their headers have the rest
            options["probesize"] = "100000"
    if not hasty:
        return open_described(file, options)
    file.seek(0)
    return open_media(file, options=options)


def packets_of(container: av.container.InputContainer, tracks: Iterable[MediaStream]) -> Iterator[AnyPacket]:
    """Read the packets of these tracks in file order; from QuickTime only those that are needed."""
    name = container.format.name
    if name == "mpegts":
        return _resynchronised(container, list(tracks))
    packets = container.demux(*tracks)
    return _without_hidden(packets) if name.startswith("mov") else packets


def _resynchronised(
    container: av.container.InputContainer, tracks: Sequence[MediaStream]
) -> Iterator[AnyPacket]:
    """Read the packets of a transport stream, also those after places without any.

    There the demuxer gives up after each 64 KiB (`MAX_RESYNC_SIZE`), and continues when it is called again.
    """
    failures = 0
    while failures < MAX_RESYNCS:
        try:
            for packet in container.demux(*tracks):
                failures = 0
                yield packet
        except av.error.BlockingIOError:
            failures += 1
        else:
            return
    raise Unreadable("a large part of the file is not a transport stream")


def _without_hidden(packets: Iterable[AnyPacket]) -> Iterator[AnyPacket]:
    """Leave out hidden packets, unless a frame that is shown depends on them.

    Edit lists of QuickTime leave out parts of a track, and demuxers mark their packets. Packets before 0 are hidden by
    their times. Otherwise a GOP must be decoded up to its last frame that is shown.
    """
    held: dict[int, list[AnyPacket]] = {}
    for packet in packets:
        before = held.get(packet.stream_index)
        if before and (packet.is_keyframe or not packet.size):  # the last packet of a track is empty
            before.clear()
        if packet.is_discard and packet.pts is not None and packet.pts >= 0:
            held.setdefault(packet.stream_index, []).append(packet)
            if len(held[packet.stream_index]) > MAX_HIDDEN:
                held[packet.stream_index].clear()
            continue
        if before:
            yield from before
            before.clear()
        yield packet
