"""Which tracks of a transport stream belong together: its programmes, each with a film of its own (pure).

Sources: ISO/IEC 13818-1 sections 2.4.3.2 (packets), 2.4.4.3 (the association table) and 2.4.4.8 (the map tables).
"""

from collections.abc import Iterator, Mapping

READ_BYTES = 4 << 20
"""How much of a file is read for its tables. They are repeated ten times a second."""

_SIZES = ((188, 0), (192, 4), (204, 0))
"""Bytes of a packet, and of what is before it: plain, as on discs, with codes that correct errors."""

_ASSOCIATION, _MAP = 0, 2
"""Kinds of tables."""

_NO_PACKET = 0x1FFF


def programmes(data: bytes) -> tuple[frozenset[int], ...]:
    """The PIDs of each programme's tracks, as far as the tables at the beginning of a stream say."""
    maps: dict[int, int] = {}
    found: dict[int, frozenset[int]] = {}
    for pid, section in _sections(data, maps):
        if pid == 0 and section[0] == _ASSOCIATION and not maps:
            maps.update(_maps(section))
        elif pid in maps and section[0] == _MAP:
            found.setdefault(int.from_bytes(section[3:5]), _tracks(section))
        if maps and len(found) == len(set(maps.values())):
            break
    return tuple(found.values())


def _maps(section: bytes) -> Iterator[tuple[int, int]]:
    """PIDs of map tables, and the programme of each."""
    for at in range(8, len(section) - 4 - 3, 4):
        programme, pid = int.from_bytes(section[at : at + 2]), _pid(section, at + 2)
        if programme:  # 0 is the network
            yield pid, programme


def _tracks(section: bytes) -> frozenset[int]:
    found, at, end = set(), 12 + (_pid(section, 10) & 0xFFF), len(section) - 4
    while at + 5 <= end:
        found.add(_pid(section, at + 1))
        at += 5 + (_pid(section, at + 3) & 0xFFF)
    return frozenset(found)


def _pid(data: bytes, at: int) -> int:
    """Thirteen bits, behind three others."""
    return int.from_bytes(data[at : at + 2]) & 0x1FFF


def _sections(data: bytes, maps: Mapping[int, int]) -> Iterator[tuple[int, bytes]]:
    """Sections that are in force, of the association table and of those PIDs; each with its PID."""
    begun: dict[int, bytes] = {}
    for packet in _packets(data):
        pid = _pid(packet, 1)
        if pid and pid not in maps:
            continue
        begins, at = packet[1] & 0x40, 4
        if packet[3] & 0x20:
            at += 1 + packet[4]
        payload = packet[at:] if packet[3] & 0x10 else b""
        if begins and payload:
            rest, payload = payload[1 : 1 + payload[0]], payload[1 + payload[0] :]
            yield from _whole(pid, begun.pop(pid, b"") + rest)
            begun[pid] = payload
        elif pid in begun:
            begun[pid] += payload
        if pid in begun:
            yield from _whole(pid, begun[pid])
            if len(begun[pid]) >= 3 + _length(begun[pid]):
                del begun[pid]


def _whole(pid: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """The sections of a payload that are all there and in force."""
    while len(data) > 8 and data[0] != 0xFF and len(data) >= 3 + _length(data):
        section, data = data[: 3 + _length(data)], data[3 + _length(data) :]
        if len(section) >= 12 and section[5] & 1:
            yield pid, section


def _length(section: bytes) -> int:
    return int.from_bytes(section[1:3]) & 0xFFF if len(section) > 2 else 0xFFF


def _packets(data: bytes) -> Iterator[bytes]:
    """The packets of a stream; what is no packet is passed over."""
    for size, before in _SIZES:
        start = next(
            (
                at
                for at in range(size)
                if all(data[(sync := at + before + n * size) : sync + 1] == b"\x47" for n in range(5))
            ),
            None,
        )
        if start is not None:
            break
    else:
        return
    at = start + before
    while at + 188 <= len(data):
        if data[at] != 0x47:
            at = data.find(b"\x47", at + 1)
            if at < 0:
                return
            continue
        yield data[at : at + 188]
        at += size
