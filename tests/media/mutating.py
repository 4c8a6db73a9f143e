"""Small videos in containers that are remuxed, and mutations of them: of any bytes, and of container elements.

The same seed of `random.Random` gives the same mutations in the same order.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.media.making import make

_VIDEO = "-f lavfi -i testsrc2=size=64x36:rate=10:duration=4"
_AUDIO = "-f lavfi -i sine=duration=4"
_H264 = "-pix_fmt yuv420p -c:v libx264 -preset ultrafast -bf 2 -g 10"

SEEDS = {
    "h264-aac.mkv": f"{_VIDEO} {_AUDIO} {_H264} -c:a aac",
    "h264-two-sounds.mkv": f"{_VIDEO} {_AUDIO} {_AUDIO} -map 0 -map 1 -map 2 {_H264} -c:a:0 flac -c:a:1 pcm_s16le",
    "vp9-opus.webm": f"{_VIDEO} {_AUDIO} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 10 -c:a libopus",
    "hevc-ac3.mkv": f"{_VIDEO} {_AUDIO} -pix_fmt yuv420p -c:v libx265 -preset ultrafast -x265-params "
    "log-level=none:keyint=10 -c:a ac3",
    "h264-aac.ts": f"{_VIDEO} {_AUDIO} {_H264} -c:a aac",
    "h264-two-sounds.ts": f"{_VIDEO} {_AUDIO} {_AUDIO} -map 0 -map 1 -map 2 {_H264} -c:a:0 ac3 -c:a:1 mp2",
    "hevc-eac3.ts": f"{_VIDEO} {_AUDIO} -pix_fmt yuv420p -c:v libx265 -preset ultrafast -x265-params "
    "log-level=none:keyint=10 -c:a eac3",
    "h264-mp3.avi": f"{_VIDEO} {_AUDIO} -pix_fmt yuv420p -c:v libx264 -preset ultrafast -bf 0 -g 10 -c:a libmp3lame",
    "h264-aac.flv": f"{_VIDEO} {_AUDIO} {_H264} -c:a aac -ar 44100",
    "h264-aac.mov": f"{_VIDEO} {_AUDIO} {_H264} -c:a aac",
    "sound.ogv": f"{_AUDIO} -c:a libopus",
}
"""Arguments of ffmpeg, by the name of the video."""

MAX_SIZE = 4 << 20
"""Bytes of a mutated video, at most."""

MAX_CHANGES = 6


@dataclass(frozen=True, slots=True)
class Film:
    """A video, with the name of the seed it comes from."""

    name: str
    data: bytes


def seeds(folder: Path) -> list[Film]:
    """Generate the videos to begin with."""
    return [Film(name, make(folder / name, words).read_bytes()) for name, words in SEEDS.items()]


def mutate(film: Film, others: list[Film], chance: random.Random) -> Film:
    """Mutate the video in one to `MAX_CHANGES` places."""
    data = bytearray(film.data)
    suffix = film.name.rpartition(".")[2]
    own = {"ts": PACKET_CHANGES, "mkv": ELEMENT_CHANGES, "webm": ELEMENT_CHANGES}.get(suffix, ())
    for _ in range(chance.randint(1, MAX_CHANGES)):
        if not data:
            break
        if own and chance.random() < 0.7:
            chance.choice(own)(data, chance)
        elif chance.random() < 0.1:
            _splice(data, chance.choice(others).data, chance)
        else:
            chance.choice(BYTE_CHANGES)(data, chance)
    return Film(film.name, bytes(data[:MAX_SIZE]))


type Change = Callable[[bytearray, random.Random], None]


# --- Any bytes ------------------------------------------------------------------------------------------


def _run(data: bytearray, chance: random.Random, longest: int = 1 << 14) -> slice:
    """Choose a run of bytes: more often a short one, and more often near the beginning, where the headers are."""
    start = int(len(data) * chance.random() ** chance.choice((1, 3)))
    return slice(start, start + int(chance.lognormvariate(2, 2)) % longest + 1)


def _bit(data: bytearray, chance: random.Random) -> None:
    data[_run(data, chance).start] ^= 1 << chance.randrange(8)


def _overwritten(data: bytearray, chance: random.Random) -> None:
    run = _run(data, chance)
    length = len(data[run])
    data[run] = chance.choice((bytes(length), b"\xff" * length, chance.randbytes(length)))


def _deleted(data: bytearray, chance: random.Random) -> None:
    del data[_run(data, chance)]


def _repeated(data: bytearray, chance: random.Random) -> None:
    run = _run(data, chance)
    data[run.start : run.start] = data[run] * chance.choice((1, 1, 3))


def _moved(data: bytearray, chance: random.Random) -> None:
    run = _run(data, chance)
    taken = bytes(data[run])
    del data[run]
    at = chance.randrange(len(data) + 1)
    data[at:at] = taken


def _cut_off(data: bytearray, chance: random.Random) -> None:
    del data[int(len(data) * chance.random()) :]


def _beheaded(data: bytearray, chance: random.Random) -> None:
    del data[: int(len(data) * chance.random() / 2)]


def _splice(data: bytearray, other: bytes, chance: random.Random) -> None:
    """Join the beginning of this video and the end of another one, or both completely."""
    if chance.random() < 0.5:
        del data[int(len(data) * chance.random()) :]
        other = other[int(len(other) * chance.random()) :]
    data += other


BYTE_CHANGES: tuple[Change, ...] = (
    _bit, _bit, _bit, _overwritten, _overwritten, _deleted, _repeated, _moved, _cut_off, _beheaded,
)  # fmt: skip


# --- MPEG transport streams (ISO/IEC 13818-1 section 2.4.3) ---------------------------------------------

PACKET = 188


def _packets(data: bytearray, chance: random.Random) -> slice:
    """Choose a run of packets."""
    count = max(1, len(data) // PACKET)
    first = chance.randrange(count)
    return slice(PACKET * first, PACKET * (first + 1 + int(chance.expovariate(0.1))))


def _packets_deleted(data: bytearray, chance: random.Random) -> None:
    del data[_packets(data, chance)]


def _packets_repeated(data: bytearray, chance: random.Random) -> None:
    run = _packets(data, chance)
    data[run.start : run.start] = data[run]


def _packets_moved(data: bytearray, chance: random.Random) -> None:
    run = _packets(data, chance)
    taken = bytes(data[run])
    del data[run]
    at = chance.randrange(len(data) // PACKET + 1) * PACKET
    data[at:at] = taken


def _packet_of_another_track(data: bytearray, chance: random.Random) -> None:
    at = _packets(data, chance).start
    if at + 4 <= len(data):
        data[at + 1] = data[at + 1] & 0xE0 | chance.choice((0, 1, 0x10, 0x1F, chance.randrange(32)))
        data[at + 2] = chance.choice((0, 1, 0, 0x10, 0xFF, chance.randrange(256)))


def _packet_head(data: bytearray, chance: random.Random) -> None:
    at = _packets(data, chance).start + chance.randrange(8)
    if at < len(data):
        data[at] = chance.randrange(256)


def _program_tables(data: bytearray, chance: random.Random) -> None:
    """Change a byte of the tables that list the tracks."""
    tables = [
        at
        for at in range(0, len(data) - PACKET, PACKET)
        if int.from_bytes(data[at + 1 : at + 3]) & 0x1FFF in (0, 0x1000)
    ]
    if tables:
        data[chance.choice(tables) + 4 + chance.randrange(40)] = chance.randrange(256)


def _timestamp(data: bytearray, chance: random.Random) -> None:
    """Change a timestamp of a packetized elementary stream (section 2.4.3.7), or several from there on."""
    starts = [at for at in _all(data, b"\0\0\1") if at + 14 <= len(data) and data[at + 3] & 0xC0 == 0xC0]
    if not starts:
        return
    first = chance.randrange(len(starts))
    for at in starts[first : first + chance.choice((1, 1, 5, 1000))]:
        data[at + 9 + chance.choice((0, 1, 2, 3, 4))] = chance.randrange(256)


def _all(data: bytearray, what: bytes) -> Iterator[int]:
    at = data.find(what)
    while at >= 0:
        yield at
        at = data.find(what, at + 1)


PACKET_CHANGES: tuple[Change, ...] = (
    _packets_deleted, _packets_repeated, _packets_moved, _packet_of_another_track, _packet_head, _program_tables, _timestamp,
)  # fmt: skip


# --- Matroska (RFC 9559), which is made of elements of EBML (RFC 8794) ----------------------------------

MASTERS = {
    0x1A45DFA3, 0x18538067, 0x114D9B74, 0x4DBB, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0xE1, 0x6D80, 0x6240, 0x5034, 0x55B0,
    0x1C53BB6B, 0xBB, 0xB7, 0x1F43B675, 0xA0, 0x1254C367, 0x7373, 0x67C8,
}  # fmt: skip
"""Elements that contain others."""

MAX_ELEMENTS = 20_000


@dataclass(frozen=True, slots=True)
class _Element:
    start: int
    length_at: int
    body: int
    stop: int


def _elements(data: bytearray) -> list[_Element]:
    """Find all elements, in a file that may be broken."""
    found: list[_Element] = []
    todo = [(0, len(data))]
    while todo and len(found) < MAX_ELEMENTS:
        at, end = todo.pop()
        while at < end and len(found) < MAX_ELEMENTS:
            name_length = 9 - data[at].bit_length()
            if name_length > 4 or at + name_length >= end or not data[at + name_length]:
                break
            length_at = at + name_length
            length = 9 - data[length_at].bit_length()
            body = length_at + length
            size = int.from_bytes(data[length_at:body]) & (1 << 7 * length) - 1
            stop = end if size == (1 << 7 * length) - 1 else min(end, body + size)
            found.append(_Element(at, length_at, body, stop))
            if int.from_bytes(data[at:length_at]) in MASTERS:
                todo.append((body, stop))
            at = max(stop, body)
    return found


def _element(data: bytearray, chance: random.Random) -> _Element | None:
    found = _elements(data)
    small = [element for element in found if element.stop - element.body <= 16]
    return chance.choice(small if small and chance.random() < 0.7 else found) if found else None


def _element_deleted(data: bytearray, chance: random.Random) -> None:
    if element := _element(data, chance):
        del data[element.start : element.stop]


def _element_repeated(data: bytearray, chance: random.Random) -> None:
    if element := _element(data, chance):
        data[element.start : element.start] = data[element.start : element.stop]


def _element_moved(data: bytearray, chance: random.Random) -> None:
    one, other = _element(data, chance), _element(data, chance)
    if one and other:
        taken = bytes(data[one.start : one.stop])
        data[other.start : other.start] = taken


def _element_renamed(data: bytearray, chance: random.Random) -> None:
    """Replace the name by another one of the same length."""
    if (element := _element(data, chance)) and (other := _element(data, chance)):
        name = data[other.start : other.length_at]
        if len(name) == element.length_at - element.start:
            data[element.start : element.length_at] = name


def _element_length(data: bytearray, chance: random.Random) -> None:
    if element := _element(data, chance):
        length = element.body - element.length_at
        claim = chance.choice(
            (0, 1, element.stop - element.body + 1, chance.randrange(1 << 7 * length), (1 << 7 * length) - 1)
        )
        data[element.length_at : element.body] = (1 << 7 * length | claim & (1 << 7 * length) - 1).to_bytes(
            length
        )


def _element_value(data: bytearray, chance: random.Random) -> None:
    if (element := _element(data, chance)) and element.stop > element.body:
        length = element.stop - element.body
        if length <= 8:
            value = chance.choice(
                (0, 1, (1 << 8 * length) - 1, 1 << 8 * length - 1, chance.randrange(1 << 8 * length))
            )
            data[element.body : element.stop] = value.to_bytes(length)
        else:
            data[chance.randrange(element.body, element.stop)] = chance.randrange(256)


ELEMENT_CHANGES: tuple[Change, ...] = (
    *(_element_value,) * 4, _element_length, _element_length, _element_renamed, _element_deleted, _element_repeated, _element_moved,
)  # fmt: skip
