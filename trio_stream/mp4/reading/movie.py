"""A `moov` box -> its tracks with their samples (ISO/IEC 14496-12 section 8.2 and following)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from trio_stream.mp4.boxes import Box, Kinds, Malformed
from trio_stream.mp4.reading.descriptions import Described, Descriptions, init_box_bytes
from trio_stream.mp4.reading.quicktime import LANGUAGES
from trio_stream.mp4.reading.sample_entry import SampleEntry
from trio_stream.mp4.reading.stbl import read_samples
from trio_stream.mp4.reading.tables import SampleTable

MAX_TRACKS = 200

MAX_EDITS = 10_000
"""Maximum number of entries of an edit list: one cut per second for almost three hours."""

EMPTY = -1
"""The `media_time` of an edit that presents nothing."""

ROLE_SCHEME = b"urn:mpeg:dash:role:2011"


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of an edit list (section 8.6.6). `duration` is in units of the movie's timescale, 0 means to the end;
    `media_time` is in those of the track's, `EMPTY` means that nothing is presented."""

    duration: int
    media_time: int


@dataclass(frozen=True, slots=True)
class Defaults:
    """Default values for the samples of fragments (`trex`, section 8.8.3)."""

    duration: int = 0
    size: int = 0
    flags: int = 0
    description: int = 1


@dataclass(frozen=True, slots=True)
class Track:
    """One track. `handler` is "vide" or "soun"; `language` is a code of ISO 639-2 or BCP 47, None if not stated.

    `header` and `media` are the boxes `tkhd`, and `vmhd` or `smhd`, for an init segment. `described` says how its
    samples are coded, from the first on; it has several items only if that changes. `enabled` tracks are meant to play
    by default. `start` is the decode time of the first sample, other than 0 only in fragmented files. `roles` are the
    DASH roles in its `kind` boxes (ISO/IEC 23009-1 section 5.8.5.5)."""

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
        """Approximate memory use without the samples, in bytes."""
        codings = {item.description.box: item.description for item in self.described}
        return len(self.header) + len(self.media) + sum(coding.nbytes for coding in codings.values())

    @property
    def descriptions(self) -> bytes:
        """The `stsd` box for the first sample."""
        return self.described[0].description.box

    @property
    def entry(self) -> SampleEntry:
        """The sample entry of the first sample."""
        return self.described[0].description.entry

    def with_samples(self, samples: SampleTable, start: int, described: tuple[Described, ...]) -> "Track":
        """The same track with other samples, the first of them decoded at `start`."""
        return replace(self, samples=samples, start=start, described=described)


@dataclass(frozen=True, slots=True)
class References:
    """Which of the `entries` of a track its samples refer to: pairs of a first sample and the number of its entry."""

    entries: Descriptions
    runs: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Movie:
    """The contents of a `moov`. If it is `fragmented`, samples may follow in `moof` boxes, with these `defaults` by
    track. `references`, by track, are needed until the fragments are read."""

    timescale: int
    tracks: tuple[Track, ...]
    fragmented: bool = False
    defaults: Mapping[int, Defaults] = field(default_factory=dict)
    references: Mapping[int, References] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Approximate memory use of the tables, in bytes."""
        return sum(track.samples.nbytes for track in self.tracks)


def read_movie(moov: bytes | memoryview, size: int) -> Movie:
    """Read the payload of the `moov` of a file of `size` bytes. Raises `Malformed`."""
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
    for box in boxes:
        if box.kind == "trak":
            if len(tracks) == MAX_TRACKS:
                raise Malformed("moov", f"it has more than {MAX_TRACKS} tracks")
            if (found := _read_track(box, size)) is not None:
                tracks.append(found[0])
                references[found[0].id] = found[1]
        elif box.kind == "mvex":
            fragmented = True
            defaults = dict(_read_defaults(trex) for trex in box.children() if trex.kind == "trex")
    if len({track.id for track in tracks}) != len(tracks):
        raise Malformed("moov", "two tracks have the same number")
    return Movie(timescale, tuple(tracks), fragmented, defaults, references if fragmented else {})


def _read_track(trak: Box, size: int) -> tuple[Track, References] | None:
    """The track, and the sample entries its samples refer to; None if it holds no video or audio."""
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
    samples, runs = read_samples(stbl, size)
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
        header=init_box_bytes(tkhd),
        media=init_box_bytes(media) if media is not None else b"",
        described=entries.of(runs, samples.count),
        samples=samples,
        edits=_read_edits(elst) if elst is not None else (),
        roles=frozenset(_read_roles(boxes["udta"])) if "udta" in boxes else frozenset(),
    )
    return track, References(entries, runs)


def _read_roles(udta: Box) -> Iterator[str]:
    """The DASH roles of the `kind` boxes (section 8.10.4): a scheme and a value, each ending with a zero byte.
    QuickTime writes its own data here, so what cannot be parsed is ignored."""
    try:
        for box in udta.children():
            if box.kind == "kind":
                scheme, _, value = bytes(box.payload[4:204]).partition(b"\0")
                if scheme == ROLE_SCHEME:
                    yield value.partition(b"\0")[0].decode("latin-1")
    except Malformed:
        return


def _language(code: int, elng: Box | None) -> str | None:
    """Three letters of five bits (section 8.4.2), or the extended tag; below 0x400 it is a QuickTime language code."""
    if elng is not None:
        _, _, fields = elng.full()
        if tag := _text(bytes(fields.take(fields.rest()))):
            return tag[:35]
    if code < len(LANGUAGES):
        return LANGUAGES[code]
    letters = "".join(chr(0x60 + (code >> shift & 31)) for shift in (10, 5, 0))
    return letters if code >= 0x400 and letters.isalpha() and letters != "und" else None


def _text(data: bytes) -> str:
    text = data.split(b"\0")[0].decode("utf-8", "replace")
    return "".join(letter for letter in text if letter.isprintable())[:200]


def _read_edits(elst: Box) -> tuple[Edit, ...]:
    version, _, fields = elst.full()
    count = fields.u32()
    if count > fields.rest() // (20 if version else 12):
        raise Malformed(elst.path, f"it is too small for the {count} entries it claims")
    if count > MAX_EDITS:
        raise Malformed(elst.path, f"it has more than {MAX_EDITS} entries")
    edits = []
    for _ in range(count):
        edits.append(Edit(fields.wide(version), fields.wide(version, signed=True)))
        fields.take(4)  # the rate, which no player applies
    return tuple(edits)


def _read_defaults(trex: Box) -> tuple[int, Defaults]:
    _, _, fields = trex.full()
    track, description, duration, size, flags = (fields.u32() for _ in range(5))
    return track, Defaults(duration, size, flags, description)
