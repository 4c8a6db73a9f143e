"""In a transport stream with several programmes, the played video has the audio of its own programme."""

from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media.making import make
from tests.media.remuxing import outlined
from tests.media.test_remux import assert_same
from trio_stream.media.containers.programmes import programmes
from trio_stream.packaging.from_outline import present_outline

SOURCES = (
    "-f lavfi -i testsrc2=size=64x64:rate=10:duration=2 -f lavfi -i sine=440:duration=2 -f lavfi -i sine=660:duration=2 "
    "-f lavfi -i smptebars=size=64x64:rate=10:duration=2 -f lavfi -i sine=880:duration=2"
)
CODED = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 10 -c:a aac -b:a 32k"
OTHER_PROGRAMME = "the track belongs to another programme of the stream"


def multiplex(path: Path, first: str, *others: str) -> Path:
    """Build a stream with programmes of these tracks."""
    named = [["-program", f"program_num={number}:{each}"] for number, each in enumerate((first, *others), 1)]
    order = "-map 0 -map 1 -map 2 -map 3 -map 4"
    return make(path, f"{SOURCES} {order} {CODED}", *(word for name in named for word in name))


@pytest.mark.parametrize(
    ("name", "parts", "offered"),
    [
        ("two", ("st=0:st=1:st=2", "st=3:st=4"), ["v0", "a1", "a2"]),
        ("between", ("st=0:st=2", "st=3:st=1:st=4"), ["v0", "a2"]),
        ("shared", ("st=0:st=1:st=4", "st=3:st=2:st=4"), ["v0", "a1", "a4"]),
        ("radio", ("st=0:st=1", "st=2", "st=3:st=4"), ["v0", "a1"]),
        ("one", ("st=0:st=1:st=2:st=3:st=4",), ["v0", "a1", "a2", "a4"]),
    ],
)
def test_only_the_tracks_of_one_programme_are_offered(
    tmp_path: Path, name: str, parts: tuple[str, ...], offered: list[str]
) -> None:
    path = multiplex(tmp_path / f"{name}.ts", *parts)
    presentation = present_outline(outlined(path))
    # FFmpeg numbers tracks in the order of the tables; the PIDs follow the order in which they are given.
    assert sorted(rendition.name for rendition in presentation.renditions) == sorted(numbered(path, offered))
    reasons = {omission.reason for omission in presentation.omitted if omission.kind == "audio"}
    assert reasons == ({OTHER_PROGRAMME} if len(parts) > 1 else set())
    assert len(presentation.renditions) + len(presentation.omitted) == 5
    assert_same(path)


def numbered(path: Path, names: list[str]) -> list[str]:
    with av.open(str(path)) as container:
        at = {stream.id - 0x100: stream.index for stream in container.streams}
    return [f"{name[0]}{at[int(name[1:])]}" for name in names]


def test_the_tables_list_the_tracks_of_each_programme(tmp_path: Path) -> None:
    data = multiplex(tmp_path / "two.ts", "st=0:st=1:st=2", "st=3:st=4").read_bytes()
    expected = (frozenset({0x100, 0x101, 0x102}), frozenset({0x103, 0x104}))
    assert programmes(data) == expected
    assert programmes(data[100:]) == expected  # a truncated packet is skipped
    timed = b"".join(bytes(4) + data[at : at + 188] for at in range(0, len(data), 188))
    assert programmes(timed) == expected
    coded = b"".join(data[at : at + 188] + bytes(16) for at in range(0, len(data), 188))
    assert programmes(coded) == expected
    assert programmes(data[: 188 * 3]) in ((), expected[:1])
    assert programmes(b"") == programmes(bytes(10_000)) == ()


def test_a_table_in_several_packets_is_read() -> None:
    """With descriptors, the table of a programme with many tracks is longer than a packet."""
    tracks = b"".join(
        b"\x0f" + (0xE000 | pid).to_bytes(2) + b"\xf0\x10" + bytes(16) for pid in range(0x200, 0x214)
    )
    body = b"\x00\x07\xc1\x00\x00\xe2\x00\xf0\x00" + tracks + bytes(4)
    table = b"\x02" + (0xB000 | len(body)).to_bytes(2) + body
    association = b"\x00\xb0\x0d\x00\x01\xc1\x00\x00\x00\x07\xe1\x00" + bytes(4)
    packets = _packets(0, association) + _packets(0x100, table)
    assert programmes(packets + bytes(188)) == ()  # too short to find the packets with certainty
    assert programmes(packets + _packets(0x1FFF, bytes(900))) == (frozenset(range(0x200, 0x214)),)


def _packets(pid: int, section: bytes) -> bytes:
    packets, payload = b"", b"\0" + section
    for number, at in enumerate(range(0, len(payload), 184)):
        start_flag = 0x4000 if at == 0 else 0
        head = b"\x47" + (start_flag | pid).to_bytes(2) + bytes([0x10 | number & 15])
        packets += head + payload[at : at + 184].ljust(184, b"\xff")
    return packets


@given(st.binary(max_size=188 * 8), st.integers(0, 187), st.binary(max_size=8))
def test_any_bytes_are_read_without_an_error(noise: bytes, at: int, more: bytes) -> None:
    framed = b"".join(
        b"\x47" + noise[part : part + 187].ljust(187, b"\0") for part in range(0, len(noise), 187)
    )
    programmes(noise)
    programmes(framed[:at] + more + framed[at:])
