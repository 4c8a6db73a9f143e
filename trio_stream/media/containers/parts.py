"""Files of several parts: recordings that were joined byte by byte, each with its own clock.

A part is a range of bytes that is read like a file. The times of packets show where one begins (`seams`). Its first
byte is found among the transport packets, so that nothing of one part is read with the clock of another.
"""

from collections.abc import Iterator

from trio_stream.media.containers.seams import AHEAD, LATE, WRAP, Seam
from trio_stream.media.containers.transport import (
    PACKET,
    begins_pmt,
    lead_of,
    packet_size,
    packets_before,
    pes_time,
    pid_of,
    pmt_pids,
)
from trio_stream.media.jobs import MediaFile

MAX_PARTS = 1000
"""Parts of a file that are played, at most."""

SAMPLE_BYTES, SAMPLES = 1 << 16, 512
"""Bytes that are read at a place to find the clock, and the number of places: 32 MiB in all."""

SLOWEST = 4_000
"""Bytes per second of the slowest stream: if there are fewer, the clock has jumped."""


class PartView(MediaFile):
    """The bytes [begin, stop) of a file, with `head` in front of them, as a file; `stop` None: to the end."""

    def __init__(self, file: MediaFile, begin: int, stop: int | None, head: bytes = b"") -> None:
        super().__init__(file.fd, file)
        end = file.size or 0
        self._head = head
        self._begin = begin
        self.size = len(head) + max(0, min(end, end if stop is None else stop) - begin)

    def read_at(self, offset: int, size: int) -> bytes:
        """Return at most `size` bytes from `offset`; none after the end. Raises `OSError`."""
        size = min(size, (self.size or 0) - offset)
        if size <= 0:
            return b""
        head = self._head[offset : offset + size]
        if len(head) == size:
            return head
        return head + super().read_at(self.file_offset(offset + len(head)), size - len(head))

    def file_offset(self, offset: int) -> int:
        """Return the offset in the file of what is at `offset` here."""
        return max(0, offset - len(self._head)) + self._begin


def view(file: MediaFile, begin: int, stop: int | None) -> MediaFile:
    """Return a part of `file`, or `file` itself if that is all of it. A part begins with the tables sent last."""
    if not begin and stop is None:
        return file
    return PartView(file, begin, stop, _tables(file, begin))


def file_offset(file: MediaFile, offset: int) -> int:
    """Return the offset in the file of what is at `offset` of a view of it."""
    return file.file_offset(offset) if isinstance(file, PartView) else offset


def part_start(file: MediaFile, seam: Seam) -> int:
    """Return where a part begins, from the position of one of its first packets.

    It searches backwards, up to the last PES packet of another clock: tables just before belong to the part.
    """
    start, is_open = seam.position, False
    size = packet_size(file.read_at, start)
    if size is None:
        return _pack_before(file, start)
    pmts: set[int] = set()
    for position, packet in packets_before(file.read_at, start, size):
        pid, starts = pid_of(packet), bool(packet[1] & 0x40)
        if pid == 0 and starts:
            pmts |= pmt_pids(packet)
        time = pes_time(packet) if starts else None
        if time is not None:
            if not seam.is_after(time):
                break
            start, is_open = position, False
        elif pid < 0x20 or pid == 0x1FFF or pid in pmts or (starts and begins_pmt(packet)):
            start = start if is_open else position
        else:
            is_open = True  # part of a PES packet that began before
    return start


def find_parts(file: MediaFile) -> list[tuple[int, int | None]]:
    """Return the parts of a transport stream, found by its clock at a few hundred places.

    Each has a first byte and a stop. This is cheap, and covers a file of up to 32 MiB completely. In a larger one it
    misses a part that is between two of the places. Any other container is one part.
    """
    single: list[tuple[int, int | None]] = [(0, None)]
    size = packet_size(file.read_at, 0) if file.size is not None else None
    if size is None or file.size is None:
        return single
    spacing = max(16, file.size // SAMPLES // size) * size
    begins = [0]
    before: tuple[int, float] | None = None
    for position in range(0, file.size, spacing):
        now = _clock_near(file, position, size)
        if now is None:
            continue
        while (
            before is not None and len(begins) < MAX_PARTS and (seam := _find_seam(file, before, now, size))
        ):
            begin = part_start(file, seam)
            after = _clock_near(file, begin, size)
            if begin <= begins[-1] or after is None:
                break
            begins.append(begin)
            before = after
        before = now
    return list(zip(begins, [*begins[1:], None], strict=True))


def _find_seam(file: MediaFile, low: tuple[int, float], high: tuple[int, float], size: int) -> Seam | None:
    """Find the seam between two places, each with its time, if the clock goes back or jumps between them."""
    if not _breaks(low[1], high[1], high[0] - low[0]):
        return None
    while high[0] - low[0] > SAMPLE_BYTES:
        middle = _clock_near(file, low[0] + (high[0] - low[0]) // 2 // size * size, size)
        if middle is None or not low[0] < middle[0] < high[0]:
            break
        if _breaks(low[1], middle[1], middle[0] - low[0]):
            high = middle
        elif _breaks(middle[1], high[1], high[0] - middle[0]):
            low = middle
        else:
            return None  # a slow stream, not a jump
    return _search_packets(file, low, high[0], size)


def _breaks(before: float, after: float, distance: int) -> bool:
    """Whether the clock breaks within `distance` bytes: it goes back, or ahead by more than in the slowest stream."""
    ahead = (after - before) % WRAP
    return WRAP - LATE > ahead > AHEAD + distance / SLOWEST


def _search_packets(file: MediaFile, low: tuple[int, float], stop: int, size: int) -> Seam | None:
    """Find the packet at which the clock breaks, between two places close together."""
    before = low[1]
    for position, time in _times(file, low[0], stop - low[0] + SAMPLE_BYTES, size):
        if _breaks(before, time, 0):
            return Seam(position, before, time)
        before = time if (time - before) % WRAP < AHEAD else before
    return None


def _clock_near(file: MediaFile, position: int, size: int) -> tuple[int, float] | None:
    """Return the position and the time of the first packet with a time at a place or soon after it."""
    return next(_times(file, position, SAMPLE_BYTES, size), None)


def _times(file: MediaFile, position: int, length: int, size: int) -> Iterator[tuple[int, float]]:
    """Yield the position and the time of each packet with a time in `length` bytes from `position` on."""
    data, lead = file.read_at(position, length), lead_of(size)
    for at in range(0, len(data) - size + 1, size):
        packet = data[at + lead : at + lead + PACKET]
        if packet[0] == 0x47 and packet[1] & 0x40 and (time := pes_time(packet)) is not None:
            yield position + at, time


def end_before(file: MediaFile, position: int, pid: int) -> int:
    """Return where the old coding of a track ends before `position`: before the tables that announce the new one."""
    size = packet_size(file.read_at, position)
    end = position
    for before, packet in packets_before(file.read_at, position, size) if size is not None else ():
        if pid_of(packet) == pid:
            break
        if pid_of(packet) == 0 or (packet[1] & 0x40 and begins_pmt(packet)):
            end = before
    return end


def _tables(file: MediaFile, begin: int) -> bytes:
    """Return the tables (PAT, PMT) that were sent last before `begin`, unless others follow at once."""
    size = packet_size(file.read_at, begin)
    if size is None or not begin:
        return b""
    lead = lead_of(size)
    if pid_of(file.read_at(begin + lead, 4)) < 0x20:
        return b""
    tables: list[bytes] = []
    listed: set[int] = set()  # the PIDs of the PMTs
    possible: dict[int, list[bytes]] = {}  # packets that may belong to a PMT, the last one first, by PID
    for position, packet in packets_before(file.read_at, begin, size):
        pid = pid_of(packet)
        stored = file.read_at(position, size) if lead else packet
        if pid == 0 and packet[1] & 0x40:
            listed = listed or pmt_pids(packet)
            tables.append(stored)
            if listed & possible.keys() or len(tables) > 1:
                tables += [
                    part for pmt in sorted(listed & possible.keys()) for part in reversed(possible[pmt])
                ]
                return b"".join(part.ljust(size, b"\xff") for part in tables)
        elif pid >= 0x20 and pid != 0x1FFF and (begins_pmt(packet) or pid in possible):
            possible.setdefault(pid, []).append(stored)
    return b""


def _pack_before(file: MediaFile, position: int) -> int:
    """Return the position of a program stream's pack header just before a packet, else that of the packet."""
    near = max(0, position - 4096)
    at = file.read_at(near, position - near).rfind(b"\0\0\x01\xba")
    return near + at if at >= 0 else position
