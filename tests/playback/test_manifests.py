"""Manifests are written once, until their content changes."""

from collections.abc import Callable

import pytest

from trio_stream.packaging.presentation import Presentation
from trio_stream.packaging.title import Source, Title
from trio_stream.playback.manifests import FIXED, Manifests
from trio_stream.playback.offers import Offer


def offer() -> Offer:
    own = Source("", "r/0", Presentation(()))
    return Offer(Title((own,)), own, "0", 0)


@pytest.fixture
def written() -> list[str]:
    """The manifests that were written."""
    return []


@pytest.fixture
def write(written: list[str]) -> Callable[[], str]:
    def one_more() -> str:
        written.append(f"text {len(written)}")
        return written[-1]

    return one_more


def test_a_manifest_is_written_once(write: Callable[[], str], written: list[str]) -> None:
    manifests, one = Manifests(), offer()
    found = manifests.get(one, "a", "master.m3u8", write)
    assert found.body == b"text 0"
    assert manifests.get(one, "a", "master.m3u8", write) is found
    assert written == ["text 0"]


def test_each_name_and_video_has_its_own_manifest(write: Callable[[], str]) -> None:
    manifests, one = Manifests(), offer()
    found = [
        manifests.get(one, id_, name, write) for id_ in ("a", "b") for name in ("master.m3u8", "v1.m3u8")
    ]
    assert len({item.body for item in found}) == len({item.etag for item in found}) == 4


def test_another_offer_has_another_manifest(write: Callable[[], str], written: list[str]) -> None:
    manifests, one, other = Manifests(), offer(), offer()
    assert manifests.get(one, "a", "master.m3u8", write).body == b"text 0"
    assert manifests.get(other, "a", "master.m3u8", write).body == b"text 1"
    assert manifests.get(other, "a", "master.m3u8", write).body == b"text 1"


def test_the_most_recently_used_stay(write: Callable[[], str]) -> None:
    manifests, one = Manifests(budget=3 * FIXED), offer()
    for name in ("1", "2", "1", "3"):
        manifests.get(one, "a", name, write)
    assert [manifests.get(one, "a", name, write).body for name in ("1", "3", "2")] == [
        b"text 0",
        b"text 2",
        b"text 3",
    ]


def test_a_manifest_that_keeps_changing_takes_one_place(write: Callable[[], str]) -> None:
    manifests, one = Manifests(budget=3 * FIXED), offer()
    manifests.get(one, "a", "stays", write)
    for _ in range(10):
        manifests.get(offer(), "a", "changes", write)
    assert manifests.get(one, "a", "stays", write).body == b"text 0"


def test_a_failed_manifest_is_tried_again(write: Callable[[], str]) -> None:
    manifests, one = Manifests(), offer()

    def fail() -> str:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - it has no message
        manifests.get(one, "a", "x", fail)
    assert manifests.get(one, "a", "x", write).body == b"text 0"
