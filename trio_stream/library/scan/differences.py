"""What a folder holds against what is known of it (pure)."""

from dataclasses import dataclass

from trio_stream.library.folder.content import Identity
from trio_stream.library.folder.walking import File, Folder
from trio_stream.library.naming.families import by_name, title_file_of
from trio_stream.library.records.folders import RecordedFolder, RecordedVideo


@dataclass(frozen=True, slots=True)
class Difference:
    """What a folder holds against what is known of it."""

    candidates: tuple[File, ...]
    """New, changed, or back."""
    lost: tuple[RecordedVideo, ...]
    lost_folders: tuple[str, ...]
    new_folders: tuple[str, ...]
    unsorted: tuple[str, ...]
    """Videos that are known as of another family than their names say."""


def compare(found: Folder, known: RecordedFolder | None) -> Difference:
    """What is different in a folder; `known` is None if nothing is known of it (pure)."""
    before = known.videos if known else {}
    inside = known.subfolders if known else frozenset()
    names = {file.name for file in found.videos}
    return Difference(
        candidates=tuple(
            file
            for file in found.videos
            if (video := before.get(file.name)) is None
            or video.missing
            or video.signature != Identity.of(file.status).signature
        ),
        lost=tuple(
            video
            for video in before.values()
            if not video.missing and video.name not in names and video.name not in found.unread
        ),
        lost_folders=tuple(sorted(inside - set(found.subfolders) - found.unread.keys())),
        new_folders=tuple(name for name in found.subfolders if name not in inside),
        unsorted=tuple(video.name for video in before.values() if _is_unsorted(video)),
    )


def _is_unsorted(video: RecordedVideo) -> bool:
    """Whether the row is older than the rule for names; what title files say is right, as it came with them."""
    kin = by_name(video.name)
    said = None if kin is None else kin.family
    return video.family != said and (video.family is None or title_file_of(video.family) is None)
