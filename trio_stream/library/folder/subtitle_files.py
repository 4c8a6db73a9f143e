"""The subtitle files next to the videos of a folder. Names match them to videos; signatures show changes."""

import os
import stat
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from trio_stream.library.folder.content import Identity
from trio_stream.library.folder.walking import Folder, is_below
from trio_stream.library.naming.subtitles import FOLDERS, Sidecar, is_subtitle, sidecars, stem_key, stem_keys

MAX_FILES = 10_000
"""The most subtitle files that are read from one folder of subtitles."""


@dataclass(frozen=True, slots=True)
class SubtitleFile:
    """A subtitle file of a video: its name in the library, its state, and what its name says about it.

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
    """The subtitle files by the names of their videos. Runs in a thread, as it calls `stat` on each."""
    videos: dict[str, list[str]] = defaultdict(list)
    for file in folder.videos:
        videos[stem_key(_last(file.name))].append(file.name)
    subtitle_names = [name for name in folder.others if is_subtitle(name)]
    in_folders = list(_in_folders(root, folder))
    if not videos or not (subtitle_names or in_folders):
        return {}
    # Looked up by name prefix: comparing each file with each video would take minutes for thousands.
    next_to_videos: dict[str, list[str]] = defaultdict(list)
    for name in subtitle_names:
        if (key := next((key for key in stem_keys(name) if key in videos), None)) is not None:
            next_to_videos[key].append(name)
    by_folder: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for where, name in in_folders:
        directory, _, last = name.rpartition("/")
        keys = stem_keys(last) if not directory else [stem_key(f"{directory}.")]
        key = next((key for key in keys if key in videos), None)
        if key is None and len(videos) == 1 and not directory:
            key = next(iter(videos))
        if key is not None:
            by_folder[key][where].append(name)
    found: dict[str, list[SubtitleFile]] = {}
    for key in next_to_videos.keys() | by_folder.keys():
        for video in videos[key]:
            matching = sidecars(_last(video), next_to_videos.get(key, ()), by_folder.get(key))
            candidates = (_subtitle_file(root, folder.name, sidecar) for sidecar in matching)
            found[video] = [file for file in candidates if file is not None]
    return found


def video_folder_of(folder: str) -> str:
    """The folder of the videos that subtitles in `folder` belong to: itself, unless it is a folder of subtitles."""
    parts = folder.split("/")
    for number, part in enumerate(parts):
        if part.lower() in FOLDERS:
            return "/".join(parts[:number])
    return folder


def _in_folders(root: str, folder: Folder) -> Iterator[tuple[str, str]]:
    """Subtitle files in folders of subtitles and one level below: the folder's name, and the path in it."""
    for name in folder.subfolders:
        if (last := _last(name)).lower() in FOLDERS:
            top = os.path.join(root, name)
            count = 0
            for path, inner, files in os.walk(top):
                if path != top:
                    inner.clear()  # one level below: `Subs/Film/English.srt`
                for file in files:
                    if is_subtitle(file) and count < MAX_FILES:
                        count += 1
                        yield last, os.path.relpath(os.path.join(path, file), top)


def _subtitle_file(root: str, folder: str, sidecar: Sidecar) -> SubtitleFile | None:
    name = f"{folder}/{sidecar.name}" if folder else sidecar.name
    path = os.path.join(root, name)
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or (
            os.path.islink(path) and not is_below(root, os.path.realpath(path))
        ):
            return None
    except OSError:
        return None  # gone by now
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
