"""Find the place of a timestamp in a Matroska file without an index, by the timestamps of its clusters.

A cluster can be recognised: its identifier is followed by a length and, after an optional checksum, by its timestamp.
So a binary search finds the place of a timestamp. Then the beginning of the file, up to its first cluster, is read, and
the file from the found cluster on, as if there were nothing between them.

Sources: RFC 8794 (EBML) sections 4 and 5, RFC 9559 (Matroska) sections 5.1 and 25.
"""

from typing import NamedTuple

from trio_stream.media.jobs import MediaFile

SEGMENT, CLUSTER, TIMESTAMP, CRC_32 = 0x18538067, 0x1F43B675, 0xE7, 0xBF
EBML = b"\x1a\x45\xdf\xa3"
"""Matroska files begin with these bytes."""

WINDOW = 1 << 18
"""Bytes that are searched at once."""

NEAR = 1 << 20
"""Bytes between two places at which the binary search ends."""

MAX_CLUSTER = 64 << 20
"""Bytes of a cluster, at most: if none begins within that many bytes, the file is assumed to end there."""

MIN_SIZE = 8 << 20
"""Bytes. A smaller file is simply read from its beginning."""

MAX_ELEMENTS = 10_000
"""Elements that may precede the first cluster."""


class Cluster(NamedTuple):
    """`timestamp` in the ticks of the file's tracks."""

    position: int
    timestamp: int


class Element(NamedTuple):
    """An element's identifier, the size of its header, and the length of its content, None if that is unknown."""

    kind: int
    header_size: int
    length: int | None


class Spliced(MediaFile):
    """The first `head` bytes of a file, followed by its bytes from `at` on; it is read from front to back."""

    def __init__(self, file: MediaFile, head: int, at: int) -> None:
        super().__init__(file.fd, file)
        self._head = head
        self._gap = at - head
        self._offset = 0

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes. Raises `OSError`."""
        size = WINDOW if size < 0 else size
        if self._offset < self._head:
            data = self.read_at(self._offset, min(size, self._head - self._offset))
        else:
            data = self.read_at(self._offset + self._gap, size)
        self._offset += len(data)
        return data


def first_cluster(file: MediaFile) -> int | None:
    """Return the position of the first cluster; None if this is not a Matroska file."""
    at = 0
    for _ in range(MAX_ELEMENTS):
        element = parse_element(file.read_at(at, 12))
        if element is None or element.kind == CLUSTER:
            return at if element is not None else None
        if element.kind == SEGMENT:
            at += element.header_size
        elif element.length is not None:
            at += element.header_size + element.length
        else:
            return None
    return None


def cluster_at(file: MediaFile, first: int, timestamp: int) -> int:
    """Return the position of the last cluster that does not begin after `timestamp`; `first` if all do."""
    low, high = first, file.size or first
    while high - low > NEAR:
        middle = (low + high) // 2
        cluster = next_cluster(file, middle, high)
        if cluster is None or cluster.timestamp > timestamp:
            high = middle
        else:
            low = cluster.position
    while (
        cluster := next_cluster(file, low + 1, high + MAX_CLUSTER)
    ) is not None and cluster.timestamp <= timestamp:
        low = cluster.position
    return low


def next_cluster(file: MediaFile, start: int, end: int) -> Cluster | None:
    """Return the first cluster that begins in [start, end)."""
    mark = CLUSTER.to_bytes(4)
    for at in range(start, min(end, start + MAX_CLUSTER), WINDOW):
        data = file.read_at(at, WINDOW + 64)
        offset = data.find(mark)
        while 0 <= offset < WINDOW and at + offset < end:
            timestamp = _timestamp(data[offset : offset + 64])
            if timestamp is not None:
                return Cluster(at + offset, timestamp)
            offset = data.find(mark, offset + 1)
        if len(data) < WINDOW:
            break
    return None


def _timestamp(data: bytes) -> int | None:
    """Read the timestamp of a possible cluster, from its first or second element; None if it is not a cluster."""
    element = parse_element(data)
    if element is None or element.kind != CLUSTER:
        return None
    data = data[element.header_size :]
    for _ in range(2):
        element = parse_element(data)
        if element is None or element.length is None or element.kind not in {TIMESTAMP, CRC_32}:
            return None
        content = data[element.header_size : element.header_size + element.length]
        if element.kind == TIMESTAMP:
            return int.from_bytes(content) if element.length <= 8 else None
        data = data[element.header_size + element.length :]
    return None


def parse_element(data: bytes) -> Element | None:
    """Parse the header of the element at the start of `data`; None if there is none."""
    if not data or not data[0] >> 4:  # an identifier has one to four bytes
        return None
    ident_size = 9 - data[0].bit_length()
    if len(data) <= ident_size or not data[ident_size]:
        return None
    header_size = ident_size + 9 - data[ident_size].bit_length()
    if len(data) < header_size:
        return None
    unknown = (1 << 7 * (header_size - ident_size)) - 1
    length = int.from_bytes(data[ident_size:header_size]) & unknown
    return Element(int.from_bytes(data[:ident_size]), header_size, None if length == unknown else length)
