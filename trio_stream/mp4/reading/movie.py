"""A `moov` box -> the tracks there are, with their samples (ISO/IEC 14496-12 section 8.2 and following)."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from operator import mul, sub

from trio_stream.mp4.boxes import Box, Kinds, Malformed
from trio_stream.mp4.reading.descriptions import Described, Descriptions, kept
from trio_stream.mp4.reading.quicktime import LANGUAGES
from trio_stream.mp4.reading.sample_entry import SampleEntry
from trio_stream.mp4.reading.tables import Chunks, Durations, Runs, SampleTable, is_ascending, sums_of

MOST_TRACKS = 200
MOST_SAMPLES = 1 << 24
"""Of a track: four days of sound. What is not in a table of the file is not counted in one of ours."""

MOST_EDITS = 10_000
"""Entries of an edit list: a film that was cut every second."""

EMPTY = -1
"""The `media_time` of an edit that presents nothing."""

_MOST = 0x7FFFFFFF
ROLE_SCHEME = b"urn:mpeg:dash:role:2011"

_DIGITS = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of an edit list (section 8.6.6): `duration` in units of the movie's timescale, 0: to the end;
    `media_time` in those of the track's, `EMPTY`: nothing is presented."""

    duration: int
    media_time: int


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the samples of fragments are unless these say otherwise (`trex`, section 8.8.3)."""

    duration: int = 0
    size: int = 0
    flags: int = 0
    description: int = 1


@dataclass(frozen=True, slots=True)
class Track:
    """One track. `handler` is "vide" or "soun"; `language` as ISO 639-2 or BCP 47 name it, None: unsaid.

    `header` and `media` are the boxes `tkhd`, and `vmhd` or `smhd`, for an init segment. `described` tells how its
    samples are coded, from the first on; there are several descriptions only if that changes. `enabled` tracks are
    meant to be played without being asked for. `start` is when the first sample is decoded, which only fragments can
    say. `roles` are the DASH roles that its `kind` boxes name (ISO/IEC 23009-1 section 5.8.5.5)."""

    id: int
    handler: str
    timescale: int
    language: str | None
    name: str
    enabled: bool
    rotated: bool
    header: bytes
    media: bytes
    described: tuple[Described, ...]
    samples: SampleTable
    edits: tuple[Edit, ...] = ()
    start: int = 0
    roles: frozenset[str] = frozenset()

    @property
    def nbytes(self) -> int:
        """Memory it takes beside its samples, in bytes, within some."""
        codings = {each.description.box: each.description for each in self.described}
        return len(self.header) + len(self.media) + sum(each.nbytes for each in codings.values())

    @property
    def descriptions(self) -> bytes:
        """The `stsd` box of the first sample."""
        return self.described[0].description.box

    @property
    def entry(self) -> SampleEntry:
        """What the sample entry of the first sample says."""
        return self.described[0].description.entry

    def with_samples(self, samples: SampleTable, start: int, described: tuple[Described, ...]) -> "Track":
        """The same track with other samples, the first of them decoded at `start`."""
        return replace(self, samples=samples, start=start, described=described)


@dataclass(frozen=True, slots=True)
class References:
    """To which of the `entries` of a track its samples refer: from a sample on, to the one of that number."""

    entries: Descriptions
    runs: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Movie:
    """What a `moov` says; `fragmented` tells that samples may follow in `moof` boxes, with these
    `defaults` by track. What those may refer to is in `references`, by track, until they are read."""

    timescale: int
    tracks: tuple[Track, ...]
    fragmented: bool = False
    defaults: Mapping[int, Defaults] = field(default_factory=dict)
    references: Mapping[int, References] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Memory its tables take, in bytes, within some."""
        return sum(track.samples.nbytes for track in self.tracks)


def read_movie(moov: bytes | memoryview, size: int) -> Movie:
    """What the payload of a `moov` says of a file of `size` bytes. Raises `Malformed`."""
    root = Box("moov", memoryview(moov), "moov")
    boxes = list(root.children())
    version, _, fields = Kinds("moov", boxes).one("mvhd").full()
    fields.take(16 if version else 8)
    timescale = fields.u32()
    if timescale == 0:
        raise Malformed("moov/mvhd", "its timescale is 0")
    tracks: list[Track] = []
    defaults: dict[int, Defaults] = {}
    references: dict[int, References] = {}
    fragmented = False
    for each in boxes:
        if each.kind == "trak":
            if len(tracks) == MOST_TRACKS:
                raise Malformed("moov", f"there are more than {MOST_TRACKS} tracks")
            if (found := _read_track(each, size)) is not None:
                tracks.append(found[0])
                references[found[0].id] = found[1]
        elif each.kind == "mvex":
            fragmented = True
            defaults = dict(_read_defaults(trex) for trex in each.children() if trex.kind == "trex")
    if len({track.id for track in tracks}) != len(tracks):
        raise Malformed("moov", "two tracks have the same number")
    return Movie(timescale, tuple(tracks), fragmented, defaults, references if fragmented else {})


def _read_track(trak: Box, size: int) -> tuple[Track, References] | None:
    """The track, and to what its samples refer; None where it has nothing that could be played."""
    boxes = trak.by_kind()
    tkhd, mdia = boxes.one("tkhd"), boxes.one("mdia").by_kind()
    version, flags, fields = tkhd.full()
    fields.take(16 if version else 8)
    id_ = fields.u32()
    fields.take((12 if version else 8) + 16)
    matrix = [fields.number(4, signed=True) for _ in range(9)]
    version, _, fields = mdia.one("mdhd").full()
    fields.take(16 if version else 8)
    timescale = fields.u32()
    fields.take(8 if version else 4)
    language = _language(fields.u16(), mdia.get("elng"))
    _, _, fields = mdia.one("hdlr").full()
    fields.take(4)
    handler = bytes(fields.take(4)).decode("latin-1")
    fields.take(12)
    name = _text(bytes(fields.take(fields.rest())))
    if handler not in ("vide", "soun") or "minf" not in mdia or timescale == 0:
        return None
    minf = mdia["minf"].by_kind()
    if "stbl" not in minf:
        return None
    media = minf.get("vmhd") or minf.get("smhd")
    stbl = minf["stbl"].by_kind()
    samples, runs = _read_samples(stbl, size)
    entries = Descriptions(minf, stbl.one("stsd"), handler)
    if not len(entries):
        return None
    elst = boxes["edts"].find("elst") if "edts" in boxes else None
    track = Track(
        id=id_,
        handler=handler,
        timescale=timescale,
        language=language,
        name=name,
        enabled=bool(flags & 1),
        rotated=matrix[:2] != [0x10000, 0],
        header=kept(tkhd),
        media=kept(media) if media is not None else b"",
        described=entries.of(runs, samples.count),
        samples=samples,
        edits=_read_edits(elst) if elst is not None else (),
        roles=frozenset(_read_roles(boxes["udta"])) if "udta" in boxes else frozenset(),
    )
    return track, References(entries, runs)


def _read_roles(udta: Box) -> Iterator[str]:
    """What the `kind` boxes say (section 8.10.4): a scheme and a value, both ended by a zero. QuickTime writes what it
    likes here, so what cannot be read says nothing."""
    try:
        for box in udta.children():
            if box.kind == "kind":
                scheme, _, value = bytes(box.payload[4:204]).partition(b"\0")
                if scheme == ROLE_SCHEME:
                    yield value.partition(b"\0")[0].decode("latin-1")
    except Malformed:
        return


def _language(packed: int, elng: Box | None) -> str | None:
    """Three letters of five bits (section 8.4.2), or the extended tag; what is below 0x400 is QuickTime's number."""
    if elng is not None:
        _, _, fields = elng.full()
        if tag := _text(bytes(fields.take(fields.rest()))):
            return tag[:35]
    if packed < len(LANGUAGES):
        return LANGUAGES[packed]
    letters = "".join(chr(0x60 + (packed >> shift & 31)) for shift in (10, 5, 0))
    return letters if packed >= 0x400 and letters.isalpha() and letters != "und" else None


def _text(data: bytes) -> str:
    text = data.split(b"\0")[0].decode("utf-8", "replace")
    return "".join(each for each in text if each.isprintable())[:200]


def _read_edits(elst: Box) -> tuple[Edit, ...]:
    version, _, fields = elst.full()
    count = fields.u32()
    if count > fields.rest() // (20 if version else 12):
        raise Malformed(elst.path, f"it has no room for the {count} entries it claims")
    if count > MOST_EDITS:
        raise Malformed(elst.path, f"it has more than {MOST_EDITS} entries")
    edits = []
    for _ in range(count):
        edits.append(Edit(fields.wide(version), fields.wide(version, signed=True)))
        fields.take(4)  # the rate, which nobody plays at
    return tuple(edits)


def _read_defaults(trex: Box) -> tuple[int, Defaults]:
    _, _, fields = trex.full()
    track, description, duration, size, flags = (fields.u32() for _ in range(5))
    return track, Defaults(duration, size, flags, description)


def _read_samples(stbl: Kinds, size: int) -> tuple[SampleTable, list[tuple[int, int]]]:
    """The samples, and the numbers of the sample entries they refer to, each with the first that does."""
    sizes, count = _read_sizes(stbl)
    chunks, placed, references = _read_chunks(stbl, size)
    # A recording that was cut off names sizes of samples that have no place.
    if isinstance(sizes, int):
        count = min(count, placed, size // sizes)
    elif placed < count:
        count = placed
        sizes = sizes[:count]
    if count > MOST_SAMPLES:
        raise Malformed(stbl.path, f"there are more than {MOST_SAMPLES} samples in it")
    count = _whole(sizes, chunks, count, size)
    samples = SampleTable(
        count=count,
        sizes=sizes,
        durations=_read_durations(stbl.one("stts"), count),
        compositions=_read_compositions(stbl.get("ctts"), count),
        sync=_read_sync(stbl.get("stss"), count),
        chunks=chunks,
        dependencies=_read_dependencies(stbl.get("sdtp"), count),
        sums=sums_of(sizes, chunks),
    )
    return samples, references


def _whole(sizes: "int | array[int]", chunks: Chunks, count: int, size: int) -> int:
    """How many samples are there to the end: of the last chunk of a recording that was cut off, not all."""
    if not count:
        return 0
    entry = bisect_right(chunks.samples, count - 1) - 1
    number = (count - 1 - chunks.samples[entry]) // chunks.lengths[entry]
    first = chunks.samples[entry] + number * chunks.lengths[entry]
    room = max(0, size - chunks.offsets[chunks.firsts[entry] - 1 + number])
    if isinstance(sizes, int):
        return min(count, first + room // sizes)
    return first + bisect_right(array("Q", accumulate(sizes[first:count])), room)


def _read_sizes(stbl: Kinds) -> "tuple[int | array[int], int]":
    """Sections 8.7.3.2 and 8.7.3.3."""
    if (stsz := stbl.get("stsz")) is not None:
        _, _, fields = stsz.full()
        each, count = fields.u32(), fields.u32()
        return (each, count) if each else (fields.numbers("I", count), count)
    stz2 = stbl.get("stz2")
    if stz2 is None:
        raise Malformed(stbl.path, "there is no stsz in it")
    _, _, fields = stz2.full()
    bits, count = fields.u32() & 0xFF, fields.u32()
    if bits == 16:
        return array("I", fields.numbers("H", count)), count
    if bits == 8:
        return array("I", array("B", fields.take(count))), count
    if bits == 4:
        halves = fields.take((count + 1) // 2).hex().encode().translate(_DIGITS)
        return array("I", array("B", halves[:count])), count
    raise Malformed(stz2.path, f"sizes of {bits} bits are not known")


def _read_durations(stts: Box, count: int) -> Durations:
    _, _, fields = stts.full()
    rows = fields.table("I", 2)
    counts, values = rows[0::2], rows[1::2]
    if len(values) and max(values) > _MOST:
        values = _going_on(counts, values)
    counts, values = _covering(counts, values, count)
    return Durations(counts, values)


def _going_on(counts: "array[int]", values: "array[int]") -> "array[int]":
    """Durations of which some were meant as negative numbers, which cameras correct their clock with.

    Time does not go back: such a sample lasts one unit, and those behind it are shorter until the sum is right again,
    as FFmpeg has it.
    """
    found = array("I")
    meant = now = 0
    for count, value in zip(counts, values, strict=True):
        lasting = 1 if value > _MOST else value
        meant += count * (value - (1 << 32) if value > _MOST else value)
        now += count * lasting
        if now > meant and count:
            shorter = min((now - meant) // count, max(0, lasting - 1))
            now -= count * shorter
            lasting -= shorter
        found.append(lasting)
    return found


def _read_compositions(ctts: Box | None, count: int) -> Runs | None:
    """Section 8.6.1.3. Offsets are signed in version 1; writers of version 0 mean it as well."""
    if ctts is None:
        return None
    _, _, fields = ctts.full()
    rows = fields.table("i", 2)
    counts = array("I", rows[0::2].tobytes())
    values = rows[1::2]
    if not len(counts) or not any(values):
        return None
    if (missing := count - sum(counts)) > 0:  # samples without an offset are presented as they are decoded
        counts.append(missing)
        values.append(0)
    return Runs(*_covering(counts, values, count))


def _covering(counts: "array[int]", values: "array[int]", count: int) -> "tuple[array[int], array[int]]":
    """Runs for exactly `count` samples: what is too much goes, what is missing is as the last."""
    total = sum(counts)
    if total == count and len(counts):
        return counts, values
    if not len(counts):
        return array("I", (count,)), array(values.typecode, (0,))
    if total < count:
        longer = counts[:]
        longer[-1] += count - total
        return longer, values
    kept = 0
    while total - counts[-1 - kept] >= count and kept < len(counts) - 1:
        total -= counts[-1 - kept]
        kept += 1
    stop = len(counts) - kept
    shorter = counts[:stop]
    shorter[-1] -= total - count
    return shorter, values[:stop]


def _read_sync(stss: Box | None, count: int) -> "array[int] | None":
    """Section 8.6.2, counted from 0. No box: all. An empty one: none, so that the first has to do."""
    if stss is None:
        return None
    _, _, fields = stss.full()
    numbers = fields.table("I")
    if not is_ascending(numbers) or (len(numbers) and numbers[0] == 0):
        numbers = array("I", sorted({number for number in numbers if number}))
    while len(numbers) and numbers[-1] > count:
        del numbers[-1]
    return array("I", map((-1).__add__, numbers))


def _read_dependencies(sdtp: Box | None, count: int) -> bytes | None:
    if sdtp is None or len(sdtp.payload) < 4 + count:
        return None
    return bytes(sdtp.payload[4 : 4 + count])


def _read_chunks(stbl: Kinds, size: int) -> tuple[Chunks, int, list[tuple[int, int]]]:
    """Where chunks are, how many samples have a place in them, and to which sample entry those from a sample on refer.

    Sections 8.7.4 and 8.7.5."""
    if (table := stbl.get("co64")) is not None:
        _, _, fields = table.full()
        offsets = fields.table("Q")
    else:
        _, _, fields = stbl.one("stco").full()
        offsets = fields.table("I")
    if len(offsets) and offsets[-1] > size:
        kept = next(number for number, offset in enumerate(offsets) if offset > size)
        offsets = offsets[:kept]  # a recording that was cut off
    stsc = stbl.one("stsc")
    _, _, fields = stsc.full()
    rows = fields.table("I", 3)
    firsts, lengths, numbers = rows[0::3], rows[1::3], rows[2::3]
    while len(firsts) > 0 and firsts[-1] > len(offsets):
        del firsts[-1], lengths[-1]
    steps = list(map(sub, [*firsts[1:], len(offsets) + 1], firsts))
    if len(firsts) and (firsts[0] != 1 or min(steps) <= 0):
        raise Malformed(stsc.path, "its chunks are not in order")
    if 0 in lengths:
        raise Malformed(stsc.path, "a chunk has no samples")
    totals = list(accumulate(map(mul, steps, lengths), initial=0))
    if totals[-1] >= 1 << 63:
        raise Malformed(stsc.path, "there are more samples in it than can be")
    chunks = Chunks(offsets, firsts, lengths, array("Q", totals[:-1]))
    references = [(0, numbers[0] if len(numbers) else 1)]
    if len(numbers) and numbers.count(numbers[0]) != len(numbers):
        changes = (row for row in range(1, len(firsts)) if numbers[row] != numbers[row - 1])
        references += [(totals[row], numbers[row]) for row in changes]
    return chunks, totals[-1] if len(firsts) else 0, references
