"""Compares a folder with what the database records about it (pure)."""

from dataclasses import dataclass

from trio_stream.library.folder.content import Identity
from trio_stream.library.folder.walking import File, Folder
from trio_stream.library.naming.families import membership_by_name, title_file_of
from trio_stream.library.records.folders import RecordedFolder, RecordedVideo


@dataclass(frozen=True, slots=True)
class Difference:
    """How a folder differs from what the database records about it."""

    candidates: tuple[File, ...]
    """Files that are new, changed, or have returned."""
    lost: tuple[RecordedVideo, ...]
    lost_folders: tuple[str, ...]
    new_folders: tuple[str, ...]
    wrong_family: tuple[str, ...]
    """Videos whose recorded family is not the one that their names imply."""


def compare(found: Folder, recorded: RecordedFolder | None) -> Difference:
    """Compare a folder with its rows; `recorded` is None if it has none (pure)."""
    videos = recorded.videos if recorded else {}
    subfolders = recorded.subfolders if recorded else frozenset()
    names = {file.name for file in found.videos}
    return Difference(
        candidates=tuple(
            file
            for file in found.videos
            if (video := videos.get(file.name)) is None
            or video.missing
            or video.signature != Identity.of(file.status).signature
        ),
        lost=tuple(
            video
            for video in videos.values()
            if not video.missing and video.name not in names and video.name not in found.unread
        ),
        lost_folders=tuple(sorted(subfolders - set(found.subfolders) - found.unread.keys())),
        new_folders=tuple(name for name in found.subfolders if name not in subfolders),
        wrong_family=tuple(video.name for video in videos.values() if _has_wrong_family(video)),
    )


def _has_wrong_family(video: RecordedVideo) -> bool:
    """Whether the row predates the naming rule. Families of title files are right: they are stored with these files."""
    membership = membership_by_name(video.name)
    expected = None if membership is None else membership.family
    return video.family != expected and (video.family is None or title_file_of(video.family) is None)
