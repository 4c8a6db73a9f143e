"""Recognises a new file as a missing video that was moved (pure).

A video keeps its id with its path. If its file is gone and a file with the same fingerprint appears at another path,
the video has moved. If different contents share the fingerprint, only a digest of all bytes decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MissingVideo:
    """A video whose file is gone; `digest` is set only if other contents share its fingerprint."""

    number: int
    name: str
    revision: str
    digest: str | None


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file at a path that no video has; `digest` is set only if it was requested."""

    name: str
    revision: str
    digest: str | None = None


class DigestNeeded(Exception):
    """Different contents share this fingerprint: try again with the digest of the file `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def moved_from(file: NewFile, missing: Sequence[MissingVideo]) -> MissingVideo | None:
    """Which of the videos `missing`, all with the fingerprint of `file`, it is, if any. Raises `DigestNeeded`."""
    same = [candidate for candidate in missing if candidate.revision == file.revision]
    if not same and len({candidate.digest or candidate.revision for candidate in missing}) <= 1:
        same = list(missing)  # moved by a program that does not preserve times
    if missing and not same:
        if file.digest is None:
            raise DigestNeeded(file.name)
        same = [candidate for candidate in missing if candidate.digest == file.digest]
    return max(same, key=lambda candidate: _similarity(file.name, candidate.name), default=None)


def _similarity(one: str, other: str) -> tuple[int, int, str]:
    """How many path segments two names share, counted from the end, then from the start."""
    ours, theirs = one.split("/"), other.split("/")
    return _common(ours[::-1], theirs[::-1]), _common(ours, theirs), other


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
