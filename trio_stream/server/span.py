"""A run of bytes of a file, on its way to the socket without passing through this process (`sendfile(2)`)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileSpan:
    """`length` bytes at `offset` of the open file `fd`. Framing asks for its length only, as of a `bytes`."""

    fd: int
    offset: int
    length: int

    def __len__(self) -> int:
        return self.length
