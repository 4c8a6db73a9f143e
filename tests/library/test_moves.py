"""Which missing video a new file is."""

import pytest

from trio_stream.library.naming.moves import Arrival, DigestNeeded, Gone, moved_from

R, S, T = "revision-r", "revision-s", "revision-t"


def gone(name: str, revision: str = R, digest: str | None = None, number: int = 0) -> Gone:
    return Gone(number, name, revision, digest)


@pytest.mark.parametrize(
    ("arrival", "candidates", "expected"),
    [
        (Arrival("b.mp4", R), [], None),
        (Arrival("b.mp4", R), [gone("a.mp4")], "a.mp4"),
        (Arrival("b.mp4", S), [gone("a.mp4")], "a.mp4"),  # the same samples with another time: the only candidate
        (Arrival("b.mp4", S), [gone("a.mp4", R), gone("c.mp4", S)], "c.mp4"),
        (Arrival("x/a.mp4", R), [gone("b.mp4"), gone("y/a.mp4")], "y/a.mp4"),
        (Arrival("x/s1/a.mp4", R), [gone("z/s2/a.mp4"), gone("y/s1/a.mp4")], "y/s1/a.mp4"),
        (Arrival("x/c.mp4", R), [gone("y/b.mp4"), gone("x/d.mp4")], "x/d.mp4"),
        (Arrival("b.mp4", T, "d"), [gone("a.mp4", R, "d"), gone("c.mp4", S, "d")], "c.mp4"),  # copies: either is right
        (Arrival("b.mp4", T, "2"), [gone("a.mp4", R, "1"), gone("c.mp4", S, "2")], "c.mp4"),
        (Arrival("b.mp4", T, "3"), [gone("a.mp4", R, "1"), gone("c.mp4", S, "2")], None),
        (Arrival("b.mp4", T, "1"), [gone("a.mp4", R, None), gone("c.mp4", S, None)], None),
    ],
)  # fmt: skip
def test_moved_from(arrival: Arrival, candidates: list[Gone], expected: str | None) -> None:
    found = moved_from(arrival, candidates)
    assert (found.name if found else None) == expected


def test_different_contents_with_one_fingerprint_need_a_digest() -> None:
    with pytest.raises(DigestNeeded):
        moved_from(Arrival("b.mp4", T), [gone("a.mp4", R, "1"), gone("c.mp4", S, "2")])
