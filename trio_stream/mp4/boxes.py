"""The boxes of an MP4 file, read from untrusted bytes.

No length in a file is trusted: a box must end inside its parent, a table inside its box. Otherwise `Malformed` is
raised, which names the box by its path. The children of a box are read once (`Box.by_kind`) and their number is
limited, so the time is bounded by the bytes.

    box = size (32 bits), type (4 characters), [size (64 bits), where size is 1], payload   (ISO/IEC 14496-12 section
    4.2)
"""

import struct
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from sys import byteorder

MAX_DEPTH = 8
"""Maximum nesting depth of boxes; the sample entry of an audio track is at depth seven."""

MAX_BOXES = 10_000
"""Maximum number of boxes in one box. No real file needs more."""

_HEAD = struct.Struct(">I4s")
_LARGE = struct.Struct(">Q")
_FULL = struct.Struct(">I")

type Bytes = bytes | memoryview


class Malformed(ValueError):
    """The file cannot be played as MP4; the message names the box and what is wrong with it."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"the box {path}: {problem}" if path else problem)


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a box. `size` is in bytes and includes the header; None means up to the end of the file. The header
    has `header` bytes and is at `offset`."""

    kind: str
    size: int | None
    header: int
    offset: int = 0

    @property
    def payload(self) -> int:
        """Offset of the payload."""
        return self.offset + self.header


@dataclass(frozen=True, slots=True)
class Box:
    """A box; `payload` is what follows its header. `path` includes its parents: "moov/trak/mdia".

    It is at `offset` of the data that was read, and its header has `header` bytes.
    """

    kind: str
    payload: memoryview
    path: str
    depth: int = 0
    offset: int = 0
    header: int = 8

    def children(self, skip: int = 0) -> Iterator["Box"]:
        """The boxes in this one, after its first `skip` bytes. Raises `Malformed`."""
        if self.depth >= MAX_DEPTH:
            raise Malformed(self.path, "boxes are nested too deeply")
        yield from read_boxes(
            self.payload[skip:], self.path, self.depth + 1, self.offset + self.header + skip
        )

    def by_kind(self) -> "Kinds":
        """The first box of each kind in this one. Raises `Malformed`."""
        return Kinds(self.path, self.children())

    def find(self, kind: str) -> "Box | None":
        """The first box of that kind in this one."""
        return next((box for box in self.children() if box.kind == kind), None)

    def get(self, kind: str) -> "Box":
        """The first box of that kind in this one. Raises `Malformed` if there is none."""
        child = self.find(kind)
        if child is None:
            raise Malformed(self.path, f"it has no {kind}")
        return child

    def full(self) -> tuple[int, int, "Fields"]:
        """Version and flags of a full box (section 4.2), and the fields after them."""
        fields = Fields(self)
        word = fields.u32()
        return word >> 24, word & 0xFFFFFF, fields

    def whole(self) -> bytes:
        """The whole box as bytes, ready to be written."""
        return _HEAD.pack(8 + len(self.payload), self.kind.encode("latin-1")) + bytes(self.payload)


class Kinds(dict[str, Box]):
    """The first box of each kind among `boxes`, the children of the one at `path`."""

    def __init__(self, path: str, boxes: Iterable[Box]) -> None:
        super().__init__()
        self.path = path
        for box in boxes:
            self.setdefault(box.kind, box)

    def one(self, kind: str) -> Box:
        """The box of that kind. Raises `Malformed` if there is none."""
        if (child := self.get(kind)) is None:
            raise Malformed(self.path, f"it has no {kind}")
        return child


class Fields:
    """Reads the numbers in a box one after another. Raises `Malformed` if the box ends too early."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._at = 0

    def take(self, size: int) -> memoryview:
        """The next bytes."""
        end = self._at + size
        if end > len(self._box.payload):
            raise Malformed(self._box.path, "it ends too early")
        taken = self._box.payload[self._at : end]
        self._at = end
        return taken

    def rest(self) -> int:
        """How many bytes follow."""
        return len(self._box.payload) - self._at

    def number(self, size: int, *, signed: bool = False) -> int:
        """An integer of `size` bytes."""
        return int.from_bytes(self.take(size), "big", signed=signed)

    def u16(self) -> int:
        """16 bits."""
        return self.number(2)

    def u32(self) -> int:
        """32 bits."""
        return self.number(4)

    def wide(self, version: int, *, signed: bool = False) -> int:
        """32 bits in version 0 of a box, 64 in version 1."""
        return self.number(8 if version else 4, signed=signed)

    def numbers(self, code: str, count: int) -> "array[int]":
        """`count` integers as an array of type `code`: "I", "i", "H" or "Q". Raises `Malformed` if they are missing."""
        values = array(code)
        if count > self.rest() // values.itemsize:
            raise Malformed(self._box.path, f"it is too small for the {count} entries it claims")
        values.frombytes(self.take(count * values.itemsize))
        if byteorder == "little":
            values.byteswap()
        return values

    def table(self, code: str, columns: int = 1) -> "array[int]":
        """A 32-bit count, then that many rows of `columns` integers."""
        return self.numbers(code, self.u32() * columns)


def read_head(data: Bytes, offset: int = 0) -> Head | None:
    """The header of the box at the start of `data`, which is at `offset`; None if there is no box.

    Needs at most 16 bytes.
    """
    if len(data) < 8:
        return None
    size, kind = _HEAD.unpack_from(data)
    name = kind.decode("latin-1")
    if size == 1:
        if len(data) < 16:
            return None
        (size,) = _LARGE.unpack_from(data, 8)
        return Head(name, size, 16, offset) if size >= 16 else None
    if size == 0:
        return Head(name, None, 8, offset)
    return Head(name, size, 8, offset) if size >= 8 else None


def read_boxes(data: Bytes, path: str = "", depth: int = 0, offset: int = 0) -> Iterator[Box]:
    """The boxes in `data`, which is at `offset`. Raises `Malformed`."""
    view = memoryview(data)
    at = 0
    for _ in range(MAX_BOXES):
        if at == len(view):
            return
        head = read_head(view[at : at + 16])
        if head is None:
            if not any(view[at:]) or len(view) - at < 8:
                return  # QuickTime ends a list with a zero, and writers pad
            raise Malformed(path, f"there is no valid box at byte {at}")
        kind = head.kind if head.kind.isascii() and head.kind.isprintable() else "?"
        name = f"{path}/{kind}" if path else kind
        end = len(view) if head.size is None else at + head.size
        if end > len(view):
            raise Malformed(name, f"it claims {head.size} bytes, but only {len(view) - at} are left")
        yield Box(head.kind, view[at + head.header : end], name, depth, offset + at, head.header)
        at = end
    raise Malformed(path, f"it has more than {MAX_BOXES} boxes")


def box(kind: str, *payload: bytes) -> bytes:
    """Write a box of less than 4 GiB."""
    return b"".join((_HEAD.pack(8 + sum(map(len, payload)), kind.encode("latin-1")), *payload))


def full_box(kind: str, version: int, flags: int, *payload: bytes) -> bytes:
    """Write a box with a version and flags."""
    return box(kind, _FULL.pack(version << 24 | flags), *payload)
