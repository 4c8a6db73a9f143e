"""The jobs "init" and "segment": build segments of fragmented MP4 from a track of any container, without encoding.

The same request always gives the same bytes. FFmpeg's muxer writes the init segment, because it knows how to describe
each codec. A segment is written here, because its times must be exactly those of the outline.

A segment job holds packets of at most SEGMENT_LIMIT bytes, twice that if their framing changes, plus twice PART bytes.
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
from trio_stream.media.formats.aac import audio_specific_config, with_standard_layout
from trio_stream.media.formats.outline import SEGMENT_LIMIT, Carriage
from trio_stream.media.jobs import MediaFile, Reply, Unreadable
from trio_stream.media.remux.demuxing import AnyPacket, MediaStream
from trio_stream.media.remux.packets import Reader, SegmentPackets, duration_of
from trio_stream.media.remux.parameter_sets import IN_BAND, CurrentParameterSets
from trio_stream.media.remux.samples import framing
from trio_stream.media.remux.timing import monotonic
from trio_stream.mp4.reordering import decode_times, durations
from trio_stream.mp4.writing.heads import SHORT, Flags, from_zero, segment_head, shown_from_zero

PART = 16 << 20
"""Bytes of a segment that are sent at once."""

FIRST_PACKETS = 8
"""Packets that the muxer gets: the description of some codecs (AC-3, E-AC-3) comes from their content."""

_MUXER = {"movflags": "empty_moov+delay_moov+default_base_moof+frag_custom", "fflags": "+bitexact"}

_FTYP = struct.pack(">I4s4sI4s4s4s", 28, b"ftyp", b"iso6", 0, b"iso6", b"cmfc", b"mp41")
"""Replaces the brands that the muxer writes with the right ones (CMAF section 7.2)."""


def init(file: MediaFile, options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Send the blob "init": ftyp and moov of one track. Raises `Unreadable`.

    Options: `track`, its index; `carriage`, `Carriage.to_json` of it.
    """
    init_segment = init_of(file, int(options["track"]), Carriage.from_json(options["carriage"]))
    reply.blob("init", init_segment)
    return {"size": len(init_segment)}


def init_of(file: MediaFile, index: int, carriage: Carriage) -> bytes:
    """Build the ftyp and moov of one track. Raises `Unreadable`."""
    with _reader(file, index, carriage, hasty=False) as reader:
        packets = reader.first_packets(FIRST_PACKETS)
        if not packets:
            raise Unreadable("the track is empty")
        try:
            return _muxer_header(reader.stream, carriage, packets)
        except (av.error.FFmpegError, ValueError) as error:
            raise Unreadable(f"the track cannot be written as MP4: {printable(str(error))}") from None


def _reader(file: MediaFile, index: int, carriage: Carriage, *, hasty: bool = True) -> Reader:
    """Open the part of the file that holds the track."""
    index = index if carriage.index is None else carriage.index
    return Reader(view(file, carriage.begin, carriage.stop), index, carriage, SEGMENT_LIMIT, hasty=hasty)


def _muxer_header(stream: MediaStream, carriage: Carriage, packets: list[AnyPacket]) -> bytes:
    """Return what FFmpeg's muxer writes before the first fragment of `packets`, with the clock of the track."""
    output = io.BytesIO()
    video = isinstance(stream, VideoStream)
    options = _MUXER | ({"video_track_timescale": str(carriage.timescale)} if video else {})
    codec = stream.codec_context.codec.canonical_name
    extradata = stream.codec_context.extradata or b""
    # The muxer itself converts byte streams.
    to_sample = framing(codec, extradata) if codec == "aac" else None
    with av.open(output, "w", format="mp4", options=options) as muxer:
        track = muxer.add_stream_from_template(stream, opaque=True)
        context = track.codec_context
        if carriage.in_band:
            context.codec_tag = IN_BAND[codec]
        elif codec == "hevc":
            context.codec_tag = "hvc1"
        elif codec == "mp3":
            context.extradata = None  # it comes from AVI; MP3 describes itself
        elif codec == "aac":
            context.extradata = with_standard_layout(extradata or audio_specific_config(bytes(packets[0])))
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
    data = output.getvalue()
    return _FTYP + data[_box_end(data, b"ftyp") : _box_end(data, b"moov")]


def _box_end(data: bytes, kind: bytes) -> int:
    """Return where the first box of that kind ends."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        at += size
        if data[at - size + 4 : at - size + 8] == kind:
            return at
        if size < 8:
            break
    raise ValueError("the muxer wrote no moov box")


def segment(file: MediaFile, options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Send one segment as the blobs "0", "1"..., to be joined. Raises `Unreadable`.

    Options: `track` and `carriage` as for `init`. `start` and `stop`, in the timescale of the track: the segment holds
    what is shown in [start, stop); `stop` null: all that is left. Video begins with the keyframe at `start` and ends
    before the first one not before `stop`; what an open GOP shows before its keyframe belongs to that GOP. `keyframe`,
    if true: the segment holds only that keyframe, shown until `stop`. `sequence`: the number in the header. If the
    track has nothing in that time, the segment has no samples.

    `begins`, if true: this is the first segment of the track, so a first sample that is late is decoded at 0, and shown
    at its own time; video that is too late for players is shown from 0 on (`mp4.writing.heads.LATE`). `until`: if the
    track ends more than SHORT before that, its last sample lasts until then.

    The result has the `size` in bytes, the number of `samples`, and when the segment is shown, from `first` to `end`.
    """
    index, carriage = int(options["track"]), Carriage.from_json(options["carriage"])
    start, stop = int(options["start"]), options["stop"]
    with _reader(file, index, carriage) as reader:
        if options.get("keyframe"):
            # It is shown until the next one of its playlist, so that a player that joins them has no gap.
            packets = reader.keyframe(start, int(stop))
        else:
            packets = reader.segment(start, None if stop is None else int(stop))
        try:
            run = _run(packets, reader.stream, carriage, start)
            if (until := options.get("until")) is not None:
                _extend_last(run, int(until), carriage.timescale)
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
                array("I", (memoryview(sample).nbytes for sample in run.data)),
                Flags.of(run.keys, len(run.data)),
                array("i", run.offsets) if any(run.offsets) else None,
            )
        except (ValueError, OverflowError) as error:
            raise Unreadable(f"the track cannot be written as MP4: {error}") from None
        size = _send([begin, *run.data], reply)
    return {"size": size, "samples": len(run.data), "first": run.first, "end": end}


class _Run(NamedTuple):
    """Samples: their data, durations, the numbers of sync samples, and how much later each is shown than decoded.
    `first` is when the first of them is shown."""

    data: list[Buffer]
    durations: list[int]
    keys: list[int]
    offsets: list[int]
    first: int


def _run(segment: SegmentPackets, stream: MediaStream, carriage: Carriage, start: int) -> _Run:
    """Convert the packets of a segment to samples. Raises `ValueError`."""
    if not segment.packets:
        return _Run([], [], [], [], start if segment.end is None else segment.end)
    context, video = stream.codec_context, isinstance(stream, VideoStream)
    codec = context.codec.canonical_name
    sets = [(parameters.since, bytes.fromhex(parameters.units)) for parameters in carriage.sets]
    described = sets[0][1] if sets and not carriage.in_band else b""
    to_sample = framing(codec, context.extradata or b"", described)
    data: list[Buffer] = [to_sample(bytes(packet)) if to_sample else packet for _, packet in segment.packets]
    if carriage.in_band and sets:
        # A keyframe without parameter sets gets those that apply, because a player may begin with any keyframe.
        current = CurrentParameterSets(codec, sets)
        for number, (time, packet) in enumerate(segment.packets):
            if packet.is_keyframe:
                data[number] = current.before(bytes(data[number]), time)
    times = [time for time, _ in segment.packets]
    shown = times if video else monotonic(times)
    end = segment.end
    if end is None:
        in_order = sorted(shown)
        typical = in_order[-1] - in_order[-2] if len(in_order) > 1 else 0
        end = in_order[-1] + (duration_of(segment.packets[-1][1], carriage) or typical)
    # Demuxers guess decode times after a seek, so they are computed again. A frame is decoded for as long as it is
    # shown: Chromium drops a keyframe that is overlapped. All are earlier by what the track's reordering needs, and the
    # edit list of the init segment compensates for it: FFmpeg takes negative offsets for a delay of the track.
    decoded = decode_times(shown, carriage.delay, end)
    return _Run(
        data,
        durations(decoded, end - carriage.delay),
        [number for number, (_, packet) in enumerate(segment.packets) if not video or packet.is_keyframe],
        [time - decode for time, decode in zip(shown, decoded, strict=True)],
        min(shown),
    )


def _extend_last(run: _Run, until: int, timescale: int) -> None:
    missing = until - run.first - sum(run.durations)
    if run.data and missing > SHORT * timescale and run.durations[-1] + missing < 1 << 32:
        run.durations[-1] += missing


def _send(buffers: Iterable[Buffer], reply: Reply) -> int:
    """Send the buffers in blobs of about PART bytes; return how many bytes they are."""
    number = size = held = 0
    part: list[Buffer] = []
    for buffer in buffers:
        part.append(buffer)
        held += memoryview(buffer).nbytes
        if held >= PART:
            reply.blob(str(number), b"".join(part))
            number, size, held, part = number + 1, size + held, 0, []
    reply.blob(str(number), b"".join(part))
    return size + held
