"""`moof` boxes -> the same tables a `moov` gives: a fragmented file is walked once and then treated like any other.

Each run of a fragment (`trun`) is a chunk. If the time of a fragment (`tfdt`) differs from the sum of the durations
before it, the former is right: the last sample before it is extended. Nothing corrects the last sample of the file, so
a duration of hours is not trusted there: writers that stop do not know how long it lasts. The samples of the `moov`
itself come first: some writers put the first fragment there. Source: ISO/IEC 14496-12 section 8.8.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from trio_stream.mp4.boxes import Box, Kinds, Malformed
from trio_stream.mp4.reading.movie import Defaults, Movie, References, Track
from trio_stream.mp4.reading.run_lengths import Durations, Runs, runs_of
from trio_stream.mp4.reading.stbl import MAX_SAMPLES
from trio_stream.mp4.reading.tables import Chunks, SampleTable, sums_of

NOT_SYNC = 0x10000
"""sample_is_non_sync_sample of sample flags (section 8.8.3.1)."""

MIN_LIMIT = 1 << 16
"""Number of samples that any file may list: some have no bytes."""


TRUSTED_SECONDS, MIN_SAMPLES = 60, 25
"""Seconds that the last sample may always last, and how many samples are needed to estimate its real duration."""


@dataclass(slots=True)
class _Gathered:
    """The samples of a track so far; `start` is the decode time of the first, `clock` that of the next one. `described`
    pairs the number of each sample entry with the first sample that refers to it."""

    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    durations: "array[int]" = field(default_factory=lambda: array("I"))
    compositions: "array[int]" = field(default_factory=lambda: array("i"))
    sync: "array[int]" = field(default_factory=lambda: array("I"))
    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    counts: "array[int]" = field(default_factory=lambda: array("I"))
    described: list[tuple[int, int]] = field(default_factory=list)
    start: int = 0
    clock: int = 0


@dataclass(slots=True)
class _Bounds:
    """The `size` of the file, and how many samples it may still list, in any track and whether or not they exist: each
    costs time and memory before it turns out to be missing."""

    size: int
    left: int

    def take(self, count: int, path: str) -> None:
        """Subtract `count`. Raises `Malformed` if too few are left."""
        if count > self.left:
            raise Malformed(path, f"{count} samples exceed the limit for the file")
        self.left -= count


@dataclass(frozen=True, slots=True)
class _Run:
    """How to read a run: offset of the data, the defaults of its samples, and the limits of the file."""

    base: int
    defaults: Defaults
    bounds: _Bounds


def read_fragments(movie: Movie, moofs: Iterable[tuple[int, bytes]], size: int) -> Movie:
    """The movie with the samples of all fragments, given the offset and payload of each `moof`. Raises `Malformed`."""
    # A hostile file lists millions of samples in a few bytes: they are counted before any is expanded.
    bounds = _Bounds(size, min(MAX_SAMPLES, max(size, MIN_LIMIT)))
    bounds.take(sum(track.samples.count for track in movie.tracks), "moov")
    gathered = {track.id: _from_moov(track.samples, movie.references.get(track.id)) for track in movie.tracks}
    fragmented = False
    for offset, payload in moofs:
        fragmented = True
        moof = Box("moof", memoryview(payload), "moof")
        data_end = offset
        for traf in moof.children():
            if traf.kind == "traf":
                data_end = _read_traf(traf, offset, data_end, movie, gathered, bounds)
    if not fragmented:
        return movie
    return Movie(
        movie.timescale,
        tuple(_with_fragments(track, gathered[track.id], movie) for track in movie.tracks),
        fragmented=True,
        defaults=movie.defaults,
    )


def _from_moov(samples: SampleTable, references: References | None) -> _Gathered:
    """The samples listed in the `moov` itself."""
    count, chunks = samples.count, samples.chunks
    gathered = _Gathered()
    if not count:
        return gathered
    gathered.described = list(references.runs) if references is not None else []
    gathered.sizes = samples.expand_sizes(0, count)
    gathered.durations = samples.durations.expand(0, count)
    gathered.compositions = (
        samples.compositions.expand(0, count)
        if samples.compositions is not None
        else array("i", bytes(4 * count))
    )
    gathered.sync = array("I", samples.sync_within(0, count))
    gathered.clock = samples.end
    left = count
    for (first, stop), length in zip(
        pairwise([*chunks.firsts, len(chunks.offsets) + 1]), chunks.lengths, strict=True
    ):
        for number in range(first, stop):
            if not left:
                return gathered
            gathered.offsets.append(chunks.offsets[number - 1])
            gathered.counts.append(min(length, left))
            left -= gathered.counts[-1]
    return gathered


def _read_traf(
    traf: Box, moof_at: int, data_at: int, movie: Movie, gathered: dict[int, _Gathered], bounds: _Bounds
) -> int:
    """Add the samples of one `traf`; returns where its data ends."""
    boxes = list(traf.children())
    by_kind = Kinds(traf.path, boxes)
    header = by_kind.one("tfhd")
    _, flags, fields = header.full()
    id_ = fields.u32()
    defaults = movie.defaults.get(id_, Defaults())
    base = moof_at if flags & 0x020000 else data_at
    if flags & 0x1:
        base = fields.number(8)
    description = fields.u32() if flags & 0x2 else defaults.description
    defaults = Defaults(
        fields.u32() if flags & 0x8 else defaults.duration,
        fields.u32() if flags & 0x10 else defaults.size,
        fields.u32() if flags & 0x20 else defaults.flags,
    )
    track = gathered.get(id_, _Gathered())  # data of unknown tracks still takes up space
    if not track.described or track.described[-1][1] != max(1, description):
        track.described.append((len(track.sizes), max(1, description)))
    if (tfdt := by_kind.get("tfdt")) is not None:
        version, _, fields = tfdt.full()
        _set_clock(track, fields.wide(version), tfdt.path)
    end = base
    run = _Run(base, defaults, bounds)
    for trun in boxes:
        if trun.kind == "trun":
            end = _read_trun(trun, track, end, run)
    return end


def _set_clock(track: _Gathered, time: int, path: str) -> None:
    if not len(track.durations):
        track.start = track.clock = time
    elif time != track.clock:
        longer = track.durations[-1] + time - track.clock
        if not 0 <= longer < 1 << 32:
            raise Malformed(path, "its time is before the end of the previous fragment")
        track.durations[-1] = longer
        track.clock = time


def _read_trun(trun: Box, track: _Gathered, at: int, run: _Run) -> int:
    """Add those samples of one run that exist; returns where its data ends."""
    _, flags, fields = trun.full()
    count, defaults, size = fields.u32(), run.defaults, run.bounds.size
    run.bounds.take(count, trun.path)
    offset = run.base + fields.number(4, signed=True) if flags & 0x1 else at
    first_flags = fields.u32() if flags & 0x4 else defaults.flags
    columns = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    rows = fields.numbers("I", count * len(columns))
    column = {bit: rows[at :: len(columns)] for at, bit in enumerate(columns)}
    sizes = column[0x200] if 0x200 in column else array("I", (defaults.size,)) * count
    end = offset + sum(sizes)
    if not 0 <= offset <= size:
        return end
    if end > size:  # truncated: samples that are missing do not count
        sizes = sizes[: bisect_right(array("Q", accumulate(sizes)), size - offset)]
    if not (count := len(sizes)):
        return end
    durations = column[0x100][:count] if 0x100 in column else array("I", (defaults.duration,)) * count
    first = len(track.sizes)
    if 0x400 in column:
        track.sync.extend(first + n for n, flag in enumerate(column[0x400][:count]) if not flag & NOT_SYNC)
    else:
        if not first_flags & NOT_SYNC:
            track.sync.append(first)
        if not defaults.flags & NOT_SYNC:
            track.sync.extend(range(first + 1, first + count))
    track.sizes += sizes
    track.durations += durations
    track.clock += sum(durations)
    offsets = column[0x800][:count].tobytes() if 0x800 in column else bytes(4 * count)
    track.compositions += array("i", offsets)
    track.offsets.append(offset)
    track.counts.append(count)
    return end


def _trusted_durations(durations: "array[int]", timescale: int) -> "array[int]":
    """The durations. If the last is more than TRUSTED_SECONDS and all others together, it becomes the one before."""
    if (
        len(durations) < MIN_SAMPLES
        or durations[-1] < TRUSTED_SECONDS * timescale
        or durations[-1] < sum(durations[:-1])
    ):
        return durations
    return durations[:-1] + durations[-2:-1]


def _with_fragments(track: Track, found: _Gathered, movie: Movie) -> Track:
    count = len(found.sizes)
    described = track.described
    if (references := movie.references.get(track.id)) is not None and found.described:
        described = references.entries.of(found.described, count)
    samples = array("Q", bytes(8 * len(found.counts)))
    total = 0
    for number, run_length in enumerate(found.counts):
        samples[number] = total
        total += run_length
    chunks = Chunks(found.offsets, array("I", range(1, len(found.offsets) + 1)), found.counts, samples)
    return track.with_samples(
        SampleTable(
            count=count,
            sizes=found.sizes,
            durations=Durations(*runs_of(_trusted_durations(found.durations, track.timescale))),
            compositions=Runs(*runs_of(found.compositions)) if any(found.compositions) else None,
            sync=None if len(found.sync) == count else found.sync,
            chunks=chunks,
            sums=sums_of(found.sizes, chunks),
        ),
        start=found.start,
        described=described,
    )
