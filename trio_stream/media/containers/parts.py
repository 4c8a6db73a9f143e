"""Files of several parts: recordings that were joined byte by byte, each with a clock of its own.

A part is a stretch of bytes that is read as if it were a file. Where one begins is told by the times of packets
(`seams`); its first byte is found in the bytes, so that nothing of one part is read with the clock of another.
"""

from collections.abc import Iterator

from trio_stream.media.containers.seams import AHEAD, LATE, WRAP, Clocks
from trio_stream.media.containers.transport import (
    PACKET,
    backwards,
    begins_pmt,
    lead_of,
    packet_size,
    pes_time,
    pid_of,
    programs,
)
from trio_stream.media.jobs import MediaFile

MOST_PARTS = 1000
"""Parts of a file that are played."""


LOOK, LOOKS = 1 << 16, 512
"""Bytes of a place at which the clock is looked for, and how many places there are: 32 MiB."""

SLOWEST = 4_000
"""Bytes a second of the slowest stream: where there are more, the clock has leapt."""


class PartView(MediaFile):
    """The bytes [begin, stop) of a file, behind `head`, as a file of its own; `stop` None: to the end."""

    def __init__(self, file: MediaFile, begin: int, stop: int | None, head: bytes = b"") -> None:
        super().__init__(file.fd, file)
        end = file.size or 0
        self._head = head
        self._begin = begin
        self.size = len(head) + max(0, min(end, end if stop is None else stop) - begin)

    def read_at(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset`; none behind the end. Raises `OSError`."""
        size = min(size, (self.size or 0) - offset)
        if size <= 0:
            return b""
        known = self._head[offset : offset + size]
        if len(known) == size:
            return known
        return known + super().read_at(self.place(offset + len(known)), size - len(known))

    def place(self, offset: int) -> int:
        """Where in the file lies what is at `offset` here."""
        return max(0, offset - len(self._head)) + self._begin


def view(file: MediaFile, begin: int, stop: int | None) -> MediaFile:
    """A part of `file`: itself, if that is all of it. It begins with tables, wherever they were sent last."""
    if not begin and stop is None:
        return file
    return PartView(file, begin, stop, _tables(file, begin))


def place(file: MediaFile, offset: int) -> int:
    """Where in the file lies what is at `offset` of a view of it."""
    return file.place(offset) if isinstance(file, PartView) else offset


def beginning_of(file: MediaFile, clocks: Clocks) -> int:
    """Where a part begins, of which one of the first packets is known.

    Backwards from there, up to the last PES packet of another clock: tables just before belong to what follows.
    """
    found, is_open = clocks.position, False
    size = packet_size(file.read_at, found)
    if size is None:
        return _pack_before(file, found)
    pmts: set[int] = set()
    for place, packet in backwards(file.read_at, found, size):
        pid, starts = pid_of(packet), bool(packet[1] & 0x40)
        if pid == 0 and starts:
            pmts |= programs(packet)
        time = pes_time(packet) if starts else None
        if time is not None:
            if not clocks.is_after(time):
                break
            found, is_open = place, False
        elif pid < 0x20 or pid == 0x1FFF or pid in pmts or (starts and begins_pmt(packet)):
            found = found if is_open else place
        else:
            is_open = True  # of a PES packet that began before
    return found


def find_parts(file: MediaFile) -> list[tuple[int, int | None]]:
    """The parts of a transport stream, as far as its clock at some hundred places shows them.

    Each begins and stops somewhere. That is cheap, and all of a file of up to 32 MiB; of a larger one a part is
    overlooked that lies between two of the places. Another container is one part.
    """
    whole: list[tuple[int, int | None]] = [(0, None)]
    size = packet_size(file.read_at, 0) if file.size is not None else None
    if size is None or file.size is None:
        return whole
    apart = max(16, file.size // LOOKS // size) * size
    begins = [0]
    before: tuple[int, float] | None = None
    for where in range(0, file.size, apart):
        now = _clock_near(file, where, size)
        if now is None:
            continue
        while (
            before is not None and len(begins) < MOST_PARTS and (found := _between(file, before, now, size))
        ):
            begin = beginning_of(file, found)
            after = _clock_near(file, begin, size)
            if begin <= begins[-1] or after is None:
                break
            begins.append(begin)
            before = after
        before = now
    return list(zip(begins, [*begins[1:], None], strict=True))


def _between(file: MediaFile, low: tuple[int, float], high: tuple[int, float], size: int) -> Clocks | None:
    """Where the clock goes back or leaps between two places, each with its time."""
    if not _breaks(low[1], high[1], high[0] - low[0]):
        return None
    while high[0] - low[0] > LOOK:
        middle = _clock_near(file, low[0] + (high[0] - low[0]) // 2 // size * size, size)
        if middle is None or not low[0] < middle[0] < high[0]:
            break
        if _breaks(low[1], middle[1], middle[0] - low[0]):
            high = middle
        elif _breaks(middle[1], high[1], high[0] - middle[0]):
            low = middle
        else:
            return None  # a slow stream is no leap
    return _seam_between(file, low, high[0], size)


def _breaks(before: float, after: float, apart: int) -> bool:
    """Whether the clock does not go on over so many bytes: it goes back, or on by more than the slowest streams do."""
    ahead = (after - before) % WRAP
    return WRAP - LATE > ahead > AHEAD + apart / SLOWEST


def _seam_between(file: MediaFile, low: tuple[int, float], stop: int, size: int) -> Clocks | None:
    """The place between two near ones at which a clock does not go on."""
    before = low[1]
    for position, time in _times(file, low[0], stop - low[0] + LOOK, size):
        if _breaks(before, time, 0):
            return Clocks(position, before, time)
        before = time if (time - before) % WRAP < AHEAD else before
    return None


def _clock_near(file: MediaFile, position: int, size: int) -> tuple[int, float] | None:
    """The first packet at a place or soon behind it that says a time: where it lies, and the time."""
    return next(_times(file, position, LOOK, size), None)


def _times(file: MediaFile, position: int, length: int, size: int) -> Iterator[tuple[int, float]]:
    """The packets in so many bytes from `position` on that say a time: where each lies, and the time."""
    data, lead = file.read_at(position, length), lead_of(size)
    for at in range(0, len(data) - size + 1, size):
        packet = data[at + lead : at + lead + PACKET]
        if packet[0] == 0x47 and packet[1] & 0x40 and (time := pes_time(packet)) is not None:
            yield position + at, time


def end_before(file: MediaFile, position: int, pid: int) -> int:
    """Where what is said before `position` of the coding of a track ends: before the tables that say something new."""
    size = packet_size(file.read_at, position)
    found = position
    for where, packet in backwards(file.read_at, position, size) if size is not None else ():
        if pid_of(packet) == pid:
            break
        if pid_of(packet) == 0 or (packet[1] & 0x40 and begins_pmt(packet)):
            found = where
    return found


def _tables(file: MediaFile, begin: int) -> bytes:
    """The tables (PAT, PMT) that were sent last before `begin`, unless others follow at once."""
    size = packet_size(file.read_at, begin)
    if size is None or not begin:
        return b""
    lead = lead_of(size)
    if pid_of(file.read_at(begin + lead, 4)) < 0x20:
        return b""
    found: list[bytes] = []
    named: set[int] = set()
    behind: dict[int, list[bytes]] = {}
    for place, packet in backwards(file.read_at, begin, size):
        pid = pid_of(packet)
        whole = file.read_at(place, size) if lead else packet
        if pid == 0 and packet[1] & 0x40:
            named = named or programs(packet)
            found.append(whole)
            if any(each in behind for each in named) or len(found) > 1:
                found += [each for pid in sorted(named & behind.keys()) for each in reversed(behind[pid])]
                return b"".join(each.ljust(size, b"\xff") for each in found)
        elif pid >= 0x20 and pid != 0x1FFF and (begins_pmt(packet) or pid in behind):
            behind.setdefault(pid, []).append(whole)
    return b""


def _pack_before(file: MediaFile, position: int) -> int:
    """The pack header of a program stream before a packet, if it is near: what follows begins with it."""
    near = max(0, position - 4096)
    at = file.read_at(near, position - near).rfind(b"\0\0\x01\xba")
    return near + at if at >= 0 else position
