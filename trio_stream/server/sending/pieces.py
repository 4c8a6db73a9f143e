"""What a connection is given to send at once: bytes, views, and spans of files, whose bytes never pass through here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileSpans:
    """Spans of the open file `fd`, for `sendfile(2)`: offsets and lengths, `length` bytes together, none of them empty.

    Framing asks for the length only. `sent` is called with the number of bytes whenever some have gone.
    """

    fd: int
    spans: Sequence[tuple[int, int]]
    length: int
    sent: Callable[[int], None] | None = None

    def __len__(self) -> int:
        return self.length


type Piece = bytes | memoryview | FileSpans


@dataclass(frozen=True, slots=True)
class Pieces:
    """Stands where Hypercorn has the `bytes` of an event: what is sent one after the other, and by nobody between."""

    pieces: tuple[Piece, ...]

    def __len__(self) -> int:
        return sum(map(len, self.pieces))
