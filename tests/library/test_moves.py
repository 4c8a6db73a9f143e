"""Which missing video a new file is."""

import pytest

from trio_stream.library.naming.moves import DigestNeeded, MissingVideo, NewFile, moved_from

R, S, T = "revision-r", "revision-s", "revision-t"


def gone(name: str, revision: str = R, digest: str | None = None, number: int = 0) -> MissingVideo:
    return MissingVideo(number, name, revision, digest)


@pytest.mark.parametrize(
    ("arrival", "candidates", "expected"),
    [
        (NewFile("b.mp4", R), [], None),
        (NewFile("b.mp4", R), [gone("a.mp4")], "a.mp4"),
        (NewFile("b.mp4", S), [gone("a.mp4")], "a.mp4"),  # the same samples with another time: the only candidate
        (NewFile("b.mp4", S), [gone("a.mp4", R), gone("c.mp4", S)], "c.mp4"),
        (NewFile("x/a.mp4", R), [gone("b.mp4"), gone("y/a.mp4")], "y/a.mp4"),
        (NewFile("x/s1/a.mp4", R), [gone("z/s2/a.mp4"), gone("y/s1/a.mp4")], "y/s1/a.mp4"),
        (NewFile("x/c.mp4", R), [gone("y/b.mp4"), gone("x/d.mp4")], "x/d.mp4"),
        (NewFile("b.mp4", T, "d"), [gone("a.mp4", R, "d"), gone("c.mp4", S, "d")], "c.mp4"),  # copies: either is right
        (NewFile("b.mp4", T, "2"), [gone("a.mp4", R, "1"), gone("c.mp4", S, "2")], "c.mp4"),
        (NewFile("b.mp4", T, "3"), [gone("a.mp4", R, "1"), gone("c.mp4", S, "2")], None),
        (NewFile("b.mp4", T, "1"), [gone("a.mp4", R, None), gone("c.mp4", S, None)], None),
    ],
)  # fmt: skip
def test_moved_from(arrival: NewFile, candidates: list[MissingVideo], expected: str | None) -> None:
    found = moved_from(arrival, candidates)
    assert (found.name if found else None) == expected


def test_different_contents_with_one_fingerprint_need_a_digest() -> None:
    with pytest.raises(DigestNeeded):
        moved_from(NewFile("b.mp4", T), [gone("a.mp4", R, "1"), gone("c.mp4", S, "2")])
