"""What a connection is given to send at once: bytes, views, and spans of files, whose bytes never pass through here."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileSpan:
    """`length` bytes at `offset` of the open file `fd`, for `sendfile(2)`. Framing asks for its length only.

    `sent` is called with the number of bytes whenever some have gone.
    """

    fd: int
    offset: int
    length: int
    sent: Callable[[int], None] | None = None

    def __len__(self) -> int:
        return self.length


type Piece = bytes | memoryview | FileSpan


@dataclass(frozen=True, slots=True)
class Pieces:
    """Stands where Hypercorn has the `bytes` of an event: what is sent one after the other, and by nobody between."""

    pieces: tuple[Piece, ...]
