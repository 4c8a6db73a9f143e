"""Writes what stands before the bytes of samples: init segments, and the heads of fragments, as CMAF wants them.

A fragment has one track and one run, and its data follow the head at once: nothing else is in its `mdat`. What all
samples of it have in common is said once. Sources: ISO/IEC 14496-12 sections 8.8 and 8.16.2; ISO/IEC 23000-19 section
7.5."""

import struct
from array import array
from sys import byteorder

from trio_stream.mp4.boxes import box, full_box
from trio_stream.mp4.movie import Track
from trio_stream.mp4.tables import SampleTable
from trio_stream.mp4.timeline import Timeline

SYNC, NOT_SYNC = 0x02000000, 0x01010000
"""Sample flags (section 8.8.3.1): depends on no other; depends on others, is no sync sample."""

LATEST = 1 << 30
"""Units of a timescale by which a track may begin later, so that one sample can say it."""

_UNITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_STYP = box("styp", b"cmfs", struct.pack(">I", 0), b"cmfs", b"msdh")
_MEDIA = {"vide": full_box("vmhd", 0, 1, bytes(8)), "soun": full_box("smhd", 0, 0, bytes(4))}
_TFHD_FLAGS = 0x020000 | 0x20  # default-base-is-moof, default-sample-flags-present


def init_segment(*placed: tuple[Track, Timeline]) -> bytes:
    """`ftyp` and `moov` for tracks, which are numbered from 1 there: a reader needs nothing else of the file."""
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
        "mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, track.timescale, 0, _packed(track.language), 0)
    )
    hdlr = full_box("hdlr", 0, 0, bytes(4), handler, bytes(12), name)
    dinf = box("dinf", full_box("dref", 0, 0, struct.pack(">I", 1), full_box("url ", 0, 1)))
    nothing = bytes(4)
    stbl = box(
        "stbl",
        track.descriptions,
        full_box("stts", 0, 0, nothing),
        full_box("stsc", 0, 0, nothing),
        full_box("stsz", 0, 0, nothing, nothing),
        full_box("stco", 0, 0, nothing),
    )
    return box(
        "trak",
        _header(track.header, number),
        _edit_list(timeline.skip),
        box("mdia", mdhd, hdlr, box("minf", track.media or _MEDIA[track.handler], dinf, stbl)),
    )


def _header(tkhd: bytes, number: int) -> bytes:
    """The `tkhd` of a file, of no stated duration: size of the pictures, rotation and volume stay."""
    version = tkhd[8]
    tail = tkhd[8 + 4 + (32 if version else 20) :]
    return full_box("tkhd", 0, 3, struct.pack(">IIIII", 0, 0, number, 0, 0), tail)


def _edit_list(skip: int) -> bytes:
    """From where on the media is presented, to its end (CMAF section 7.5.13); nothing if it is from the beginning."""
    if not skip:
        return b""
    return box("edts", full_box("elst", 1, 0, struct.pack(">IQqI", 1, 0, skip, 0x10000)))


def _packed(language: str | None) -> int:
    """ISO 639-2, three letters in five bits each (section 8.4.2.3)."""
    plain = language is not None and len(language) == 3 and language.isascii() and language.isalpha()
    letters = language if language is not None and plain else "und"
    first, second, third = (ord(letter) - 0x60 & 31 for letter in letters.lower())
    return first << 10 | second << 5 | third


def fragment_head(
    samples: SampleTable, timeline: Timeline, first: int, stop: int, sequence: int, number: int = 1
) -> tuple[bytes, int]:
    """What stands before the bytes of samples `first` to `stop` of track `number` in segment `sequence`, counted from
    1.

    Answers it with the number of bytes of the samples. `stop` is more than `first`. The first sample of a track that
    begins late is decoded at 0 already, and presented when it is to be: players take the time at which the first
    segment is decoded for that at which its playlist begins.
    """
    count = stop - first
    sizes = samples.expand_sizes(first, stop)
    data = sum(sizes)
    run_flags = 0x1
    columns: list[array[int]] = []
    defaults = b""
    track_flags = _TFHD_FLAGS
    durations = samples.durations.expand(first, stop)
    decoded = samples.durations.time(first) + timeline.lead
    waits = (
        decoded if first == timeline.first and not timeline.skip and decoded + durations[0] <= LATEST else 0
    )
    durations[0] += waits
    if durations.count(durations[0]) == count:
        track_flags |= 0x8
        defaults += struct.pack(">I", durations[0])
    else:
        run_flags |= 0x100
        columns.append(durations)
    if sizes.count(sizes[0]) == count:
        track_flags |= 0x10
        defaults += struct.pack(">I", sizes[0])
    else:
        run_flags |= 0x200
        columns.append(sizes)
    common, exception, flags = _flags(samples, first, stop)
    if exception is not None:
        run_flags |= 0x4
    if flags is not None:
        run_flags |= 0x400
        columns.append(flags)
    if samples.compositions is not None or waits:
        run_flags |= 0x800
        offsets = samples.compositions.expand(first, stop) if samples.compositions is not None else None
        offsets = offsets or array("i", bytes(4 * count))
        offsets[0] += waits
        columns.append(array("I", offsets.tobytes()))

    tfhd = full_box("tfhd", 0, track_flags, struct.pack(">I", number), defaults, struct.pack(">I", common))
    tfdt = full_box("tfdt", 1, 0, struct.pack(">Q", decoded - waits))
    trun_size = 20 + (4 if exception is not None else 0) + 4 * count * len(columns)
    traf_size = 8 + len(tfhd) + len(tfdt) + trun_size
    moof_size = 24 + traf_size
    head = b"".join((
        _STYP,
        struct.pack(">I4s", moof_size, b"moof"),
        full_box("mfhd", 0, 0, struct.pack(">I", sequence)),
        struct.pack(">I4s", traf_size, b"traf"),
        tfhd,
        tfdt,
        struct.pack(">I4sIIi", trun_size, b"trun", 1 << 24 | run_flags, count, moof_size + _mdat_header(data)),
        struct.pack(">I", exception) if exception is not None else b"",
        _rows(columns, count),
        _mdat(data),
    ))  # fmt: skip
    return head, data


def _mdat_header(data: int) -> int:
    return 8 if data + 8 < 1 << 32 else 16


def _mdat(data: int) -> bytes:
    if data + 8 < 1 << 32:
        return struct.pack(">I4s", data + 8, b"mdat")
    return struct.pack(">I4sQ", 1, b"mdat", data + 16)


def _flags(samples: SampleTable, first: int, stop: int) -> tuple[int, int | None, "array[int] | None"]:
    """Flags of the samples: what is common, what the first has instead, and all of them where that does not do."""
    keys = samples.sync_within(first, stop)
    if samples.dependencies is not None:
        kinds = samples.dependencies[first:stop]
        flags = array("I", (kind << 20 & 0x0FF00000 | 0x10000 for kind in kinds))
        for key in keys:
            flags[key - first] &= ~0x10000
        return NOT_SYNC, None, flags
    if len(keys) == stop - first:
        return SYNC, None, None
    if len(keys) == 0:
        return NOT_SYNC, None, None
    if len(keys) == 1 and keys[0] == first:
        return NOT_SYNC, SYNC, None
    flags = array("I", (NOT_SYNC,)) * (stop - first)
    for key in keys:
        flags[key - first] = SYNC
    return NOT_SYNC, None, flags


def _rows(columns: "list[array[int]]", count: int) -> bytes:
    """The columns as rows of 32-bit numbers."""
    if not columns:
        return b""
    rows = array("I", bytes(4 * count * len(columns)))
    for at, column in enumerate(columns):
        rows[at :: len(columns)] = column
    if byteorder == "little":
        rows.byteswap()
    return rows.tobytes()
