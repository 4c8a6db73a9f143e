"""Finding the boxes that list samples with few reads."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mp4.making import FTYP, box, full, large_box, words
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.reading import locating
from trio_stream.mp4.reading.locating import Located, fragments, is_cut_off, locate, undescribed_tracks

MOOV = box("moov", b"index")
MDAT = box("mdat", bytes(100_000))


@dataclass
class File:
    """A file that records what is read from it; `size` may be larger than its data."""

    data: bytes
    reads: list[tuple[int, int]] = field(default_factory=list)
    size: int = 0

    def __post_init__(self) -> None:
        self.size = self.size or len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        assert 0 <= offset <= self.size
        self.reads.append((offset, length))
        return self.data[offset : offset + length]

    def locate(self) -> Located:
        return locate(self.read, self.size)

    def fragments(self, start: int = 0) -> list[tuple[int, bytes]]:
        return list(fragments(self.read, self.size, start))


@pytest.mark.parametrize(
    ("data", "behind"),
    [
        (FTYP + MOOV + MDAT, len(FTYP + MOOV)),
        (FTYP + MDAT + MOOV, len(FTYP + MDAT + MOOV)),
        (MDAT + MOOV, len(MDAT + MOOV)),
        (FTYP + large_box("mdat", bytes(9)) + large_box("moov", b"index"), len(FTYP) + 25 + 21),
        (FTYP + MDAT + b"\0\0\0\0moovindex", len(FTYP + MDAT + MOOV)),
        (FTYP + MOOV + b"rubbish behind the end", len(FTYP + MOOV)),
        (FTYP + MOOV + MOOV.replace(b"index", b"other"), len(FTYP + MOOV)),
        (box("ftyp", b"qt") + MOOV, 10 + len(MOOV)),
        # fragments before the index, as some recorders write it
        (FTYP + box("moof", b"1") + MDAT + MOOV, len(FTYP)),
    ],
)
def test_the_moov_is_found(data: bytes, behind: int) -> None:
    file = File(data)
    assert file.locate() == Located(b"index", behind)
    assert sum(length for _, length in file.reads) < 150  # nothing of the data


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "it has no index .moov."),
        (FTYP + MDAT, "it has no index .moov."),
        (FTYP + MDAT[:-1] + MOOV, "it has no index .moov."),
        (b"#EXTM3U\n#EXTINF:1,\n", "it has no index .moov."),
        (FTYP + struct.pack(">I4s", 4, b"free") + MOOV, "it has no index .moov."),
    ],
)
def test_a_file_without_a_moov(data: bytes, sentence: str) -> None:
    with pytest.raises(Malformed, match=f"^{sentence}$"):
        File(data).locate()


def test_a_truncated_moov() -> None:
    for file in (File(FTYP + MOOV[:-2]), File(FTYP + MOOV[:-2], size=len(FTYP + MOOV))):
        with pytest.raises(Malformed, match="the box moov: the file ends inside it"):
            file.locate()


def test_the_size_of_a_moov_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    file = File(FTYP + struct.pack(">I4s", (128 << 20) + 8, b"moov"), size=1 << 40)
    with pytest.raises(Malformed, match="the box moov: it has 134217736 bytes, and the limit is 134217728"):
        file.locate()
    assert max(length for _, length in file.reads) <= 16
    file = File(struct.pack(">I4s", (16 << 20) + 8, b"moof"), size=1 << 40)
    with pytest.raises(Malformed, match="the box moof: it has 16777224 bytes"):
        file.fragments()


def test_boxes_may_claim_any_size() -> None:
    for claimed in (1 << 63, (1 << 64) - 1):
        file = File(FTYP + struct.pack(">I4sQ", 1, b"free", claimed) + MOOV)
        with pytest.raises(Malformed, match="it has no index"):
            file.locate()
        assert file.fragments() == []


def test_the_number_of_top_level_boxes_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locating, "MAX_TOP_BOXES", 10)
    with pytest.raises(Malformed, match=r"^it has more than 10 boxes$"):
        File(box("free") * 11 + MOOV).locate()
    File(box("free") * 9 + MOOV).locate()


def test_fragments() -> None:
    data = (
        FTYP
        + MOOV
        + box("sidx", b"1")
        + box("moof", b"first")
        + MDAT
        + box("moof", b"second")
        + MDAT
        + box("mfra")
    )
    start = len(FTYP + MOOV)
    at = data.index(b"moof") - 4
    second = data.rindex(b"moof") - 4
    file = File(data)
    assert file.fragments(start) == [(at, b"first"), (second, b"second")]
    assert sum(length for _, length in file.reads) < 200
    assert File(data[: second + 10]).fragments(start) == [(at, b"first")]
    assert File(data[: second + 10], size=len(data)).fragments(start) == [(at, b"first")]
    assert File(data[: second + 6]).fragments(start) == [(at, b"first")]


@given(
    st.lists(
        st.tuples(st.sampled_from(["moov", "moof", "mdat", "free"]), st.binary(max_size=30)), max_size=8
    ),
    st.data(),
)
def test_a_file_truncated_anywhere_is_read_or_malformed(
    boxes: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    whole = b"".join(box(kind, payload) for kind, payload in boxes)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    file = File(cut, size=data.draw(st.sampled_from([len(cut), len(whole)])) or 1)
    try:
        located = file.locate()
    except Malformed:
        return
    assert located.moov in whole
    assert 0 <= located.fragments_from <= len(whole)
    file.fragments(located.fragments_from)


@pytest.mark.parametrize(
    ("handler", "entries", "found"),
    [("meta", 0, 1), ("vide", 0, 1), ("meta", 1, 0)],
)
def test_tracks_without_a_description(handler: str, entries: int, found: int) -> None:
    stsd = full("stsd", 0, 0, words(entries), *([box("gpmd", bytes(8))] * entries))
    trak = box("trak", box("mdia", box("minf", box("stbl", stsd))))
    data = FTYP + box("moov", box("mvhd", bytes(100)), trak, box("udta"))
    places = undescribed_tracks(lambda at, length: data[at : at + length], len(data))
    assert [data[place : place + 4] for place in places] == [b"trak"] * found


@pytest.mark.parametrize("make", [box, large_box])
def test_the_offsets_of_tracks_without_a_description(make: Callable[[str, bytes], bytes]) -> None:
    stsd = full("stsd", 0, 0, words(0))
    trak = make("trak", make("mdia", make("minf", make("stbl", stsd))))
    broken = box("trak", struct.pack(">I4s", 100, b"mdia"))
    data = FTYP + make("moov", trak + broken + trak + struct.pack(">I4s", 100, b"udta")) + MDAT
    places = undescribed_tracks(lambda at, length: data[at : at + length], len(data))
    first, last = data.index(b"trak"), data.rindex(b"trak")
    assert places == [first, last], "damage hides no track before it, and is not reported itself"


@pytest.mark.parametrize(("missing", "cut"), [(0, False), (1, True), (1000, True)])
def test_a_truncated_file_is_recognised(missing: int, cut: bool) -> None:
    data = (FTYP + box("mdat", bytes(2000)))[: -missing or None]
    assert is_cut_off(lambda at, length: data[at : at + length], len(data)) is cut
