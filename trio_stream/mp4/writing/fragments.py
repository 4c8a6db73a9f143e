"""Writes the boxes before the bytes of samples of a file: init segments, and the headers of fragments.

Sources: ISO/IEC 14496-12 sections 8.2 to 8.8; ISO/IEC 23000-19 (CMAF) section 7.5."""

import struct
from array import array

from trio_stream.mp4.boxes import box, full_box
from trio_stream.mp4.edits.timeline import Timeline
from trio_stream.mp4.reading.movie import Track
from trio_stream.mp4.reading.tables import SampleTable
from trio_stream.mp4.writing.heads import NOT_SYNC, SYNC, Flags, from_zero, segment_head, shown_from_zero

_UNITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_MEDIA = {"vide": full_box("vmhd", 0, 1, bytes(8)), "soun": full_box("smhd", 0, 0, bytes(4))}


def init_segment(*placed: tuple[Track, Timeline]) -> bytes:
    """`ftyp` and `moov` for these tracks, numbered from 1. A player needs nothing else from the file."""
    traks = [_trak(number, track, timeline) for number, (track, timeline) in enumerate(placed, 1)]
    trexes = [
        full_box("trex", 0, 0, struct.pack(">IIIII", number + 1, 1, 0, 0, 0)) for number in range(len(placed))
    ]
    mvhd = full_box(
        "mvhd", 0, 0, struct.pack(">IIII", 0, 0, placed[0][0].timescale, 0), struct.pack(">IH", 0x10000, 0x100),
        bytes(10), _UNITY, bytes(24), struct.pack(">I", len(placed) + 1),
    )  # fmt: skip
    ftyp = box("ftyp", b"iso6", struct.pack(">I", 0), b"iso6", b"cmfc", b"mp41")
    return ftyp + box("moov", mvhd, *traks, box("mvex", *trexes))


def _trak(number: int, track: Track, timeline: Timeline) -> bytes:
    handler, name = track.handler.encode("latin-1"), b"video\0" if track.handler == "vide" else b"audio\0"
    mdhd = full_box(
        "mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, track.timescale, 0, _language_code(track.language), 0)
    )
    hdlr = full_box("hdlr", 0, 0, bytes(4), handler, bytes(12), name)
    dinf = box("dinf", full_box("dref", 0, 0, struct.pack(">I", 1), full_box("url ", 0, 1)))
    no_entries = bytes(4)
    stbl = box(
        "stbl",
        track.descriptions,
        full_box("stts", 0, 0, no_entries),
        full_box("stsc", 0, 0, no_entries),
        full_box("stsz", 0, 0, no_entries, no_entries),
        full_box("stco", 0, 0, no_entries),
    )
    return box(
        "trak",
        _header(track.header, number),
        _edit_list(timeline.skip),
        box("mdia", mdhd, hdlr, box("minf", track.media or _MEDIA[track.handler], dinf, stbl)),
    )


def _header(tkhd: bytes, number: int) -> bytes:
    """The `tkhd` of a file without its duration: frame size, rotation and volume stay."""
    version = tkhd[8]
    tail = tkhd[8 + 4 + (32 if version else 20) :]
    return full_box("tkhd", 0, 3, struct.pack(">IIIII", 0, 0, number, 0, 0), tail)


def _edit_list(skip: int) -> bytes:
    """Presents the media from `skip` to its end (CMAF section 7.5.13); empty if `skip` is 0."""
    if not skip:
        return b""
    return box("edts", full_box("elst", 1, 0, struct.pack(">IQqI", 1, 0, skip, 0x10000)))


def _language_code(language: str | None) -> int:
    """ISO 639-2, three letters in five bits each (section 8.4.2.3)."""
    is_code = language is not None and len(language) == 3 and language.isascii() and language.isalpha()
    letters = language if language is not None and is_code else "und"
    first, second, third = (ord(letter) - 0x60 & 31 for letter in letters.lower())
    return first << 10 | second << 5 | third


def fragment_head(
    samples: SampleTable,
    timeline: Timeline,
    first: int,
    stop: int,
    sequence: int,
    number: int = 1,
    *,
    video_timescale: int = 0,
) -> bytes:
    """The boxes before the bytes of samples `first` to `stop` of track `number` in segment `sequence`, counted from 1.

    `stop` must be greater than `first`. The first sample of a track that begins late is decoded at 0 (`from_zero`). For
    a video track, `video_timescale` is its timescale, and its first frame may also be shown then (`shown_from_zero`).
    For audio it is 0. Raises `ValueError` for numbers that do not fit into a segment.
    """
    sizes = samples.expand_sizes(first, stop)
    durations = samples.durations.expand(first, stop)
    compositions = samples.compositions
    offsets = compositions.expand(first, stop) if compositions is not None else None
    decoded = samples.durations.time(first) + timeline.lead
    if first == timeline.first and not timeline.skip and decoded:
        later = offsets if offsets is not None else array("i", bytes(4 * (stop - first)))
        decoded = (
            shown_from_zero(decoded, durations, later, 0, video_timescale)
            if video_timescale
            else from_zero(decoded, durations, later)
        )
        if not decoded:
            offsets = later
    return segment_head(
        sequence, decoded, durations, sizes, _flags(samples, first, stop), offsets, track=number
    )


def _flags(samples: SampleTable, first: int, stop: int) -> Flags:
    if samples.sync is None and samples.dependencies is None:
        return Flags(SYNC)
    keys = [key - first for key in samples.sync_within(first, stop)]
    if samples.dependencies is None:
        return Flags.of(keys, stop - first)
    flags = array("I", (kind << 20 & 0x0FF00000 | 0x10000 for kind in samples.dependencies[first:stop]))
    for key in keys:
        flags[key] &= ~0x10000
    return Flags(NOT_SYNC, per_sample=flags)
