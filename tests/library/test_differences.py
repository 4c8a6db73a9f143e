"""A folder against what is known of it: what is new, what is lost, and what nothing is concluded of."""

import os
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from trio_stream.library.folder.content import Identity
from trio_stream.library.folder.walking import File, Folder
from trio_stream.library.naming.families import kin_by_name
from trio_stream.library.records.folders import RecordedFolder, RecordedVideo
from trio_stream.library.scan.differences import compare

NAMES = ("a.mp4", "b.mp4", "Film.720p.mp4", "Film.1080p.mp4")
INSIDE = ("one", "two", "three")


def state(inode: int) -> os.stat_result:
    return os.stat_result((0o100644, inode, 1, 1, 0, 0, 5, 0, 0, 0), {"st_mtime_ns": 0, "st_ctime_ns": 0})


def folder(videos: Mapping[str, int], subfolders: set[str], unread: set[str]) -> Folder:
    return Folder(
        "",
        state(1),
        videos=[File(name, state(inode)) for name, inode in videos.items()],
        subfolders=sorted(subfolders),
        unread=dict.fromkeys(unread, "it cannot be read"),
    )


def known(videos: Mapping[str, tuple[int, bool, bool]], subfolders: set[str]) -> RecordedFolder:
    """Videos with their inode, and whether they are missing, and known as of the family their names say."""
    found = {
        name: RecordedVideo(
            number, name, Identity.of(state(inode)).signature, missing, _family(name, is_sorted)
        )
        for number, (name, (inode, missing, is_sorted)) in enumerate(videos.items())
    }
    return RecordedFolder(1, False, found, frozenset(subfolders), {}, {})


def _family(name: str, is_sorted: bool) -> str | None:
    kin = kin_by_name(name)
    family = None if kin is None else kin.family
    return family if is_sorted else f"not {family}"


inodes = st.integers(1, 3)


@given(
    there=st.dictionaries(st.sampled_from(NAMES), inodes),
    before=st.dictionaries(st.sampled_from(NAMES), st.tuples(inodes, st.booleans(), st.booleans())),
    inside=st.sets(st.sampled_from(INSIDE)),
    inside_before=st.sets(st.sampled_from(INSIDE)),
    unread=st.sets(st.sampled_from([*NAMES, *INSIDE])),
)
def test_what_is_different(
    there: dict[str, int],
    before: dict[str, tuple[int, bool, bool]],
    inside: set[str],
    inside_before: set[str],
    unread: set[str],
) -> None:
    there = {name: inode for name, inode in there.items() if name not in unread}
    inside -= unread
    found = compare(folder(there, inside, unread), known(before, inside_before))
    assert {file.name for file in found.candidates} == {
        name
        for name, inode in there.items()
        if name not in before or before[name][1] or before[name][0] != inode
    }
    assert {video.name for video in found.lost} == {
        name for name, (_, missing, _) in before.items() if not missing and name not in {*there, *unread}
    }
    assert set(found.lost_folders) == inside_before - inside - unread
    assert set(found.new_folders) == inside - inside_before
    assert set(found.unsorted) == {name for name, (_, _, is_sorted) in before.items() if not is_sorted}


def test_of_a_folder_of_which_nothing_is_known_all_is_new() -> None:
    found = compare(folder({"a.mp4": 1}, {"one"}, {"b.mp4"}), None)
    assert [file.name for file in found.candidates] == ["a.mp4"]
    assert found.new_folders == ("one",)
    assert (found.lost, found.lost_folders, found.unsorted) == ((), (), ())
