"""AAC with a program config element: standard channel layouts play, others are left out with a reason."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.packet import Packet
from hypothesis import given
from hypothesis import strategies as st

from tests.media.making import make
from tests.media.remuxing import audio_of, box, init_of, outlined, segment_of, segments_of
from tests.media.test_remux import assert_same
from trio_stream.media.formats.aac import (
    NONSTANDARD_LAYOUT,
    audio_specific_config,
    with_standard_layout,
    without_header,
)
from trio_stream.packaging.from_outline import present_outline

type Places = tuple[str, str, str, int]

PLACES: dict[str, tuple[int, Places]] = {
    "mono": (1, ("S", "", "", 0)),
    "stereo": (2, ("C", "", "", 0)),
    "3.0": (3, ("SC", "", "", 0)),
    "4.0": (4, ("SC", "", "S", 0)),
    "5.0": (5, ("SC", "", "C", 0)),
    "5.1": (6, ("SC", "C", "", 1)),
    "7.1(wide)": (7, ("SCC", "", "C", 1)),
    "7.1": (7, ("SC", "C", "C", 1)),
}
"""Layouts for which FFmpeg has a number, as a PCE lists them."""


def element(front: str, side: str, back: str, low: int, comment: bytes = b"made by hand") -> tuple[str, str]:
    """Build a PCE: its bits before and after the padding."""
    head = f"{0:04b}{1:02b}{3:04b}{len(front):04b}{len(side):04b}{len(back):04b}{low:02b}{0:03b}{0:04b}000"
    tags = {"S": 0, "C": 0}
    for kind in front + side + back:
        head += f"{int(kind == 'C')}{tags[kind]:04b}"
        tags[kind] += 1
    return head + "0000" * low, f"{len(comment):08b}" + "".join(f"{byte:08b}" for byte in comment)


def joined(before: str, after: str) -> bytes:
    text = before + "0" * (-len(before) % 8) + after
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8)


def listed(frames: bytes, layout_elements: Places) -> bytes:
    """Convert ADTS frames so that a PCE in each one lists the channels."""
    before, after = element(*layout_elements)
    pce = joined(f"{5:03b}{before}", after)
    result, at = b"", 0
    while at < len(frames):
        size = (frames[at + 3] & 3) << 11 | frames[at + 4] << 3 | frames[at + 5] >> 5
        head = bytearray(frames[at : at + 7])
        head[2] &= 0xFE
        longer = size + len(pce)
        head[3] = longer >> 11
        head[4] = longer >> 3 & 0xFF
        head[5] = (longer & 7) << 5 | head[5] & 0x1F
        result += bytes(head) + pce + frames[at + 7 : at + size]
        at += size
    return result


VIDEO = "-f lavfi -i testsrc2=size=64x64:rate=10:duration=2"
X264 = "-c:v libx264 -preset ultrafast -g 10"


def tone(layout: str) -> str:
    return f"-f lavfi -i anoisesrc=duration=2:sample_rate=48000:seed=7 -af aformat=channel_layouts={layout} -c:a aac -b:a 128k"


def stream(folder: Path, layout: str, layout_elements: Places) -> Path:
    """Write MPEG-TS with video and such an audio track."""
    plain = make(folder / "plain.aac", tone(layout))
    adts = folder / "listed.aac"
    adts.write_bytes(listed(plain.read_bytes(), layout_elements))
    video = (
        "-f lavfi -i testsrc2=size=64x64:rate=10:duration=2 -c:v libx264 -preset ultrafast -g 10 -c:a copy"
    )
    return make(folder / "listed.ts", "-i", adts, *video.split())


@pytest.mark.parametrize("layout", ["mono", "stereo", "3.0", "4.0", "5.0", "5.1"])
def test_a_standard_layout_plays(tmp_path: Path, layout: str) -> None:
    number, layout_elements = PLACES[layout]
    path = stream(tmp_path, layout, layout_elements)
    found = outlined(path)
    (audio,) = found.audio
    assert audio.carriage.refusal is None
    assert bytes.fromhex("0580808002") + _config(number) in described(path)
    # With a PCE, the decoder calls the side channels what it calls back channels without one.
    if layout == "5.1":
        ours = audio_of(
            init_of(path, audio) + b"".join(segment.data for segment in segments_of(path, found, audio))
        )
        assert ours.planes == audio_of(path, audio.track.index).planes
    else:
        assert_same(path)


def _config(number: int) -> bytes:
    return (2 << 11 | 3 << 7 | number << 3).to_bytes(2)


def described(path: Path) -> bytes:
    (audio,) = outlined(path).audio
    return box(init_of(path, audio), "moov", "trak", "mdia", "minf", "stbl", "stsd")


@pytest.mark.parametrize("layout", ["quad", "3.1", "6.0", "hexagonal", "6.1"])
def test_another_layout_is_left_out_with_a_reason(tmp_path: Path, layout: str) -> None:
    """The layouts are listed by FFmpeg's encoder."""
    for kind in ("ts", "mkv"):
        path = make(tmp_path / f"{layout}.{kind}", f"{VIDEO} {tone(layout)} {X264}")
        presentation = present_outline(outlined(path))
        assert [(omission.kind, omission.reason) for omission in presentation.omitted] == [
            ("audio", NONSTANDARD_LAYOUT)
        ]
        assert [rendition.kind for rendition in presentation.renditions] == ["video"]


def test_matroska_with_a_standard_layout_plays(tmp_path: Path) -> None:
    """In Matroska the PCE is in the description of the track, and not in its frames."""
    plain = make(tmp_path / "plain.mkv", tone("5.1"))
    path = tmp_path / "listed.mkv"
    before, after = element("SC", "C", "", 1)
    with av.open(str(plain)) as source, av.open(str(path), "w") as target:
        track = target.add_stream_from_template(source.streams.audio[0], opaque=True)
        track.codec_context.extradata = joined(f"{2:05b}{3:04b}{0:04b}000{before}", after)
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                copy = Packet(bytes(packet))
                copy.pts, copy.dts, copy.time_base, copy.stream = (
                    packet.pts,
                    packet.pts,
                    Fraction(1, 1000),
                    track,
                )
                target.mux_one(copy)
    (audio,) = outlined(path).audio
    assert audio.carriage.refusal is None
    assert _config(6) in described(path)
    joined_segments = init_of(path, audio) + segment_of(path, audio, audio.carriage.first, None).data
    assert audio_of(joined_segments).planes == audio_of(path).planes


@pytest.mark.parametrize("name", PLACES)
def test_a_standard_layout_gets_its_number(name: str) -> None:
    number, layout_elements = PLACES[name]
    before, after = element(*layout_elements)
    assert with_standard_layout(joined(f"{2:05b}{3:04b}{0:04b}000{before}", after)) == _config(number)
    # With an explicit rate, and SBR signalled first: both stay.
    head, tail = f"{5:05b}{15:04b}{24_000:024b}", f"{3:04b}{2:05b}000"
    assert with_standard_layout(joined(f"{head}{0:04b}{tail}{before}", after)) == joined(
        f"{head}{number:04b}{tail}", ""
    )
    extension = f"{0x2B7:011b}{5:05b}0"
    longer = joined(f"{2:05b}{3:04b}{0:04b}000{before}", after + extension)
    assert with_standard_layout(longer) == joined(f"{2:05b}{3:04b}{number:04b}000", "")[:2] + joined(
        extension, ""
    )


def test_a_nonstandard_layout_is_refused() -> None:
    for layout_elements in (
        ("CS", "", "C", 1),
        ("SS", "", "", 0),
        ("C", "", "", 1),
        ("", "", "", 0),
        ("SC", "", "C", 2),
    ):
        before, after = element(*layout_elements)
        with pytest.raises(ValueError, match="channel layout"):
            with_standard_layout(joined(f"{2:05b}{3:04b}{0:04b}000{before}", after))
    for number in (8, 9, 10, 11, 13, 14, 15):
        with pytest.raises(ValueError, match="channel layout"):
            with_standard_layout(_config(number))
    assert with_standard_layout(_config(12) + b"\x56\xe5\x00") == _config(7) + b"\x56\xe5\x00"
    # Stereo, mono, another object type.
    for same in (
        b"\x11\x90",
        b"\x12\x08\x56\xe5\x00",
        bytes.fromhex("f94840"),
    ):
        assert with_standard_layout(same) == same


ADTS = bytes.fromhex("fff14c80053ffc") + b"frame"


def test_adts_headers_are_removed_and_converted() -> None:
    short, checked = (
        bytes.fromhex("fff14c80053ffc") + b"frame",
        bytes.fromhex("fff04c80057ffc0000") + b"frame",
    )
    assert without_header(short) == without_header(checked) == b"frame"
    assert audio_specific_config(short) == bytes.fromhex("1190")  # LC, 48 kHz, two channels
    for wrong in (b"", short[:6], b"\0" + short[1:], short[:6] + b"\xfd" + short[7:]):
        with pytest.raises(ValueError, match="AAC"):
            without_header(wrong)
    with pytest.raises(ValueError, match="channel layout"):
        audio_specific_config(short[:2] + b"\x4c\0" + short[4:])  # channels are described elsewhere


@given(st.binary(max_size=60))
def test_any_bytes_are_converted_or_a_value_error(data: bytes) -> None:
    head = bytes.fromhex("fff14c00053ffc")
    for take in (with_standard_layout, audio_specific_config, without_header):
        for packet in (data, head + data, b"\x11\x80" + data):
            try:
                result = take(packet)
            except ValueError:
                continue
            assert len(result) <= len(packet)
