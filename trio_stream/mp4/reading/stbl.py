"""A `stbl` box -> the samples of a track, in arrays as in the file (ISO/IEC 14496-12 section 8.5.1).

No number is trusted: a sample exists only if it has a place in a chunk, and the chunk begins inside the file.
"""

from array import array
from bisect import bisect_right
from itertools import accumulate
from operator import mul, sub

from trio_stream.mp4.boxes import Box, Kinds, Malformed
from trio_stream.mp4.reading.run_lengths import Durations, Runs
from trio_stream.mp4.reading.tables import Chunks, SampleTable, is_ascending, sums_of

MAX_SAMPLES = 1 << 24
"""Maximum number of samples of a track: four days of audio. Only samples in the tables of the file count."""

_MAX_DURATION = 0x7FFFFFFF

_DIGITS = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))


def read_samples(stbl: Kinds, size: int) -> tuple[SampleTable, list[tuple[int, int]]]:
    """The samples, and the sample entries they refer to: pairs of a first sample and the number of its entry."""
    sizes, count = _read_sizes(stbl)
    chunks, placed, references = _read_chunks(stbl, size)
    # A truncated recording lists sizes of samples that have no place.
    if isinstance(sizes, int):
        count = min(count, placed, size // sizes)
    elif placed < count:
        count = placed
        sizes = sizes[:count]
    if count > MAX_SAMPLES:
        raise Malformed(stbl.path, f"it has more than {MAX_SAMPLES} samples")
    count = _complete_samples(sizes, chunks, count, size)
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


def _complete_samples(sizes: "int | array[int]", chunks: Chunks, count: int, size: int) -> int:
    """How many samples are complete: the last chunk of a truncated recording may be cut off."""
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
        sample_size, count = fields.u32(), fields.u32()
        return (sample_size, count) if sample_size else (fields.numbers("I", count), count)
    stz2 = stbl.get("stz2")
    if stz2 is None:
        raise Malformed(stbl.path, "it has no stsz")
    _, _, fields = stz2.full()
    bits, count = fields.u32() & 0xFF, fields.u32()
    if bits == 16:
        return array("I", fields.numbers("H", count)), count
    if bits == 8:
        return array("I", array("B", fields.take(count))), count
    if bits == 4:
        halves = fields.take((count + 1) // 2).hex().encode().translate(_DIGITS)
        return array("I", array("B", halves[:count])), count
    raise Malformed(stz2.path, f"sizes of {bits} bits are not supported")


def _read_durations(stts: Box, count: int) -> Durations:
    _, _, fields = stts.full()
    rows = fields.table("I", 2)
    counts, values = rows[0::2], rows[1::2]
    if len(values) and max(values) > _MAX_DURATION:
        values = _without_negative_durations(counts, values)
    counts, values = _fitted(counts, values, count)
    return Durations(counts, values)


def _without_negative_durations(counts: "array[int]", values: "array[int]") -> "array[int]":
    """Replaces durations that were meant as negative numbers, which cameras use to correct their clock.

    Time does not go back: such a sample lasts one unit, and those after it are shorter until the sum is right again,
    as in FFmpeg.
    """
    found = array("I")
    meant = now = 0
    for count, value in zip(counts, values, strict=True):
        duration = 1 if value > _MAX_DURATION else value
        meant += count * (value - (1 << 32) if value > _MAX_DURATION else value)
        now += count * duration
        if now > meant and count:
            shorter = min((now - meant) // count, max(0, duration - 1))
            now -= count * shorter
            duration -= shorter
        found.append(duration)
    return found


def _read_compositions(ctts: Box | None, count: int) -> Runs | None:
    """Section 8.6.1.3. Offsets are signed in version 1, and in practice also in version 0."""
    if ctts is None:
        return None
    _, _, fields = ctts.full()
    rows = fields.table("i", 2)
    counts = array("I", rows[0::2].tobytes())
    values = rows[1::2]
    if not len(counts) or not any(values):
        return None
    if (missing := count - sum(counts)) > 0:  # samples without an offset are presented when they are decoded
        counts.append(missing)
        values.append(0)
    return Runs(*_fitted(counts, values, count))


def _fitted(counts: "array[int]", values: "array[int]", count: int) -> "tuple[array[int], array[int]]":
    """Runs for exactly `count` samples: extra ones are cut, and the last value is repeated for missing ones."""
    total = sum(counts)
    if total == count and len(counts):
        return counts, values
    if not len(counts):
        return array("I", (count,)), array(values.typecode, (0,))
    if total < count:
        longer = counts[:]
        longer[-1] += count - total
        return longer, values
    dropped = 0
    while total - counts[-1 - dropped] >= count and dropped < len(counts) - 1:
        total -= counts[-1 - dropped]
        dropped += 1
    stop = len(counts) - dropped
    shorter = counts[:stop]
    shorter[-1] -= total - count
    return shorter, values[:stop]


def _read_sync(stss: Box | None, count: int) -> "array[int] | None":
    """Section 8.6.2, counted from 0. None, if there is no box, means all; if the box is empty, there are none, and
    decoding starts at the first sample."""
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
    """Where chunks are, how many samples have a place in them, and which sample entries the samples refer to.

    Sections 8.7.4 and 8.7.5."""
    if (table := stbl.get("co64")) is not None:
        _, _, fields = table.full()
        offsets = fields.table("Q")
    else:
        _, _, fields = stbl.one("stco").full()
        offsets = fields.table("I")
    if len(offsets) and offsets[-1] > size:
        inside = next(number for number, offset in enumerate(offsets) if offset > size)
        offsets = offsets[:inside]  # a truncated recording
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
        raise Malformed(stsc.path, "it has more samples than a file can hold")
    chunks = Chunks(offsets, firsts, lengths, array("Q", totals[:-1]))
    references = [(0, numbers[0] if len(numbers) else 1)]
    if len(numbers) and numbers.count(numbers[0]) != len(numbers):
        changes = (row for row in range(1, len(firsts)) if numbers[row] != numbers[row - 1])
        references += [(totals[row], numbers[row]) for row in changes]
    return chunks, totals[-1] if len(firsts) else 0, references
