"""`moof` boxes -> the same tables a `moov` gives: a fragmented file is walked once and is a file like any other.

Each run of a fragment (`trun`) is a chunk. Where the clock of a fragment (`tfdt`) and the sum of the durations before
it differ, the clock is right: the last sample before it is that much longer. Source: ISO/IEC 14496-12 section 8.8.
"""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trio_stream.mp4.boxes import Box, Malformed
from trio_stream.mp4.movie import MOST_SAMPLES, Defaults, Movie, Track
from trio_stream.mp4.tables import Chunks, Durations, Runs, SampleTable

NOT_SYNC = 0x10000
"""sample_is_non_sync_sample of sample flags (section 8.8.3.1)."""


@dataclass(slots=True)
class _Gathered:
    """The samples of a track so far."""

    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    durations: "array[int]" = field(default_factory=lambda: array("I"))
    compositions: "array[int]" = field(default_factory=lambda: array("i"))
    sync: "array[int]" = field(default_factory=lambda: array("I"))
    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    counts: "array[int]" = field(default_factory=lambda: array("I"))
    start: int | None = None
    clock: int = 0


def read_fragments(movie: Movie, moofs: Iterable[tuple[int, bytes]], size: int) -> Movie:
    """The movie with the samples of all fragments: offset and payload of each `moof`. Raises `Malformed`."""
    gathered = {track.id: _Gathered() for track in movie.tracks}
    for offset, payload in moofs:
        moof = Box("moof", memoryview(payload), "moof")
        data_end = offset
        for number, traf in enumerate(each for each in moof.children() if each.kind == "traf"):
            data_end = _read_traf(
                traf, offset, data_end if number else offset, movie.defaults, gathered, size
            )
    return Movie(
        movie.timescale,
        tuple(
            _with_fragments(track, gathered[track.id]) if track.samples.count == 0 else track
            for track in movie.tracks
        ),
        fragmented=True,
        defaults=movie.defaults,
    )


def _read_traf(
    traf: Box,
    moof_at: int,
    data_at: int,
    defaults: Mapping[int, Defaults],
    gathered: Mapping[int, _Gathered],
    size: int,
) -> int:
    """Add the samples of one `traf`; answers where its data ends."""
    _, flags, fields = traf.get("tfhd").full()
    id_ = fields.u32()
    track = gathered.get(id_)
    given = defaults.get(id_, Defaults())
    base = moof_at if flags & 0x020000 else data_at
    if flags & 0x1:
        base = fields.number(8)
    if flags & 0x2:
        fields.u32()
    duration = fields.u32() if flags & 0x8 else given.duration
    each = fields.u32() if flags & 0x10 else given.size
    sample_flags = fields.u32() if flags & 0x20 else given.flags
    if track is None:
        return base
    if (tfdt := traf.find("tfdt")) is not None:
        version, _, fields = tfdt.full()
        _set_clock(track, fields.wide(version), tfdt.path)
    end = base
    for trun in traf.children():
        if trun.kind == "trun":
            end = _read_trun(trun, track, base, end, Defaults(duration, each, sample_flags), size)
    return end


def _set_clock(track: _Gathered, time: int, path: str) -> None:
    if track.start is None:
        track.start = track.clock = time
    elif time != track.clock and len(track.durations):
        longer = track.durations[-1] + time - track.clock
        if not 0 <= longer < 1 << 32:
            raise Malformed(path, "its time lies before the end of the fragment before it")
        track.durations[-1] = longer
        track.clock = time


def _read_trun(trun: Box, track: _Gathered, base: int, at: int, given: Defaults, size: int) -> int:
    """Add the samples of one run; answers where its data ends."""
    _, flags, fields = trun.full()
    count = fields.u32()
    offset = base + fields.number(4, signed=True) if flags & 0x1 else at
    first_flags = fields.u32() if flags & 0x4 else None
    columns = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    if count > MOST_SAMPLES - len(track.sizes):
        raise Malformed(trun.path, f"there are more than {MOST_SAMPLES} samples in the track")
    if not columns and given.size * count > size:
        raise Malformed(trun.path, f"{count} samples of {given.size} bytes are more than the file has")
    if not columns and count > size:
        raise Malformed(trun.path, f"{count} samples are more than the file has bytes")
    rows = fields.numbers("I", count * len(columns))
    column = {bit: rows[at :: len(columns)] for at, bit in enumerate(columns)}
    sizes = column.get(0x200) or array("I", (given.size,)) * count
    durations = column.get(0x100) or array("I", (given.duration,)) * count
    total = sum(sizes)
    if offset < 0 or offset + total > size:
        return offset + total  # cut off: what is not there is no sample
    first = len(track.sizes)
    if 0x400 in column:
        track.sync.extend(first + n for n, each in enumerate(column[0x400]) if not each & NOT_SYNC)
    else:
        if count and not (given.flags if first_flags is None else first_flags) & NOT_SYNC:
            track.sync.append(first)
        if not given.flags & NOT_SYNC:
            track.sync.extend(range(first + 1, first + count))
    track.sizes += sizes
    track.durations += durations
    track.clock += sum(durations)
    if 0x800 in column:
        track.compositions += array("i", column[0x800].tobytes())
    else:
        track.compositions += array("i", (0,)) * count
    if count:
        track.offsets.append(offset)
        track.counts.append(count)
    return offset + total


def _with_fragments(track: Track, found: _Gathered) -> Track:
    count = len(found.sizes)
    samples = array("Q", bytes(8 * len(found.counts)))
    total = 0
    for number, each in enumerate(found.counts):
        samples[number] = total
        total += each
    return track.with_samples(
        SampleTable(
            count=count,
            sizes=found.sizes,
            durations=Durations(*_runs(found.durations)),
            compositions=Runs(*_runs(found.compositions)) if any(found.compositions) else None,
            sync=None if len(found.sync) == count else found.sync,
            chunks=Chunks(found.offsets, array("I", range(1, len(found.offsets) + 1)), found.counts, samples),
        ),
        start=found.start or 0,
    )


def _runs(values: "array[int]") -> "tuple[array[int], array[int]]":
    """Equal neighbours as one run."""
    if len(values) == 0 or values.count(values[0]) == len(values):
        return array("I", (len(values),)), values[:1] or array(values.typecode, (0,))
    counts, kept = array("I"), array(values.typecode)
    for value in values:
        if kept and kept[-1] == value:
            counts[-1] += 1
        else:
            counts.append(1)
            kept.append(value)
    return counts, kept
