"""The jobs "init" and "segment": a track of any container as fragmented MP4, piece by piece, nothing coded anew.

The same question has the same answer, byte for byte. The init segment is made by FFmpeg's muxer, which knows how each
codec is described; a segment is written here, because its times have to be exactly those the outline speaks of.

A segment job holds its packets, which are at most SEGMENT_LIMIT bytes, once more if they have to be framed in another
way, and twice PART bytes.
"""

import io
import struct
from array import array
from collections.abc import Buffer, Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import av
import av.error
from av.packet import Packet
from av.video.stream import VideoStream

from trio_stream.media.containers.opening import printable
from trio_stream.media.containers.parts import view
from trio_stream.media.formats.aac import arranged, audio_specific_config
from trio_stream.media.formats.outline import SEGMENT_LIMIT, Carriage
from trio_stream.media.jobs import MediaFile, Reply, Unreadable
from trio_stream.media.remux.demuxing import AnyPacket, MediaStream
from trio_stream.media.remux.packets import Reader, SegmentPackets, length_of
from trio_stream.media.remux.parameter_sets import IN_BAND, InForce
from trio_stream.media.remux.samples import framing
from trio_stream.media.remux.timing import rising
from trio_stream.mp4.reordering import decode_times, durations
from trio_stream.mp4.writing.heads import SHORT, Flags, from_zero, segment_head, shown_from_zero

PART = 16 << 20
"""Bytes of a segment that are sent at once."""

FIRST_PACKETS = 8
"""Packets the muxer is shown: some codecs (AC-3, E-AC-3) are described by what is in them."""

_MUXER = {"movflags": "empty_moov+delay_moov+default_base_moof+frag_custom", "fflags": "+bitexact"}

_FTYP = struct.pack(">I4s4sI4s4s4s", 28, b"ftyp", b"iso6", 0, b"iso6", b"cmfc", b"mp41")
"""The muxer names brands of its own; these are what is in it (CMAF section 7.2)."""


def init(file: MediaFile, options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """The blob "init": ftyp and moov of one track. Raises `Unreadable`.

    Options: `track`, its index; `carriage`, `Carriage.to_json` of it.
    """
    made = init_of(file, int(options["track"]), Carriage.from_json(options["carriage"]))
    reply.blob("init", made)
    return {"size": len(made)}


def init_of(file: MediaFile, index: int, carriage: Carriage) -> bytes:
    """The ftyp and moov of one track. Raises `Unreadable`."""
    with _reader(file, index, carriage, hasty=False) as reader:
        packets = reader.first_bytes(FIRST_PACKETS)
        if not packets:
            raise Unreadable("a track is empty")
        try:
            return _initial(reader.stream, carriage, packets)
        except (av.error.FFmpegError, ValueError) as error:
            raise Unreadable(f"it does not go into MP4: {printable(str(error))}") from None


def _reader(file: MediaFile, index: int, carriage: Carriage, *, hasty: bool = True) -> Reader:
    """Reads the part of the file in which the track lies."""
    index = index if carriage.index is None else carriage.index
    return Reader(view(file, carriage.begin, carriage.stop), index, carriage, SEGMENT_LIMIT, hasty=hasty)


def _initial(stream: MediaStream, carriage: Carriage, packets: list[AnyPacket]) -> bytes:
    """What FFmpeg's muxer writes before the first fragment of `packets`, given the clock of the track."""
    written = io.BytesIO()
    video = isinstance(stream, VideoStream)
    options = _MUXER | ({"video_track_timescale": str(carriage.timescale)} if video else {})
    codec = stream.codec_context.codec.canonical_name
    extradata = stream.codec_context.extradata or b""
    # The muxer does the same for byte streams.
    to_sample = framing(codec, extradata) if codec == "aac" else None
    with av.open(written, "w", format="mp4", options=options) as muxer:
        track = muxer.add_stream_from_template(stream, opaque=True)
        context = track.codec_context
        if carriage.in_band:
            context.codec_tag = IN_BAND[codec]
        elif codec == "hevc":
            context.codec_tag = "hvc1"
        elif codec == "mp3":
            context.extradata = None  # of AVI's: MP3 describes itself
        elif codec == "aac":
            context.extradata = arranged(extradata or audio_specific_config(bytes(packets[0])))
        if isinstance(track, VideoStream) and isinstance(stream, VideoStream):
            track.codec_context.sample_aspect_ratio = stream.sample_aspect_ratio
        if (language := stream.language) and len(language) == 3:
            track.metadata["language"] = language
        for number, packet in enumerate(packets):
            data = bytes(packet)
            sample = Packet(to_sample(data) if to_sample else data)
            sample.stream = track
            sample.time_base = Fraction(1, carriage.timescale)
            sample.pts = sample.dts = number * (carriage.step or 1024) - carriage.lead - carriage.delay
            sample.duration = carriage.step or 1024
            sample.is_keyframe = packet.is_keyframe
            muxer.mux_one(sample)
    made = written.getvalue()
    return _FTYP + made[_box_end(made, b"ftyp") : _box_end(made, b"moov")]


def _box_end(data: bytes, kind: bytes) -> int:
    """Where the first box of that kind ends."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        at += size
        if data[at - size + 4 : at - size + 8] == kind:
            return at
        if size < 8:
            break
    raise ValueError("the muxer made no index")


def segment(file: MediaFile, options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Blobs "0", "1"...: one segment, in parts to be joined. Raises `Unreadable`.

    Options: `track` and `carriage` as for `init`; `start` and `stop`, in the timescale of the track: what is shown in
    [start, stop) is in it. `stop` null: all that is left. Video begins with the keyframe at `start` and goes to the
    first one not before `stop`; what an open group shows before its keyframe belongs to the group. `keyframe`, if it is
    there and true: that keyframe alone is in it, and shown until `stop`. `sequence`: the number in its header. A piece
    of the track in which there is nothing is a segment without samples.

    `begins`, if true: the track begins with it, so a first sample that is late is decoded at 0, and shown when it is;
    of pictures that are so late that players cannot follow, from 0 on (`mp4.writing.heads.LATE`).
    `until`: if the track ends more than SHORT before, its last sample lasts until then.

    The result says its `size` in bytes, how many `samples` it has, and when it is shown, from `first` to `end`.
    """
    index, carriage = int(options["track"]), Carriage.from_json(options["carriage"])
    start, stop = int(options["start"]), options["stop"]
    with _reader(file, index, carriage) as reader:
        if options.get("keyframe"):
            # It is shown until the next of its playlist is, so that a player that joins them has no gap.
            piece = reader.keyframe(start, int(stop))
        else:
            piece = reader.piece(start, None if stop is None else int(stop))
        try:
            run = _run(piece, reader.stream, carriage, start)
            if (until := options.get("until")) is not None:
                _last_until(run, int(until), carriage.timescale)
            end = run.first + sum(run.durations)
            decoded = max(0, run.first + carriage.lead)
            if options.get("begins") and run.data:
                hidden = carriage.lead + carriage.delay  # by the edit list of the init segment
                decoded = (
                    shown_from_zero(decoded, run.durations, run.offsets, hidden, carriage.timescale)
                    if isinstance(reader.stream, VideoStream)
                    else from_zero(decoded, run.durations, run.offsets)
                )
            begin = segment_head(
                int(options["sequence"]),
                decoded,
                array("I", run.durations),
                array("I", (memoryview(each).nbytes for each in run.data)),
                Flags.of(run.keys, len(run.data)),
                array("i", run.offsets) if any(run.offsets) else None,
            )
        except (ValueError, OverflowError) as error:
            raise Unreadable(f"it does not go into MP4: {error}") from None
        size = _send([begin, *run.data], reply)
    return {"size": size, "samples": len(run.data), "first": run.first, "end": end}


class _Run(NamedTuple):
    """Samples: what is in them, how long they last, which of them are sync samples, and how much later than decoded
    each is shown. `first` is when the first of them is shown."""

    data: list[Buffer]
    durations: list[int]
    keys: list[int]
    offsets: list[int]
    first: int


def _run(piece: SegmentPackets, stream: MediaStream, carriage: Carriage, start: int) -> _Run:
    """The packets of a piece as samples. Raises `ValueError`."""
    if not piece.packets:
        return _Run([], [], [], [], start if piece.end is None else piece.end)
    context, video = stream.codec_context, isinstance(stream, VideoStream)
    codec = context.codec.canonical_name
    sets = [(each.since, bytes.fromhex(each.units)) for each in carriage.sets]
    described = sets[0][1] if sets and not carriage.in_band else b""
    to_sample = framing(codec, context.extradata or b"", described)
    data: list[Buffer] = [to_sample(bytes(packet)) if to_sample else packet for _, packet in piece.packets]
    if carriage.in_band and sets:
        # A keyframe without parameter sets gets those in force: a player may begin with any.
        in_force = InForce(codec, sets)
        for number, (time, packet) in enumerate(piece.packets):
            if packet.is_keyframe:
                data[number] = in_force.before(bytes(data[number]), time)
    times = [time for time, _ in piece.packets]
    shown = times if video else rising(times)
    end = piece.end
    if end is None:
        in_order = sorted(shown)
        usual = in_order[-1] - in_order[-2] if len(in_order) > 1 else 0
        end = in_order[-1] + (length_of(piece.packets[-1][1], carriage) or usual)
    # Demuxers guess the times of decoding after a seek, so they are made anew. A picture is decoded for as long as it
    # is shown: Chromium throws a keyframe away that is overlapped. All are earlier by what the track's reordering
    # needs, which the edit list of the init segment takes back: FFmpeg takes negative offsets for a delay of the track.
    decoded = decode_times(shown, carriage.delay, end)
    return _Run(
        data,
        durations(decoded, end - carriage.delay),
        [number for number, (_, packet) in enumerate(piece.packets) if not video or packet.is_keyframe],
        [time - decode for time, decode in zip(shown, decoded, strict=True)],
        min(shown),
    )


def _last_until(run: _Run, until: int, timescale: int) -> None:
    missing = until - run.first - sum(run.durations)
    if run.data and missing > SHORT * timescale and run.durations[-1] + missing < 1 << 32:
        run.durations[-1] += missing


def _send(pieces: Iterable[Buffer], reply: Reply) -> int:
    """Send the pieces, joined, in blobs of about PART bytes; how many bytes they are."""
    number = size = held = 0
    part: list[Buffer] = []
    for piece in pieces:
        part.append(piece)
        held += memoryview(piece).nbytes
        if held >= PART:
            reply.blob(str(number), b"".join(part))
            number, size, held, part = number + 1, size + held, 0, []
    reply.blob(str(number), b"".join(part))
    return size + held
