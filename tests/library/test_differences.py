"""A folder compared with its rows: what is new, what is lost, and what stays because it cannot be read."""

import os
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from trio_stream.library.folder.content import Identity
from trio_stream.library.folder.walking import File, Folder
from trio_stream.library.naming.families import membership_by_name
from trio_stream.library.records.folders import RecordedFolder, RecordedVideo
from trio_stream.library.scan.differences import compare

NAMES = ("a.mp4", "b.mp4", "Film.720p.mp4", "Film.1080p.mp4")
FOLDERS = ("one", "two", "three")


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


def recorded(videos: Mapping[str, tuple[int, bool, bool]], subfolders: set[str]) -> RecordedFolder:
    """Rows of videos, each with its inode, whether it is missing, and whether its family matches its name."""
    found = {
        name: RecordedVideo(
            number, name, Identity.of(state(inode)).signature, missing, _family(name, is_sorted)
        )
        for number, (name, (inode, missing, is_sorted)) in enumerate(videos.items())
    }
    return RecordedFolder(1, False, found, frozenset(subfolders), {}, {})


def _family(name: str, is_sorted: bool) -> str | None:
    membership = membership_by_name(name)
    family = None if membership is None else membership.family
    return family if is_sorted else f"not {family}"


inodes = st.integers(1, 3)


@given(
    found_videos=st.dictionaries(st.sampled_from(NAMES), inodes),
    recorded_videos=st.dictionaries(st.sampled_from(NAMES), st.tuples(inodes, st.booleans(), st.booleans())),
    found_folders=st.sets(st.sampled_from(FOLDERS)),
    recorded_folders=st.sets(st.sampled_from(FOLDERS)),
    unread=st.sets(st.sampled_from([*NAMES, *FOLDERS])),
)
def test_differences_of_any_two_states(
    found_videos: dict[str, int],
    recorded_videos: dict[str, tuple[int, bool, bool]],
    found_folders: set[str],
    recorded_folders: set[str],
    unread: set[str],
) -> None:
    found_videos = {name: inode for name, inode in found_videos.items() if name not in unread}
    found_folders -= unread
    found = compare(folder(found_videos, found_folders, unread), recorded(recorded_videos, recorded_folders))
    assert {file.name for file in found.candidates} == {
        name
        for name, inode in found_videos.items()
        if name not in recorded_videos or recorded_videos[name][1] or recorded_videos[name][0] != inode
    }
    assert {video.name for video in found.lost} == {
        name
        for name, (_, missing, _) in recorded_videos.items()
        if not missing and name not in {*found_videos, *unread}
    }
    assert set(found.lost_folders) == recorded_folders - found_folders - unread
    assert set(found.new_folders) == found_folders - recorded_folders
    assert set(found.wrong_family) == {
        name for name, (_, _, is_sorted) in recorded_videos.items() if not is_sorted
    }


def test_everything_in_an_unrecorded_folder_is_new() -> None:
    found = compare(folder({"a.mp4": 1}, {"one"}, {"b.mp4"}), None)
    assert [file.name for file in found.candidates] == ["a.mp4"]
    assert found.new_folders == ("one",)
    assert (found.lost, found.lost_folders, found.wrong_family) == ((), (), ())
