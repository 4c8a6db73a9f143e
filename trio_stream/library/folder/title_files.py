"""Title files: text files next to videos, written by hand, that say which videos are versions of one title.

    # Film.title.toml
    title = "Film"                                     # or else the name of this file
    files = ["film-hd.mp4", "small/film-sd.mp4"]       # the best one first

Invariant: a title file only names videos; the files that it names are not opened. A name counts only if the library has
a video of exactly that name, so a path that leads out of the library matches nothing.
"""

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from trio_stream.errors import VideoNotFound
from trio_stream.http.media_types import media_type
from trio_stream.library.folder.catalog import open_file
from trio_stream.library.folder.content import Identity
from trio_stream.library.folder.walking import Folder, is_below
from trio_stream.library.naming.families import LONGEST_TITLE, MAX_VERSIONS
from trio_stream.library.naming.paths import is_plain, printable, title_of

SUFFIX = ".title.toml"
"""Two parts, because a plain `.toml` file among videos may be anything."""

LARGEST = 8 * 1024
"""Bytes. The time to parse a key grows with the square of its parts: a tenth of a second for this size."""

MAX_TITLE_FILES = 1000
"""The most title files of one folder that are read."""

LONGEST_REASON = 200
"""Characters."""


class InvalidTitleFile(Exception):
    """A title file is invalid: `str` says why."""


@dataclass(frozen=True, slots=True)
class TitleFile:
    """A title file and its state; `files` are names in the library. If `reason` is set, the file is invalid.

    `changed_at` in seconds since the epoch.
    """

    name: str
    signature: str
    changed_at: float
    title: str = ""
    files: tuple[str, ...] = ()
    reason: str | None = None


def is_title_file(name: str) -> bool:
    """Whether a file with that base name is a title file."""
    return name.lower().endswith(SUFFIX) and len(name) > len(SUFFIX)


def read_title(name: str, text: bytes) -> tuple[str, tuple[str, ...]]:
    """Parse the title file `name` into its title and file names (pure). Raises `InvalidTitleFile`."""
    if len(text) > LARGEST:
        raise InvalidTitleFile(f"it is larger than {LARGEST // 1024} KiB")
    try:
        content = tomllib.loads(text.decode("utf-8-sig"))  # some editors write a byte order mark
    except UnicodeDecodeError:
        raise InvalidTitleFile("it is not UTF-8") from None
    except RecursionError:
        raise InvalidTitleFile("it is nested too deeply") from None
    except ValueError as error:  # also for numbers that are too long
        raise InvalidTitleFile(f"it is not TOML: {error}") from None
    if unknown := content.keys() - {"title", "files"}:
        raise InvalidTitleFile(f"it may contain title and files, but not {min(unknown)}")
    title, files = (
        content.get("title", _plain(title_of(f"{name[: -len(SUFFIX)]}.toml"))),
        content.get("files"),
    )
    if (
        not isinstance(title, str)
        or not title.strip()
        or not title.isprintable()
        or len(title) > LONGEST_TITLE
    ):
        raise InvalidTitleFile(f"its title must be one line of at most {LONGEST_TITLE} characters")
    if not isinstance(files, list) or not 1 <= len(files) <= MAX_VERSIONS:
        raise InvalidTitleFile(f"its files must be a list of 1 to {MAX_VERSIONS} names")
    folder = name.rpartition("/")[0]
    return title.strip(), tuple(dict.fromkeys(_listed_name(folder, file) for file in files))


def _listed_name(folder: str, file: object) -> str:
    """The name in the library of a file that is listed relative to its title file."""
    if not isinstance(file, str):
        raise InvalidTitleFile("its files must be a list of strings")
    file = file.removeprefix("./")
    if file.startswith("/") or not is_plain(file):
        raise InvalidTitleFile(f"{file!r} is hidden, or not in its folder or below")
    if media_type(file) is None:
        raise InvalidTitleFile(f"{file!r} does not have the suffix of a video")
    name = _below(folder, file)
    if not is_plain(name):
        raise InvalidTitleFile("the names of its files are too long")
    return name


def changed_title_files(
    root: str, folder: Folder, recorded: Mapping[str, str]
) -> tuple[list[TitleFile], list[str]]:
    """The title files of a folder that differ from the `recorded` signatures, and the names of those that are gone.

    Runs in a thread, as it calls `stat` on each. Raises `TooManyFiles`.
    """
    names = sorted(_below(folder.name, file) for file in folder.others if is_title_file(file))[
        :MAX_TITLE_FILES
    ]
    changed: list[TitleFile] = []
    existing = set()
    for name in names:
        path = os.path.join(root, name)
        try:
            status = os.stat(path)
        except FileNotFoundError:
            continue
        except OSError:
            existing.add(name)  # it may exist, so it does not count as gone
            continue
        if stat.S_ISREG(status.st_mode) and is_below(root, os.path.realpath(path)):
            existing.add(name)
            if Identity.of(status).signature != recorded.get(name):
                changed.append(_read(root, name, status))
    return changed, sorted(recorded.keys() - existing)


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _read(root: str, name: str, status: os.stat_result) -> TitleFile:
    signature, changed_at = Identity.of(status).signature, status.st_ctime
    try:
        with open_file(root, name) as file:
            text = os.pread(file.fd, LARGEST + 1, 0)
        title, files = read_title(name, text)
    except (VideoNotFound, OSError):
        return TitleFile(name, signature, changed_at, reason="it cannot be read")
    except InvalidTitleFile as error:
        return TitleFile(name, signature, changed_at, reason=_plain(str(error)))
    return TitleFile(name, signature, changed_at, title, files)


def _plain(text: str) -> str:
    """The text, safe for logs and the database."""
    return printable(text)[:LONGEST_REASON]
