"""Checks fragmented MP4 against ISO/IEC 14496-12 and CMAF (ISO/IEC 23000-19), with its own parser.

It shares no code with the writer of the segments. Each fault is a message that names the box; none is an exception.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

TOP = {"init": ("ftyp", "moov"), "segment": ("styp", "moof", "mdat")}

CHILDREN = {
    "moov": ("mvhd", "trak", "mvex", "udta?"),
    "trak": ("tkhd", "edts?", "mdia"),
    "edts": ("elst",),
    "mdia": ("mdhd", "hdlr", "elng?", "minf"),
    "minf": ("vmhd|smhd", "dinf", "stbl"),
    "dinf": ("dref",),
    "stbl": ("stsd", "stts", "stsc", "stsz", "stco"),
    "mvex": ("mehd?", "trex"),
    "moof": ("mfhd", "traf"),
    "traf": ("tfhd", "tfdt", "trun"),
}
"""The children of each box, in this order and once; those with a question mark may be missing."""

FIXED = {
    "mvhd": (100, 112), "tkhd": (84, 96), "mdhd": (24, 36), "vmhd": (12,), "smhd": (8,), "trex": (24,), "mfhd": (8,),
    "tfdt": (8, 12), "stts": (8,), "stsc": (8,), "stsz": (12,), "stco": (8,),
}  # fmt: skip
"""Bytes after the header of the box, for versions 0 and 1; the sample tables are empty."""

CONFIGURED = {
    "avc1": "avcC", "avc3": "avcC", "hvc1": "hvcC", "hev1": "hvcC", "vp09": "vpcC", "av01": "av1C",
    "mp4a": "esds", "Opus": "dOps", "fLaC": "dfLa", "ac-3": "dac3", "ec-3": "dec3", "alac": "alac",
}  # fmt: skip
"""The box required in a sample entry."""

ENTRY = {"vide": 78, "soun": 28}
"""Bytes of a sample entry before its boxes."""

BRANDS = {"init": (b"iso6", b"cmfc"), "segment": (b"cmfs", b"msdh")}


@dataclass(frozen=True)
class Box:
    kind: str
    start: int
    head: int
    body: bytes


@dataclass
class State:
    """What init segments say about the one track, and where the last segment ended."""

    timescale: int = 0
    handler: str = ""
    defaults: tuple[int, int] = (0, 0)
    sequence: int = 0
    until: int | None = None
    faults: list[str] = field(default_factory=list)


def check(init: bytes, segments: Sequence[bytes], *, following: bool = True) -> list[str]:
    """All faults of an init segment and the segments after it; `following`: the segments are consecutive."""
    state = State()
    _init(init, state)
    for number, segment in enumerate(segments):
        before = len(state.faults)
        _segment(segment, state, following=following)
        state.faults[before:] = [f"segment {number}: {fault}" for fault in state.faults[before:]]
    return state.faults


def _boxes(data: bytes, state: State, within: str) -> list[Box]:
    found, at = [], 0
    while at < len(data):
        if at + 8 > len(data):
            state.faults.append(f"{within}: {len(data) - at} bytes at the end are not a box")
            break
        size, raw = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and at + 16 <= len(data):
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        kind = raw.decode("latin-1")
        if size < head or at + size > len(data):
            state.faults.append(f"{within}/{kind}: its size of {size} does not fit")
            break
        found.append(Box(kind, at, head, data[at + head : at + size]))
        at += size
    return found


def _ordered(found: Sequence[Box], wanted: Sequence[str], state: State, within: str) -> dict[str, Box]:
    """The boxes by kind, if they are the expected ones in that order."""
    left, by_kind = list(found), {}
    for kind in wanted:
        kinds = kind.rstrip("?").split("|")
        if left and left[0].kind in kinds:
            box = left.pop(0)
            by_kind[box.kind] = box
        elif not kind.endswith("?"):
            state.faults.append(f"{within}: no {kind} where it is required")
            return {}
    state.faults.extend(f"{within}: {item.kind} is not allowed there" for item in left)
    return by_kind


def _tree(box: Box, state: State, path: str) -> dict[str, Box]:
    """The boxes in it and in its children, by kind; each kind of a track occurs once."""
    path = f"{path}/{box.kind}".lstrip("/")
    found = _ordered(_boxes(box.body, state, path), CHILDREN[box.kind], state, path)
    for item in list(found.values()):
        if item.kind in CHILDREN:
            found |= _tree(item, state, path)
        elif item.kind in FIXED and len(item.body) not in FIXED[item.kind]:
            state.faults.append(f"{path}/{item.kind}: {len(item.body)} bytes are the wrong size")
    return found


def _brands(box: Box, segment_kind: str, state: State) -> None:
    brands = [box.body[at : at + 4] for at in range(8, len(box.body), 4)]
    state.faults.extend(
        f"{box.kind}: brand missing: {item.decode()}" for item in BRANDS[segment_kind] if item not in brands
    )
    if len(box.body) % 4 or box.body[:4] not in brands:
        state.faults.append(f"{box.kind}: the major brand is not a compatible brand")


def _full(box: Box) -> tuple[int, int]:
    word: int = struct.unpack_from(">I", box.body)[0]
    return word >> 24, word & 0xFFFFFF


def _init(data: bytes, state: State) -> None:
    top = _ordered(_boxes(data, state, "init"), TOP["init"], state, "init")
    if not top:
        return
    _brands(top["ftyp"], "init", state)
    before = len(state.faults)
    tree = _tree(top["moov"], state, "")
    if len(state.faults) > before:
        return
    state.faults.extend(_moov(tree, state))


def _moov(tree: dict[str, Box], state: State) -> Iterator[str]:
    for kind, at in (("mvhd", 16), ("tkhd", 20), ("mdhd", 16)):
        version, _ = _full(tree[kind])
        if version == 0 and struct.unpack_from(">I", tree[kind].body, at)[0] != 0:
            yield f"{kind}: a duration is stated, which a fragmented track must not have"
    if _full(tree["tkhd"])[1] & 1 == 0:
        yield "tkhd: the track is not enabled"
    track, following = (
        struct.unpack_from(">I", tree[kind].body, at)[0] for kind, at in (("tkhd", 12), ("mvhd", 96))
    )
    if track == 0 or following <= track:
        yield "mvhd: next_track_ID is already used"
    state.timescale = struct.unpack_from(">I", tree["mdhd"].body, 12)[0]
    if state.timescale == 0:
        yield "mdhd: no timescale"
    yield from _media(tree, state)
    _, number, description, duration, size, _ = struct.unpack(">6I", tree["trex"].body)
    if (number, description) != (track, 1):
        yield "trex: it refers to another track or description"
    state.defaults = duration, size
    if "elst" in tree:
        version, _ = _full(tree["elst"])
        count = struct.unpack_from(">I", tree["elst"].body, 4)[0]
        if (version, count, len(tree["elst"].body)) not in ((0, 1, 20), (1, 1, 28)):
            yield "elst: it has more or less than one edit"
        elif struct.unpack_from(">I" if version == 0 else ">Q", tree["elst"].body, 8)[0] != 0:
            yield "elst: the edit has an end"


def _media(tree: dict[str, Box], state: State) -> Iterator[str]:
    """Faults of the media description of a track."""
    state.handler = tree["hdlr"].body[8:12].decode("latin-1")
    if tree["hdlr"].body[-1:] != b"\0":
        yield "hdlr: the name is not terminated"
    media = {"vide": "vmhd", "soun": "smhd"}.get(state.handler)
    if media not in tree:
        yield f"hdlr: {state.handler} has the wrong media header"
        return
    if "vmhd" in tree and _full(tree["vmhd"])[1] != 1:
        yield "vmhd: the flags are not 1"
    if state.handler == "vide" and not all(
        struct.unpack_from(">II", tree["tkhd"].body, len(tree["tkhd"].body) - 8)
    ):
        yield "tkhd: the video has no size"
    for kind in ("stts", "stsc", "stsz", "stco"):
        if any(tree[kind].body[4:]):
            yield f"{kind}: it lists samples"
    yield from _entry(tree["stsd"], state)


def _entry(stsd: Box, state: State) -> Iterator[str]:
    if struct.unpack_from(">I", stsd.body, 4)[0] != 1:
        yield "stsd: more or less than one description"
        return
    entries = _boxes(stsd.body[8:], state, "stsd")
    if len(entries) != 1:
        yield "stsd: the number of descriptions is wrong"
        return
    [entry] = entries
    if entry.kind not in CONFIGURED:
        yield f"stsd: {entry.kind} is unknown"
        return
    if struct.unpack_from(">H", entry.body, 6)[0] != 1:
        yield f"stsd/{entry.kind}: another data reference"
    inside = _boxes(entry.body[ENTRY[state.handler] :], state, f"stsd/{entry.kind}")
    if CONFIGURED[entry.kind] not in [item.kind for item in inside]:
        yield f"stsd/{entry.kind}: no {CONFIGURED[entry.kind]}"


def _segment(data: bytes, state: State, *, following: bool) -> None:
    top = _ordered(_boxes(data, state, "segment"), TOP["segment"], state, "segment")
    if not top:
        return
    _brands(top["styp"], "segment", state)
    before = len(state.faults)
    tree = _tree(top["moof"], state, "")
    if len(state.faults) == before:
        state.faults.extend(_moof(tree, top, state, following=following))


def _moof(tree: dict[str, Box], top: dict[str, Box], state: State, *, following: bool) -> Iterator[str]:
    sequence = struct.unpack_from(">I", tree["mfhd"].body, 4)[0]
    if sequence == 0 or (following and sequence != state.sequence + 1):
        yield f"mfhd: number {sequence} after {state.sequence}"
    state.sequence = sequence
    tfhd, tfdt, trun = tree["tfhd"], tree["tfdt"], tree["trun"]
    _, flags = _full(tfhd)
    if not flags & 0x20000 or flags & 0x1:
        yield "tfhd: default-base-is-moof is not in effect"
    fields = [
        name
        for bit, name in ((2, "description"), (8, "duration"), (16, "size"), (32, "flags"))
        if flags & bit
    ]
    if len(tfhd.body) != 8 + 4 * len(fields):
        yield "tfhd: the number of fields does not match the flags"
        return
    values = dict(zip(fields, struct.unpack_from(f">{len(fields)}I", tfhd.body, 8), strict=True))
    if struct.unpack_from(">I", tfhd.body, 4)[0] != 1:
        yield "tfhd: it refers to another track"
    version, _ = _full(tfdt)
    if version != 1 or len(tfdt.body) != 12:
        yield "tfdt: version 1 has 64 bits"
        return
    decoded = struct.unpack_from(">Q", tfdt.body, 4)[0]
    if following and state.until is not None and decoded != state.until:
        yield f"tfdt: {decoded} after {state.until}"
    samples = _samples(trun, values, state)
    if isinstance(samples, str):
        yield samples
        return
    offset, durations, sizes = samples
    mdat = top["mdat"]
    if offset != mdat.start + mdat.head - top["moof"].start:
        yield f"trun: its data begin at {offset}, which is not the start of mdat"
    if sum(sizes) != len(mdat.body):
        yield f"trun: samples of {sum(sizes)} bytes in mdat of {len(mdat.body)}"
    state.until = decoded + sum(durations)


def _samples(trun: Box, values: dict[str, int], state: State) -> str | tuple[int, list[int], list[int]]:
    """Offset of the data, durations and sizes; or a fault."""
    version, flags = _full(trun)
    count = struct.unpack_from(">I", trun.body, 4)[0]
    columns = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    head = 8 + 4 * bool(flags & 1) + 4 * bool(flags & 4)
    if not flags & 1 or version != 1 or (flags & 4 and flags & 0x400):
        return "trun: not version 1 with an offset of data, and flags once"
    if count == 0 or len(trun.body) != head + 4 * len(columns) * count:
        return f"trun: {len(trun.body)} bytes for {count} samples"
    words = struct.unpack_from(f">{len(columns) * count}I", trun.body, head)
    rows = {bit: list(words[at :: len(columns)]) for at, bit in enumerate(columns)}
    durations = rows.get(0x100, [values.get("duration", state.defaults[0])] * count)
    sizes = rows.get(0x200, [values.get("size", state.defaults[1])] * count)
    return struct.unpack_from(">i", trun.body, 8)[0], durations, sizes
