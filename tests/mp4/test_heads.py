"""Headers of segments from columns that occur in no file, or only rarely."""

from array import array

import pytest

from trio_stream.mp4.boxes import read_boxes
from trio_stream.mp4.writing.heads import NOT_SYNC, SYNC, Flags, segment_head


@pytest.mark.parametrize(
    ("keys", "count", "flags"),
    [
        ([], 0, Flags(SYNC)),
        ([0, 1, 2], 3, Flags(SYNC)),
        ([], 3, Flags(NOT_SYNC)),
        ([0], 3, Flags(NOT_SYNC, first=SYNC)),
        ([1], 3, Flags(NOT_SYNC, per_sample=array("I", (NOT_SYNC, SYNC, NOT_SYNC)))),
        ([0, 2], 3, Flags(NOT_SYNC, per_sample=array("I", (SYNC, NOT_SYNC, SYNC)))),
    ],
)
def test_common_flags_are_written_once(keys: list[int], count: int, flags: Flags) -> None:
    assert Flags.of(keys, count) == flags


def test_a_segment_without_samples() -> None:
    head = segment_head(7, 90_000, array("I"), array("I"), Flags.of([], 0))
    styp, moof, mdat = read_boxes(head)
    assert (styp.kind, moof.kind, mdat.kind, len(mdat.payload)) == ("styp", "moof", "mdat", 0)
    assert moof.get("traf").get("trun").full()[1] == 0x301


@pytest.mark.parametrize(("sequence", "decoded"), [(1 << 32, 0), (-1, 0), (1, -1), (1, 1 << 64)])
def test_numbers_that_do_not_fit_into_a_segment(sequence: int, decoded: int) -> None:
    with pytest.raises(ValueError, match="a number does not fit into the segment header"):
        segment_head(sequence, decoded, array("I", [1]), array("I", [1]), Flags(SYNC))
