"""Read which tracks of a transport stream belong together: its programmes, each with its own video (pure).

Sources: ISO/IEC 13818-1 sections 2.4.3.2 (packets), 2.4.4.3 (PAT) and 2.4.4.8 (PMT).
"""

from collections.abc import Iterator, Mapping

from trio_stream.media.containers.transport import (
    PACKET,
    SIZES,
    lead_of,
    map_tables,
    payload,
    pid_at,
    section_length,
)

READ_BYTES = 4 << 20
"""How much of a file is read for its tables. They are repeated ten times per second."""

_PAT, _PMT = 0, 2
"""Table ids."""


def programmes(data: bytes) -> tuple[frozenset[int], ...]:
    """Return the PIDs of each programme's tracks, from the tables at the beginning of a stream."""
    maps: dict[int, int] = {}
    pids_of: dict[int, frozenset[int]] = {}
    for pid, section in _sections(data, maps):
        if pid == 0 and section[0] == _PAT and not maps:
            maps.update(map_tables(section))
        elif pid in maps and section[0] == _PMT:
            pids_of.setdefault(int.from_bytes(section[3:5]), _tracks(section))
        if maps and len(pids_of) == len(set(maps.values())):
            break
    return tuple(pids_of.values())


def _tracks(section: bytes) -> frozenset[int]:
    pids, at, end = set(), 12 + (pid_at(section, 10) & 0xFFF), len(section) - 4
    while at + 5 <= end:
        pids.add(pid_at(section, at + 1))
        at += 5 + (pid_at(section, at + 3) & 0xFFF)
    return frozenset(pids)


def _sections(data: bytes, maps: Mapping[int, int]) -> Iterator[tuple[int, bytes]]:
    """Yield the current sections of the PAT and of the PMTs (the keys of `maps`), each with its PID."""
    partial: dict[int, bytes] = {}
    for packet in _packets(data):
        pid = pid_at(packet, 1)
        if pid and pid not in maps:
            continue
        content = payload(packet)
        if packet[1] & 0x40 and content:
            rest, content = content[1 : 1 + content[0]], content[1 + content[0] :]
            yield from _complete(pid, partial.pop(pid, b"") + rest)
            partial[pid] = content
        elif pid in partial:
            partial[pid] += content
        if pid in partial:
            yield from _complete(pid, partial[pid])
            if len(partial[pid]) >= 3 + section_length(partial[pid]):
                del partial[pid]


def _complete(pid: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the sections of a payload that are complete and current."""
    while len(data) > 8 and data[0] != 0xFF and len(data) >= 3 + section_length(data):
        section, data = data[: 3 + section_length(data)], data[3 + section_length(data) :]
        if len(section) >= 12 and section[5] & 1:
            yield pid, section


def _packets(data: bytes) -> Iterator[bytes]:
    """Yield the packets of a stream, and skip what is not a packet."""
    for size in SIZES:
        before = lead_of(size)
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
    while at + PACKET <= len(data):
        if data[at] != 0x47:
            at = data.find(b"\x47", at + 1)
            if at < 0:
                return
            continue
        yield data[at : at + PACKET]
        at += size
