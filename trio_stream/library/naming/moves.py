"""Recognises a new file as a missing video that was moved (pure).

A video keeps its id with its path. If its file is gone and a file with the same fingerprint appears at another path,
the video has moved. If different contents share the fingerprint, only a digest of all bytes decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MissingVideo:
    """A video whose file is gone; `digest` is known only if other contents share its fingerprint."""

    number: int
    name: str
    revision: str
    digest: str | None


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file at a path that no video has; `digest` only if it was requested."""

    name: str
    revision: str
    digest: str | None = None


class DigestNeeded(Exception):
    """Different contents share this fingerprint: try again with the digest of the file `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def moved_from(arrival: NewFile, gone: Sequence[MissingVideo]) -> MissingVideo | None:
    """Which of `gone`, all with the fingerprint of `arrival`, it is, if any. Raises `DigestNeeded`."""
    same = [candidate for candidate in gone if candidate.revision == arrival.revision]
    if not same and len({candidate.digest or candidate.revision for candidate in gone}) <= 1:
        same = list(gone)  # moved by a program that does not preserve times
    if gone and not same:
        if arrival.digest is None:
            raise DigestNeeded(arrival.name)
        same = [candidate for candidate in gone if candidate.digest == arrival.digest]
    return max(same, key=lambda candidate: _similarity(arrival.name, candidate.name), default=None)


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
