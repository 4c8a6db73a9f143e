"""Build recordings that are joined byte by byte, or whose audio changes, as MPEG-TS from the output of ffmpeg."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.media.making import make

PACKET = 188


def clip(
    path: Path,
    *,
    seconds: float = 3,
    size: str | None = "128x72",
    hertz: int | None = 440,
    audio: str = "-c:a aac -b:a 64k",
    more: str = "",
) -> Path:
    """A recording with video and a tone, unless they are None. Equal sizes and tones look and sound the same."""
    inputs = coded = ""
    if size is not None:
        inputs += f"-f lavfi -i testsrc2=size={size}:rate=25:duration={seconds} "
        coded += "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 -bf 2 "
    if hertz is not None:
        inputs += f"-f lavfi -i sine=frequency={hertz}:sample_rate=48000:duration={seconds} "
        coded += f"{audio} "
    return make(path, f"{inputs} {coded} {more} -f mpegts")


def join(path: Path, parts: Sequence[Path]) -> Path:
    """Write the parts, one after the other."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def _packets(path: Path) -> Iterator[tuple[int, float | None, bytes]]:
    """Yield the PID of each packet, the decode time of what begins in it, and its bytes."""
    data = path.read_bytes()
    for at in range(0, len(data), PACKET):
        packet = data[at : at + PACKET]
        pid = int.from_bytes(packet[1:3]) & 0x1FFF
        payload = packet[5 + packet[4] if packet[3] & 0x20 else 4 :]
        time = None
        if packet[1] & 0x40 and payload[:3] == b"\0\0\1" and payload[7] & 0x80:
            start = 14 if payload[7] & 0x40 else 9
            stamp = payload[start : start + 5]
            ticks = (stamp[0] >> 1 & 7) << 30 | (int.from_bytes(stamp[1:3]) >> 1) << 15
            time = (ticks | int.from_bytes(stamp[3:5]) >> 1) / 90_000
        yield pid, time, packet


def change_audio(path: Path, before: Path, after: Path, at: float, pid: int = 0x101) -> Path:
    """Write the video of the first, with its audio up to `at` seconds of its clock, and that of the second after that.

    This is how a broadcast changes from one programme to the next: in the middle of a GOP, with one clock.
    """
    groups: list[tuple[float, bytearray]] = []
    latest: dict[int, tuple[float, bytearray]] = {}
    for number, source in enumerate((before, after)):
        now = 0.0
        latest.clear()
        for packet_pid, time, packet in _packets(source):
            now = time if time is not None else now
            wanted = number == 0 if packet_pid != pid else None
            if time is not None or packet_pid not in latest:
                latest[packet_pid] = (now, bytearray())
                if wanted or (wanted is None and (now < at) == (number == 0)):
                    groups.append(latest[packet_pid])
            elif packet_pid < 0x20 or packet_pid == 0x1000:
                latest[packet_pid] = (now, bytearray())
                if wanted:
                    groups.append(latest[packet_pid])
            latest[packet_pid][1].extend(packet)
    path.write_bytes(b"".join(bytes(content) for _, content in sorted(groups, key=lambda group: group[0])))
    return path


def mix(path: Path, one: Path, other: Path) -> Path:
    """Interleave the packets of both, like those of two programmes; each has a program table of its own."""
    sides = [list(_packets(source)) for source in (one, other)]
    data = bytearray()
    longest = max(map(len, sides))
    for at in range(longest):
        for side in sides:
            for _, _, packet in side[at * len(side) // longest : (at + 1) * len(side) // longest]:
                data += packet
    path.write_bytes(data)
    return path
