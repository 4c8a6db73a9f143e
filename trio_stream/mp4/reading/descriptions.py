"""How the samples of a track are coded: the entries of its `stsd`, and which of them the samples refer to.

Most tracks have one entry. A video that was edited together has one for each coding, and chunks or fragments refer to
theirs. Entries that give a decoder the same information count as one: many editors write one for each clip.
Sources: ISO/IEC 14496-12 sections 8.5.2, 8.7.4 and 8.8.7.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from trio_stream.mp4.boxes import Box, Kinds, Malformed, full_box
from trio_stream.mp4.reading.quicktime import as_iso
from trio_stream.mp4.reading.sample_entry import VIDEO_ENTRY_SIZE, SampleEntry, read_sample_entry

LARGEST_BOX = 64 << 10
"""Maximum bytes of a box that goes into init segments: a sample entry has a few hundred."""

MAX_CHANGES = 1000
"""Maximum number of coding changes in a track: each is an init segment in playlists."""

_IRRELEVANT = frozenset({"btrt", "esds", "free", "skip", "uuid"})
"""Boxes of an entry that a decoder does not need; the parts of an `esds` that it does need are read separately."""


@dataclass(frozen=True, slots=True)
class Description:
    """One sample entry: as the only one in an `stsd` box, for an init segment, and parsed."""

    box: bytes
    entry: SampleEntry

    @property
    def nbytes(self) -> int:
        """Approximate memory use, in bytes."""
        return len(self.box) + self.entry.nbytes

    @property
    def decoder_key(self) -> Hashable:
        """What a decoder needs to know. Descriptions that are equal in this are interchangeable."""
        entry = self.entry
        boxes = tuple(sorted((kind, inner) for kind, inner in entry.boxes.items() if kind not in _IRRELEVANT))
        # The configuration of AAC repeats the fields of the entry, more precisely.
        fields = (0, 0) if entry.config else (entry.channels, entry.rate)
        return entry.kind, boxes, entry.width, entry.height, *fields, entry.object_type, entry.config


@dataclass(frozen=True, slots=True)
class Described:
    """From sample `first` on, counted from 0, a track is coded as `description` says."""

    first: int
    description: Description


class Descriptions:
    """The entries of an `stsd`, by number, counted from 1. Each is read when it is first needed."""

    def __init__(self, minf: Kinds, stsd: Box, handler: str) -> None:
        version, _, fields = stsd.full()
        fields.u32()
        self._path = stsd.path
        self._version = version
        self._entries = list(stsd.children(8))
        self._handler = handler
        self._minf = minf
        self._descriptions: dict[int, Description] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, number: int) -> Description:
        """Raises `Malformed`."""
        if (found := self._descriptions.get(number)) is None:
            if not 0 < number <= len(self):
                raise Malformed(self._path, f"it has no entry {number}")
            found = self._descriptions[number] = self._read(self._entries[number - 1])
        return found

    def _read(self, entry: Box) -> Description:
        entry = as_iso(entry, self._version) if self._handler == "soun" else _without_padding(entry)
        _check_same_file(self._minf, entry)
        box = full_box("stsd", self._version, 0, b"\0\0\0\1", init_box_bytes(entry))
        return Description(box, read_sample_entry(entry, self._handler))

    def of(self, references: Iterable[tuple[int, int]], count: int) -> tuple[Described, ...]:
        """How `count` samples are coded, given pairs of a sample and the number of the entry used from it on.

        The first result starts at sample 0, even if there are no samples. Raises `Malformed`.
        """
        found: list[Described] = []
        by_key: dict[Hashable, Description] = {}  # a coding that comes back must be the same object
        before: int | None = None
        for first, number in references:
            if number == before or (found and first >= count):
                continue
            before = number
            description = by_key.setdefault(self[number].decoder_key, self[number])
            if found and found[-1].first == first:
                found.pop()  # no sample used it
            if found and found[-1].description is description:
                continue
            if len(found) > MAX_CHANGES:
                raise Malformed(self._path, f"the coding changes more than {MAX_CHANGES:,} times")
            found.append(Described(first if found else 0, description))
        return tuple(found)


def within(described: Sequence[Described], first: int, stop: int) -> tuple[Described, ...]:
    """How the samples from `first` to `stop` are coded; the first result starts at `first`."""
    current = max(number for number, item in enumerate(described) if number == 0 or item.first <= first)
    return (
        replace(described[current], first=first),
        *(item for item in described[current + 1 :] if item.first < stop),
    )


def rearranged(described: Sequence[Described], samples: Sequence[int]) -> tuple[Described, ...]:
    """How a track is coded if it consists of these samples, in this order."""
    if len(described) == 1:
        return tuple(described)
    found: list[Described] = []
    bounds = [item.first for item in described]
    for place, sample in enumerate(samples):
        description = described[bisect_right(bounds, sample) - 1].description
        if not found or found[-1].description is not description:
            found.append(Described(place, description))
    return tuple(found)


def init_box_bytes(box: Box) -> bytes:
    """A box for init segments, as bytes. Raises `Malformed` if it is too large."""
    if len(box.payload) > LARGEST_BOX:
        raise Malformed(box.path, f"it has {len(box.payload)} bytes, and the limit is {LARGEST_BOX}")
    return box.whole()


def _without_padding(entry: Box) -> Box:
    """A video entry without the zeros that QuickTime puts at its end, which browsers do not accept as a box."""
    inner = (
        sum(len(child.payload) + 8 for child in entry.children(VIDEO_ENTRY_SIZE))
        if len(entry.payload) > VIDEO_ENTRY_SIZE
        else 0
    )
    return replace(entry, payload=entry.payload[: VIDEO_ENTRY_SIZE + inner])


def _check_same_file(minf: Kinds, entry: Box) -> None:
    """Raise `Malformed` if the samples are in another file, which QuickTime movies may refer to."""
    if "dinf" not in minf or (dref := minf["dinf"].find("dref")) is None:
        return
    references = list(dref.children(8))
    number = int.from_bytes(entry.payload[6:8], "big")
    if not 0 < number <= len(references) or references[number - 1].kind != "alis":
        return
    _, flags, _ = references[number - 1].full()
    if not flags & 1:
        raise Malformed(dref.path, "the samples are in another file")
