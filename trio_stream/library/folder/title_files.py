"""Title files: text by hand, beside videos, that says which of them are one film.

    # Film.title.toml
    title = "Film"                                     # or else the name of this file
    files = ["film-hd.mp4", "small/film-sd.mp4"]       # the best one first

Invariant: what it names are names. Nothing is opened because a title file says so; a file counts that the library has
under that very name, so what leads out of the library is no video here either.
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
from trio_stream.library.folder.walking import Folder, below
from trio_stream.library.naming.families import LONGEST_TITLE, MOST
from trio_stream.library.naming.paths import is_plain, printable, title_of

SUFFIX = ".title.toml"
"""Two parts: a `.toml` that lies among videos may be anything."""

LARGEST = 8 * 1024
"""Bytes. To read keys of thousands of parts takes time that grows with their square: a tenth of a second for these."""

MOST_FILES = 1000
"""Title files of one folder that are looked at."""

LONGEST_REASON = 200
"""Characters."""


class NotUnderstood(Exception):
    """A title file that says nothing: `str` says why."""


@dataclass(frozen=True, slots=True)
class TitleFile:
    """A title file and its state; `files` are names of the library. One with a `reason` is not understood.

    `changed_at` in seconds since the epoch.
    """

    name: str
    signature: str
    changed_at: float
    title: str = ""
    files: tuple[str, ...] = ()
    reason: str | None = None


def is_title_file(name: str) -> bool:
    """Whether a file of that name, the last part of it, is a title file."""
    return name.lower().endswith(SUFFIX) and len(name) > len(SUFFIX)


def read_title(name: str, text: bytes) -> tuple[str, tuple[str, ...]]:
    """The title and the files that the title file `name` says (pure). Raises `NotUnderstood`."""
    if len(text) > LARGEST:
        raise NotUnderstood(f"it is larger than {LARGEST // 1024} KiB")
    try:
        said = tomllib.loads(text.decode("utf-8-sig"))  # some editors of text begin with a mark
    except UnicodeDecodeError:
        raise NotUnderstood("it is not UTF-8") from None
    except RecursionError:
        raise NotUnderstood("it is nested too deeply") from None
    except ValueError as error:  # also for numbers that are too long
        raise NotUnderstood(f"it is not TOML: {error}") from None
    if unknown := said.keys() - {"title", "files"}:
        raise NotUnderstood(f"it may say title and files, and says {min(unknown)}")
    title, files = said.get("title", _plain(title_of(f"{name[: -len(SUFFIX)]}.toml"))), said.get("files")
    if (
        not isinstance(title, str)
        or not title.strip()
        or not title.isprintable()
        or len(title) > LONGEST_TITLE
    ):
        raise NotUnderstood(f"its title has to be a line of text of at most {LONGEST_TITLE} characters")
    if not isinstance(files, list) or not 1 <= len(files) <= MOST:
        raise NotUnderstood(f"its files have to be a list of 1 to {MOST} names")
    folder = name.rpartition("/")[0]
    return title.strip(), tuple(dict.fromkeys(_listed(folder, each) for each in files))


def _listed(folder: str, file: object) -> str:
    """The name in the library of a file as it is written, relative to the title file."""
    if not isinstance(file, str):
        raise NotUnderstood("its files have to be a list of texts")
    file = file.removeprefix("./")
    if file.startswith("/") or not is_plain(file):
        raise NotUnderstood(f"{file!r} is not in its folder or in one below, or hidden")
    if media_type(file) is None:
        raise NotUnderstood(f"{file!r} has not the suffix of a video")
    name = _below(folder, file)
    if not is_plain(name):
        raise NotUnderstood("the names of its files are too long")
    return name


def changed_title_files(
    root: str, folder: Folder, known: Mapping[str, str]
) -> tuple[list[TitleFile], list[str]]:
    """The title files of a folder whose state is not the `known` one, by name, and the names of those that are gone.

    In a thread, as it looks at each. Raises `TooManyFiles`.
    """
    names = sorted(_below(folder.name, each) for each in folder.others if is_title_file(each))[:MOST_FILES]
    changed: list[TitleFile] = []
    there = set()
    for name in names:
        path = os.path.join(root, name)
        try:
            status = os.stat(path)
        except FileNotFoundError:
            continue
        except OSError:
            there.add(name)  # it may be: nothing is concluded
            continue
        if stat.S_ISREG(status.st_mode) and below(root, os.path.realpath(path)):
            there.add(name)
            if Identity.of(status).signature != known.get(name):
                changed.append(_read(root, name, status))
    return changed, sorted(known.keys() - there)


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
    except NotUnderstood as error:
        return TitleFile(name, signature, changed_at, reason=_plain(str(error)))
    return TitleFile(name, signature, changed_at, title, files)


def _plain(text: str) -> str:
    """A text without what no log and no database should be given."""
    return printable(text)[:LONGEST_REASON]
