"""The files of subtitles beside the videos of a folder: found by their names, told apart by their states."""

import os
import stat
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from trio_stream.library.folder.content import Identity
from trio_stream.library.folder.walking import Folder, below
from trio_stream.library.naming.subtitles import FOLDERS, Sidecar, is_subtitle, sidecars, stem_key, stem_keys

MOST = 10_000
"""Files in folders of subtitles that are looked at, for the videos of one folder."""


@dataclass(frozen=True, slots=True)
class SubtitleFile:
    """A file of subtitles beside a video: its name below the library, its state, and what its name says of it.

    `changed_at` in seconds since the epoch.
    """

    name: str
    signature: str
    changed_at: float
    codec: str
    language: str | None
    label: str
    forced: bool
    hearing_impaired: bool
    is_default: bool


def subtitle_files(root: str, folder: Folder) -> dict[str, list[SubtitleFile]]:
    """The files of subtitles by the names of their videos; in a thread, as it looks at each."""
    videos: dict[str, list[str]] = defaultdict(list)
    for file in folder.videos:
        videos[stem_key(_last(file.name))].append(file.name)
    beside = [name for name in folder.others if is_subtitle(name)]
    apart = list(_in_folders(root, folder))
    if not videos or not (beside or apart):
        return {}
    # By the beginnings of their names: to hold each file against each video would take minutes for thousands.
    mine: dict[str, list[str]] = defaultdict(list)
    for name in beside:
        if (key := next((key for key in stem_keys(name) if key in videos), None)) is not None:
            mine[key].append(name)
    theirs: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for where, name in apart:
        directory, _, last = name.rpartition("/")
        keys = stem_keys(last) if not directory else [stem_key(f"{directory}.")]
        key = next((key for key in keys if key in videos), None)
        if key is None and len(videos) == 1 and not directory:
            key = next(iter(videos))
        if key is not None:
            theirs[key][where].append(name)
    found: dict[str, list[SubtitleFile]] = {}
    for key in mine.keys() | theirs.keys():
        for video in videos[key]:
            belonging = sidecars(_last(video), mine.get(key, ()), theirs.get(key))
            looked_at = (_look_at(root, folder.name, each) for each in belonging)
            found[video] = [each for each in looked_at if each is not None]
    return found


def around_subtitles(folder: str) -> str:
    """The folder whose videos the subtitles in `folder` are for: itself, unless it is one of subtitles."""
    parts = folder.split("/")
    for number, part in enumerate(parts):
        if part.lower() in FOLDERS:
            return "/".join(parts[:number])
    return folder


def _in_folders(root: str, folder: Folder) -> Iterator[tuple[str, str]]:
    """Files of subtitles in the folders for them, and in those within: the folder's name, and the path below it."""
    for name in folder.subfolders:
        if (last := _last(name)).lower() in FOLDERS:
            top = os.path.join(root, name)
            count = 0
            for path, inner, files in os.walk(top):
                if path != top:
                    inner.clear()  # one level below: `Subs/Film/English.srt`
                for file in files:
                    if is_subtitle(file) and count < MOST:
                        count += 1
                        yield last, os.path.relpath(os.path.join(path, file), top)


def _look_at(root: str, folder: str, sidecar: Sidecar) -> SubtitleFile | None:
    name = f"{folder}/{sidecar.name}" if folder else sidecar.name
    path = os.path.join(root, name)
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or (
            os.path.islink(path) and not below(root, os.path.realpath(path))
        ):
            return None
    except OSError:
        return None  # gone meanwhile
    return SubtitleFile(
        name=name,
        signature=Identity.of(status).signature,
        changed_at=status.st_ctime,
        codec=sidecar.suffix,
        language=sidecar.language,
        label=sidecar.label,
        forced=sidecar.forced,
        hearing_impaired=sidecar.hearing_impaired,
        is_default=sidecar.default,
    )


def _last(name: str) -> str:
    return name.rpartition("/")[2]
