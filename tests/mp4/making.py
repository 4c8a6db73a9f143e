"""MP4 files written sample by sample, so that tables can be compared with what was intended.

Nothing of the product is used here, so a misreading of the standard would have to happen twice. The sources are those
of `trio_stream.mp4`.
"""

import random
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, groupby

MOVIE_SCALE = 1000
UNITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
NON_SYNC = 0x10000


@dataclass(frozen=True, slots=True)
class Sample:
    """`offset` is the composition offset; `dependency` the byte in `sdtp`."""

    size: int
    duration: int
    offset: int = 0
    sync: bool = True
    dependency: int = 0


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of an edit list, as in the file."""

    duration: int
    media_time: int
    rate: int = 0x10000


@dataclass(frozen=True, slots=True)
class TrackSpec:
    """A track to write.

    `chunks` are the numbers of samples in its chunks. At the samples in `breaks` a new run of a table begins although
    the value is the same. `sizes` is the form of the size table: "stsz", "constant", or the bits of an `stz2`.
    """

    samples: tuple[Sample, ...]
    chunks: tuple[int, ...]
    id: int = 1
    handler: str = "vide"
    timescale: int = 90_000
    edits: tuple[Edit, ...] = ()
    breaks: frozenset[int] = frozenset()
    sizes: str | int = "stsz"
    large: bool = False
    dependencies: bool = False
    language: int = 0x55C4  # "und"
    elng: str | None = None
    name: str = "Handler"
    enabled: bool = True
    entries: tuple[bytes, ...] = ()
    described: int = 1
    matrix: bytes = UNITY
    more: dict[str, bytes] = field(default_factory=dict)
    """Boxes of the sample table that replace the generated ones; an empty one is left out."""
    data: tuple[bytes, ...] = ()

    @property
    def contents(self) -> list[bytes]:
        """The bytes of each sample: `data`, or otherwise bytes that differ from those of all others."""
        if self.data:
            return list(self.data)
        chance = random.Random(self.id)
        return [chance.randbytes(sample.size) for sample in self.samples]


def box(kind: str, *payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, payload)), kind.encode("latin-1")) + b"".join(payload)


def large_box(kind: str, *payload: bytes) -> bytes:
    return struct.pack(">I4sQ", 1, kind.encode("latin-1"), 16 + sum(map(len, payload))) + b"".join(payload)


def full(kind: str, version: int, flags: int, *payload: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *payload)


def words(*numbers: int) -> bytes:
    """32 bits each, signed or not."""
    return b"".join((number & 0xFFFFFFFF).to_bytes(4, "big") for number in numbers)


def table(kind: str, rows: Sequence[Sequence[int]], version: int = 0) -> bytes:
    """A count and rows of 32-bit numbers."""
    return full(kind, version, 0, words(len(rows)), *(words(*row) for row in rows))


def runs(values: Iterable[int], breaks: frozenset[int] = frozenset()) -> list[tuple[int, int]]:
    """Counts and values of runs of equal neighbours, also split at `breaks`."""
    found: list[list[int]] = []
    for number, value in enumerate(values):
        if found and found[-1][1] == value and number not in breaks:
            found[-1][0] += 1
        else:
            found.append([1, value])
    return [(count, value) for count, value in found]


AVC = bytes.fromhex("0142c00cffe1000967640028acd100780101000468ee3cb0")
AAC = bytes.fromhex("03 19 0001 00 04 11 40 15 000000 00000000 00000000 05 02 1190 06 01 02")


def avc1(width: int = 320, height: int = 180, *more: bytes) -> bytes:
    return box(
        "avc1", bytes(6), b"\0\1", bytes(16), struct.pack(">HH", width, height),
        struct.pack(">II", 0x480000, 0x480000), bytes(4), b"\0\1", bytes(32), b"\0\x18\xff\xff",
        box("avcC", AVC), *more,
    )  # fmt: skip


def mp4a(rate: int = 48_000, channels: int = 2, esds: bytes = AAC, *more: bytes) -> bytes:
    return box(
        "mp4a", bytes(6), b"\0\1", bytes(8), struct.pack(">HHHHI", channels, 16, 0, 0, rate << 16),
        full("esds", 0, 0, esds), *more,
    )  # fmt: skip


def _sizes(track: TrackSpec) -> bytes:
    sizes = [sample.size for sample in track.samples]
    if track.sizes == "constant":
        return full("stsz", 0, 0, words(sizes[0], len(sizes)))
    if track.sizes == "stsz":
        return full("stsz", 0, 0, words(0, len(sizes), *sizes))
    if track.sizes == 16:
        code = struct.pack(f">{len(sizes)}H", *sizes)
    elif track.sizes == 8:
        code = bytes(sizes)
    else:
        even = [*sizes, 0]
        code = bytes(even[at] << 4 | even[at + 1] for at in range(0, len(sizes), 2))
    return full("stz2", 0, 0, words(int(track.sizes), len(sizes)), code)


def _chunks(track: TrackSpec, offsets: Sequence[int]) -> list[bytes]:
    rows: list[tuple[int, int, int]] = []
    for number, count in enumerate(track.chunks):
        if not rows or rows[-1][1] != count or number in track.breaks:
            rows.append((number + 1, count, track.described))
    places = struct.pack(f">{len(offsets)}{'Q' if track.large else 'I'}", *offsets)
    return [
        table("stsc", rows),
        full("co64" if track.large else "stco", 0, 0, words(len(offsets)), places),
    ]


def stbl(track: TrackSpec, offsets: Sequence[int]) -> bytes:
    """The sample table."""
    samples = track.samples
    entries = track.entries or (
        (avc1(),) if track.handler == "vide" else (mp4a(min(track.timescale, 48_000)),)
    )
    spec = [
        full("stsd", 0, 0, words(len(entries)), *entries),
        table("stts", runs((sample.duration for sample in samples), track.breaks)),
    ]
    if any(sample.offset for sample in samples):
        version = int(any(sample.offset < 0 for sample in samples))
        spec.append(table("ctts", runs((sample.offset for sample in samples), track.breaks), version))
    if not all(sample.sync for sample in samples):
        spec.append(table("stss", [(n + 1,) for n, sample in enumerate(samples) if sample.sync]))
    if track.dependencies:
        spec.append(full("sdtp", 0, 0, bytes(sample.dependency for sample in samples)))
    spec += [*_chunks(track, offsets), _sizes(track)]
    by_kind = {sample[4:8].decode("latin-1"): sample for sample in spec} | track.more
    return box("stbl", *by_kind.values())


def tkhd(track: TrackSpec) -> bytes:
    return full(
        "tkhd", 0, 3 if track.enabled else 2, words(0, 0, track.id, 0, 0), bytes(8), bytes(8), track.matrix,
        words(320 << 16, 180 << 16),
    )  # fmt: skip


def trak(track: TrackSpec, offsets: Sequence[int] = ()) -> bytes:
    """A track whose chunks are at `offsets`."""
    mdhd = full(
        "mdhd", 0, 0, words(0, 0, track.timescale, sum(sample.duration for sample in track.samples)),
        struct.pack(">HH", track.language, 0),
    )  # fmt: skip
    more = [full("elng", 0, 0, track.elng.encode() + b"\0")] if track.elng is not None else []
    hdlr = full(
        "hdlr", 0, 0, bytes(4), track.handler.encode("latin-1"), bytes(12), track.name.encode() + b"\0"
    )
    media = full("vmhd", 0, 1, bytes(8)) if track.handler == "vide" else full("smhd", 0, 0, bytes(4))
    dinf = box("dinf", full("dref", 0, 0, words(1), full("url ", 0, 1)))
    return box(
        "trak",
        tkhd(track),
        box("edts", elst(track.edits)) if track.edits else b"",
        box("mdia", mdhd, *more, hdlr, box("minf", media, dinf, stbl(track, offsets))),
    )


def elst(edits: Sequence[Edit], version: int = 0) -> bytes:
    wide = ">Qq" if version else ">Ii"
    rows = (
        struct.pack(wide, edit.duration, edit.media_time) + edit.rate.to_bytes(4, "big", signed=True)
        for edit in edits
    )
    return full("elst", version, 0, words(len(edits)), *rows)


def mvhd(timescale: int = MOVIE_SCALE) -> bytes:
    return full("mvhd", 0, 0, words(0, 0, timescale, 0, 0x10000), bytes(12), UNITY, bytes(24), words(99))


def moov(tracks: Sequence[TrackSpec], offsets: Sequence[Sequence[int]], *more: bytes) -> bytes:
    """The `moov` of tracks whose chunks are at `offsets`."""
    spec = (trak(track, places) for track, places in zip(tracks, offsets, strict=True))
    return box("moov", mvhd(), *spec, *more)


FTYP = box("ftyp", b"isom", words(512), b"isomavc1")


def film(*tracks: TrackSpec, last: bool = True, shift: int = 0) -> bytes:
    """A file with all samples of the tracks; chunks of the tracks alternate, with `shift` other bytes between them.

    `last`: the `moov` comes after the data.
    """

    def lay(at: int) -> tuple[bytes, list[list[int]]]:
        data, offsets = bytearray(), [[0] * len(track.chunks) for track in tracks]
        contents = [track.contents for track in tracks]
        bounds = [list(accumulate(track.chunks, initial=0)) for track in tracks]
        for number in range(max((len(track.chunks) for track in tracks), default=0)):
            for each in range(len(tracks)):
                if number < len(tracks[each].chunks):
                    data += bytes(shift)
                    offsets[each][number] = at + len(data)
                    first, stop = bounds[each][number : number + 2]
                    data += b"".join(contents[each][first:stop])
        return bytes(data), offsets

    if last:
        data, offsets = lay(len(FTYP) + 8)
        return FTYP + box("mdat", data) + moov(tracks, offsets)
    _, offsets = lay(0)
    data, offsets = lay(len(FTYP) + len(moov(tracks, offsets)) + 8)
    return FTYP + moov(tracks, offsets) + box("mdat", data)


def payload(data: bytes, kind: str = "moov") -> bytes:
    """The payload of the first top-level box of that kind (32-bit sizes)."""
    at = 0
    while at < len(data):
        size, found = struct.unpack_from(">I4s", data, at)
        if found == kind.encode():
            return data[at + 8 : at + size]
        at += size
    raise AssertionError(f"no {kind}")


# --- Fragments ----------------------------------------------------------------------------------------


def trex(track: int, duration: int = 0, size: int = 0, flags: int = 0) -> bytes:
    return full("trex", 0, 0, words(track, 1, duration, size, flags))


def opening(*tracks: TrackSpec, defaults: Sequence[bytes] = ()) -> bytes:
    """The beginning of a fragmented file: tracks without a sample."""
    empty = [replace(track, samples=(), chunks=(), sizes="stsz") for track in tracks]
    spec = defaults or [trex(track.id) for track in tracks]
    return FTYP + moov(empty, [()] * len(tracks), box("mvex", *spec))


def tfhd(track: int, flags: int = 0x020000, *fields: int, base: int | None = None) -> bytes:
    """`fields` are those that the flags announce; `base` is the 64-bit data offset, which comes before them."""
    start = b"" if base is None else struct.pack(">Q", base)
    return full("tfhd", 0, flags | (base is not None), words(track), start, words(*fields))


def tfdt(time: int, version: int = 1) -> bytes:
    return full("tfdt", version, 0, time.to_bytes(8 if version else 4, "big"))


def sample_flags(sample: Sample) -> int:
    return sample.dependency << 20 | (0 if sample.sync else NON_SYNC)


def trun(samples: Sequence[Sample], offset: int | None = None, *, version: int = 1) -> bytes:
    """A run with all fields of each sample."""
    flags = 0xF00 | (offset is not None)
    rows = (words(sample.duration, sample.size, sample_flags(sample), sample.offset) for sample in samples)
    start = b"" if offset is None else words(offset)
    return full("trun", version, flags, words(len(samples)), start, *rows)


def fragment(
    track: TrackSpec,
    first: int,
    stop: int,
    sequence: int,
    time: int | None,
    *,
    split: int = 0,
    described: int | None = None,
) -> bytes:
    """`moof` and `mdat` of samples `first` to `stop`, in two runs if `split` is between these.

    `described` is the number of their sample entry; None leaves it out."""
    header = tfhd(track.id) if described is None else tfhd(track.id, 0x020002, described)
    samples, contents = track.samples[first:stop], track.contents[first:stop]
    parts = [samples[: split - first], samples[split - first :]] if first < split < stop else [samples]

    def build(offsets: Sequence[int]) -> bytes:
        clock = [tfdt(time)] if time is not None else []
        spec = [trun(part, offset) for part, offset in zip(parts, offsets, strict=True)]
        return box("moof", full("mfhd", 0, 0, words(sequence)), box("traf", header, *clock, *spec))

    begin = len(build([0] * len(parts))) + 8
    sizes = [sum(item.size for item in part) for part in parts]
    offsets = [begin + before for before in accumulate(sizes[:-1], initial=0)]
    return build(offsets) + box("mdat", *contents)


def grouped(samples: Sequence[Sample]) -> list[int]:
    """The number of samples from each sync sample to the next."""
    return [len(list(group)) for _, group in groupby(accumulate(int(sample.sync) for sample in samples))]
