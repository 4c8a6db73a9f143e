"""A file opened for its packets, and the packets of its tracks in the order of the file."""

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

MOST_HIDDEN = 500
"""Pictures that are decoded and not shown, one after the other, that are kept for those behind them."""

MOST_LOST = 4096
"""Looks in vain, each at 64 KiB, for where a transport stream goes on."""

QUICKTIME = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""Kinds of atoms that such files begin with."""

type MediaStream = VideoStream | AudioStream

type AnyPacket = Packet[Stream]


def open_tracks(file: MediaFile, *, hasty: bool = False) -> av.container.InputContainer:
    """Open `file` from its beginning; whoever does sees the same packets. Raises what `open_media` does.

    The tables of QuickTime files are believed: which samples are keyframes is not asked of what is in them. In haste
    no picture is decoded, what only pictures tell (how pixels are stored) is not known, nor how tracks are coded that
    begin late.
    """
    begins = file.read_at(0, 8) if file.seekable() else b""
    options = {}
    if begins[4:] in QUICKTIME:
        options["fflags"] = "+noparse"
    if hasty:  # as for a segment: what its track needs is in the outline
        options["skip_frame"] = "all"
        options["skip_estimate_duration_from_pts"] = "1"
        if begins[4:] in QUICKTIME or begins.startswith(clusters.EBML):  # their headers say the rest
            options["probesize"] = "100000"
    if not hasty:
        return open_described(file, options)
    file.seek(0)
    return open_media(file, options=options)


def packets_of(container: av.container.InputContainer, tracks: Iterable[MediaStream]) -> Iterator[AnyPacket]:
    """The packets of these tracks, in the order of the file; of QuickTime's those that are needed."""
    name = container.format.name
    if name == "mpegts":
        return _found_again(container, list(tracks))
    packets = container.demux(*tracks)
    return _needed(packets) if name.startswith("mov") else packets


def _found_again(
    container: av.container.InputContainer, tracks: Sequence[MediaStream]
) -> Iterator[AnyPacket]:
    """The packets of a transport stream, those behind places without any too.

    There the demuxer gives up each 64 KiB (`MAX_RESYNC_SIZE`), and goes on when it is asked again.
    """
    lost = 0
    while lost < MOST_LOST:
        try:
            for packet in container.demux(*tracks):
                lost = 0
                yield packet
        except av.error.BlockingIOError:
            lost += 1
        else:
            return
    raise Unreadable("a large part of it is no transport stream")


def _needed(packets: Iterable[AnyPacket]) -> Iterator[AnyPacket]:
    """The packets without those that are not to be shown, and of which nothing that is shown needs the decoder's state.

    Edit lists of QuickTime leave out parts of a track: demuxers mark their packets. Those before 0 are hidden by their
    times. Of others a group of pictures has to be decoded up to the last one that is shown.
    """
    held: dict[int, list[AnyPacket]] = {}
    for packet in packets:
        before = held.get(packet.stream_index)
        if before and (packet.is_keyframe or not packet.size):  # the last one of a track is empty
            before.clear()
        if packet.is_discard and packet.pts is not None and packet.pts >= 0:
            held.setdefault(packet.stream_index, []).append(packet)
            if len(held[packet.stream_index]) > MOST_HIDDEN:
                held[packet.stream_index].clear()
            continue
        if before:
            yield from before
            before.clear()
        yield packet
