"""Read transport packets (MPEG-TS), as far as parts and programmes need it (pure).

Sources: ISO/IEC 13818-1 sections 2.4.3.2 (transport packets), 2.4.3.6 (PES packets), 2.4.4.3 (PAT) and 2.4.4.8 (PMT).
"""

from collections.abc import Callable, Iterator

PACKET = 188
SIZES = (PACKET, 192, 204)
"""Bytes of a transport packet: alone, with an arrival time before it (M2TS), or with a checksum after it."""

type Read = Callable[[int, int], bytes]
"""Takes an offset and a size; returns those bytes of a file, fewer only at its end."""

WINDOW = 188 * 192 * 17
"""Bytes that are searched at once: a multiple of each packet size."""

MAX_WINDOWS = 8
"""Windows before a place that are searched for tables: half a second of 75 Mbit/s."""


def lead_of(size: int) -> int:
    """Return how many bytes precede the packet itself, for that packet size."""
    return 4 if size == 192 else 0


def packet_size(read: Read, position: int) -> int | None:
    """Return the size of the transport packets at the start of one; None for another container."""
    data = read(position, 10 * max(SIZES))
    for size in SIZES:
        lead = lead_of(size)
        marks = data[lead::size]
        if len(marks) > 2 and set(marks[: 1 + (len(data) - lead - 1) // size]) == {0x47}:
            return size
    return None


def packets_before(read: Read, position: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield the transport packets before a position, the last one first, each with its own position."""
    lead = lead_of(size)
    end = position
    for _ in range(MAX_WINDOWS):
        begin = max(end - WINDOW // size * size, end % size)
        data = read(begin, end - begin)
        if len(data) < end - begin:
            return
        for at in range(len(data) - size, -1, -size):
            packet = data[at + lead : at + lead + PACKET]
            if packet[0] != 0x47:
                return
            yield begin + at, packet
        end = begin
        if end < size:
            return


def pid_at(data: bytes, at: int) -> int:
    """Read a PID: the last 13 of 16 bits."""
    return int.from_bytes(data[at : at + 2]) & 0x1FFF


def pid_of(packet: bytes) -> int:
    """Return the PID of a packet."""
    return pid_at(packet, 1) if len(packet) >= 3 else 0x1FFF


def payload(packet: bytes) -> bytes:
    """Return the content of a packet after its header."""
    control = packet[3] >> 4 & 3
    if not control & 1:
        return b""
    return packet[5 + packet[4] if control & 2 else 4 :]


def begins_pmt(packet: bytes) -> bool:
    """Whether a PMT begins in the packet."""
    data = payload(packet)
    return (
        bool(packet[1] & 0x40)
        and len(data) > 1 + data[0]
        and data[1 + data[0]] == 2
        and data[:3] != b"\0\0\1"
    )


def pmt_pids(packet: bytes) -> set[int]:
    """Return the PIDs of the PMTs that a PAT lists."""
    data = payload(packet)
    if not data or len(data) < 9 + data[0]:
        return set()
    section = data[1 + data[0] :]
    return {pid for pid, _ in map_tables(section[: 3 + section_length(section)])}


def section_length(section: bytes) -> int:
    """Return the length of a section after the three bytes that hold it."""
    return int.from_bytes(section[1:3]) & 0xFFF if len(section) > 2 else 0xFFF


def map_tables(section: bytes) -> Iterator[tuple[int, int]]:
    """Yield the PIDs of the PMTs that a section of the PAT lists, each with its programme."""
    for at in range(8, len(section) - 4 - 3, 4):
        programme, pid = int.from_bytes(section[at : at + 2]), pid_at(section, at + 2)
        if programme:  # 0 is the network information table
            yield pid, programme


def pes_time(packet: bytes) -> float | None:
    """Return the decode time of the PES packet that begins here, in seconds; None if it has none."""
    data = payload(packet)
    if data[:3] != b"\0\0\1" or len(data) < 19 or not data[7] & 0x80:
        return None
    at = 14 if data[7] & 0x40 else 9
    stamp = data[at : at + 5]
    ticks = (
        (stamp[0] >> 1 & 7) << 30 | (int.from_bytes(stamp[1:3]) >> 1) << 15 | int.from_bytes(stamp[3:5]) >> 1
    )
    return ticks / 90_000
