"""MP4 files as trees of boxes, with mutations that make them invalid.

A file is parsed leniently and written with correct sizes, so that a change deep inside reaches the code that reads it;
wrong sizes are mutations of their own. The contents of `mdat` do not matter and become a hole.
"""

import random
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

CONTAINERS = {
    "moov": 0, "trak": 0, "mdia": 0, "minf": 0, "stbl": 0, "edts": 0, "dinf": 0, "mvex": 0, "moof": 0, "traf": 0,
    "stsd": 8, "avc1": 78, "hvc1": 78, "hev1": 78, "av01": 78, "vp09": 78, "mp4a": 28, "ac-3": 28, "Opus": 28, "fLaC": 28,
}  # fmt: skip
"""Boxes that hold others, and the number of bytes before these."""

LEAVES = (
    "mvhd", "tkhd", "mdhd", "hdlr", "elng", "elst", "stts", "ctts", "stss", "stsc", "stsz", "stz2", "stco", "co64", "sdtp",
    "vmhd", "smhd", "trex", "mfhd", "tfhd", "tfdt", "trun", "avcC", "hvcC", "av1C", "vpcC", "esds", "pasp", "colr", "free",
)  # fmt: skip

INTERESTING = (
    0, 1, 2, 3, 4, 7, 8, 15, 16, 255, 256, 1000, 1024, 65_535, 65_536, 1 << 20, (1 << 24) - 1, 1 << 24, (1 << 24) + 1,
    0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF,
)  # fmt: skip

LARGEST = 1 << 18
"""Maximum bytes of a file without its holes; larger ones are discarded."""

MAX_DEPTH = 12


@dataclass(slots=True)
class Node:
    """A box. `claimed` is a wrong size to write, `hole` a number of zero bytes that are not written."""

    kind: str
    payload: bytes = b""
    children: list["Node"] | None = None
    large: bool = False
    claimed: int | None = None
    hole: int = 0

    @property
    def size(self) -> int:
        """Size in bytes."""
        inner = sum(item.size for item in self.children) if self.children is not None else 0
        head = 0 if not self.kind else 16 if self.large else 8
        return head + len(self.payload) + inner + self.hole

    def copy(self) -> "Node":
        """A deep copy."""
        children = [item.copy() for item in self.children] if self.children is not None else None
        return Node(self.kind, self.payload, children, self.large, self.claimed, self.hole)


type Parts = list[tuple[int, bytes]]
"""Offsets and bytes of a file that is zero elsewhere."""


@dataclass(frozen=True, slots=True)
class Sparse:
    """A file: its parts and its size."""

    parts: Parts = field(hash=False)
    size: int

    @property
    def stored(self) -> int:
        """Number of bytes that are written."""
        return sum(len(data) for _, data in self.parts)


def parse(data: bytes, depth: int = 0) -> list[Node]:
    """The boxes in `data`; what is not a box becomes the payload of one without a name."""
    nodes: list[Node] = []
    at = 0
    while len(data) - at >= 8:
        size, kind = struct.unpack_from(">I4s", data, at)
        header = 8
        if size == 1 and len(data) - at >= 16:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            header = 16
        if size < header or at + size > len(data):
            break
        name = kind.decode("latin-1")
        payload = data[at + header : at + size]
        if name == "mdat":
            nodes.append(Node(name, large=header == 16, hole=len(payload)))
        elif name in CONTAINERS and depth < MAX_DEPTH and len(payload) >= CONTAINERS[name]:
            skip = CONTAINERS[name]
            nodes.append(Node(name, payload[:skip], parse(payload[skip:], depth + 1), header == 16))
        else:
            nodes.append(Node(name, payload, None, header == 16))
        at += size
    if at < len(data):
        nodes.append(Node("", data[at:]))
    return nodes


def write(nodes: Sequence[Node]) -> Sparse:
    """The boxes as a file."""
    parts: Parts = []
    buffer = bytearray()
    begin = 0
    at = 0

    def put(data: bytes) -> None:
        nonlocal at
        buffer.extend(data)
        at += len(data)

    def visit(node: Node) -> None:
        nonlocal at, begin
        if node.kind:
            size = node.size if node.claimed is None else node.claimed
            kind = node.kind.encode("latin-1", "replace")[:4].ljust(4)
            if node.large:
                put(struct.pack(">I4sQ", 1, kind, size & (1 << 64) - 1))
            else:
                put(struct.pack(">I4s", size & 0xFFFFFFFF, kind))
        put(node.payload)
        for item in node.children or ():
            visit(item)
        if node.hole:
            parts.append((begin, bytes(buffer)))
            buffer.clear()
            at += node.hole
            begin = at

    for node in nodes:
        visit(node)
    parts.append((begin, bytes(buffer)))
    return Sparse(parts, at)


def walk(nodes: list[Node]) -> Iterator[tuple[list[Node], int]]:
    """Each box, as the list that holds it and its index."""
    for number, node in enumerate(nodes):
        yield nodes, number
        if node.children is not None:
            yield from walk(node.children)


def mutate(nodes: list[Node], others: Sequence[list[Node]], chance: random.Random) -> None:
    """Change one or several things in place; `others` are files whose boxes may be inserted."""
    for _ in range(1 + min(chance.getrandbits(8).bit_count() // 2, 6)):
        places = list(walk(nodes))
        if not places:
            nodes.append(Node("moov", b"", []))
            continue
        siblings, number = chance.choice(places)
        # Most of the code reads the boxes with sample tables.
        for _ in range(2):
            if siblings[number].kind not in LEAVES:
                siblings, number = chance.choice(places)
        chance.choice(CHANGES)(siblings, number, others, chance)


type Change = Callable[[list[Node], int, Sequence[list[Node]], random.Random], None]


def _value(chance: random.Random) -> int:
    value = chance.choice(INTERESTING)
    if chance.random() < 0.3:
        value += chance.randint(-9, 9)
    return value if chance.random() < 0.9 else chance.getrandbits(32)


def _field(siblings: list[Node], number: int, _: Sequence[list[Node]], chance: random.Random) -> None:
    """Replaces a number in the payload."""
    node = siblings[number]
    width = chance.choice((1, 2, 4, 4, 4, 4, 8))
    if len(node.payload) < width:
        return
    # The first numbers of a box are its version, its flags and its count.
    steps = len(node.payload) // width
    step = chance.randrange(min(steps, 4)) if chance.random() < 0.5 else chance.randrange(steps)
    at = step * width if chance.random() < 0.9 else chance.randrange(len(node.payload) - width + 1)
    value = _value(chance)
    if chance.random() < 0.3:
        value = int.from_bytes(node.payload[at : at + width]) + chance.choice((-1, 1, -8, 8, 1000, -1000))
    data = (value & (1 << 8 * width) - 1).to_bytes(width)
    node.payload = node.payload[:at] + data + node.payload[at + width :]


def _bit(siblings: list[Node], number: int, _: Sequence[list[Node]], chance: random.Random) -> None:
    node = siblings[number]
    if node.payload:
        at = chance.randrange(len(node.payload))
        spoilt = node.payload[at] ^ 1 << chance.randrange(8)
        node.payload = node.payload[:at] + bytes([spoilt]) + node.payload[at + 1 :]


def _rows(siblings: list[Node], number: int, _: Sequence[list[Node]], chance: random.Random) -> None:
    """Repeats or removes rows of a table; usually with a correct count."""
    node = siblings[number]
    width = chance.choice((4, 8, 12, 16))
    head = 12 if node.kind in {"stsz", "stz2"} else 8
    rows = (len(node.payload) - head) // width
    if rows < 1:
        return
    first = chance.randrange(rows)
    last = min(rows, first + chance.choice((1, 1, 2, 8)))
    part = node.payload[head + first * width : head + last * width]
    before, after = node.payload[: head + first * width], node.payload[head + first * width :]
    times = chance.choice((-1, 1, 3, 100))
    node.payload = before + (after[len(part) :] if times < 0 else part * times + after)
    if chance.random() < 0.7:
        count = (len(node.payload) - head) // width
        node.payload = node.payload[: head - 4] + count.to_bytes(4) + node.payload[head:]


def _length(siblings: list[Node], number: int, _: Sequence[list[Node]], chance: random.Random) -> None:
    """Makes the payload shorter or longer."""
    node = siblings[number]
    if chance.random() < 0.6:
        node.payload = node.payload[: chance.randrange(len(node.payload) + 1)]
    else:
        node.payload += chance.choice((bytes, chance.randbytes))(chance.choice((1, 4, 8, 64)))


def _claim(siblings: list[Node], number: int, _: Sequence[list[Node]], chance: random.Random) -> None:
    """Writes a wrong size."""
    node = siblings[number]
    node.claimed = chance.choice(
        (
            None,
            0,
            1,
            7,
            8,
            16,
            node.size - 1,
            node.size + 1,
            node.size + 8,
            0x7FFFFFFF,
            0xFFFFFFFF,
            1 << 63,
            _value(chance),
        )
    )
    node.large = chance.random() < 0.2


def _kind(siblings: list[Node], number: int, _: Sequence[list[Node]], chance: random.Random) -> None:
    siblings[number].kind = chance.choice((*LEAVES, *CONTAINERS, "mdat", "ftyp", "encv", "enca", "\0\0\0\0"))


def _again(siblings: list[Node], number: int, _: Sequence[list[Node]], chance: random.Random) -> None:
    for _time in range(chance.choice((1, 1, 2, 20))):
        siblings.insert(chance.randrange(len(siblings) + 1), siblings[number].copy())


def _removed(siblings: list[Node], number: int, _: Sequence[list[Node]], chance: random.Random) -> None:
    del siblings[number]


def _moved(siblings: list[Node], number: int, _: Sequence[list[Node]], chance: random.Random) -> None:
    siblings.insert(chance.randrange(len(siblings)), siblings.pop(number))


def _deeper(siblings: list[Node], number: int, _: Sequence[list[Node]], chance: random.Random) -> None:
    """Nests the box in itself, or in another one."""
    node = siblings[number]
    for _time in range(chance.choice((1, 3, 12))):
        node = Node(chance.choice((node.kind, *CONTAINERS)), b"", [node])
    siblings[number] = node


def _taken(siblings: list[Node], number: int, others: Sequence[list[Node]], chance: random.Random) -> None:
    """Replaces the box with one of another file, or inserts that one: one of the same kind, if possible."""
    if not others:
        return
    found = [nodes[at] for nodes, at in walk(chance.choice(others))]
    same_kind = [item for item in found if item.kind == siblings[number].kind]
    if not found:
        return
    taken = chance.choice(same_kind if same_kind and chance.random() < 0.8 else found).copy()
    if chance.random() < 0.7:
        siblings[number] = taken
    else:
        siblings.insert(number, taken)


def _hole(siblings: list[Node], number: int, _: Sequence[list[Node]], chance: random.Random) -> None:
    """Changes the amount of data."""
    siblings[number].hole = max(
        0, siblings[number].hole + chance.choice((-1, 1, -1000, 1000, -(1 << 20), 1 << 20))
    )
    if chance.random() < 0.3:
        siblings[number].hole = chance.choice((0, 1, 100, 1 << 16, 1 << 21))


CHANGES: tuple[Change, ...] = (
    *(_field,) * 8, *(_rows,) * 3, *(_taken,) * 3, _bit, _bit, _length, _length, _claim, _kind, _again, _removed, _moved, _deeper,
    _hole,
)  # fmt: skip
