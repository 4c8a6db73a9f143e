"""Which video a new file is, if it is one that has gone from elsewhere (pure).

A video keeps its id with its path. When its path has vanished and a file with the same fingerprint turns up at
another, the video has moved. Where contents differ behind one fingerprint, only a digest of all bytes decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gone:
    """A video whose file is not there any more; `digest` is known only where its fingerprint is not its own."""

    number: int
    name: str
    revision: str
    digest: str | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file at a path that no video has; `digest` only if somebody has asked for it."""

    name: str
    revision: str
    digest: str | None = None


class DigestNeeded(Exception):
    """Contents that differ have this fingerprint: tell the digest of what arrived as `name` and ask again."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def moved_from(arrival: Arrival, gone: Sequence[Gone]) -> Gone | None:
    """Which of `gone`, all with the fingerprint of `arrival`, it is. Raises `DigestNeeded`."""
    same = [each for each in gone if each.revision == arrival.revision]
    if not same and len({each.digest or each.revision for each in gone}) <= 1:
        same = list(gone)  # moved by something that does not keep times
    if gone and not same:
        if arrival.digest is None:
            raise DigestNeeded(arrival.name)
        same = [each for each in gone if each.digest == arrival.digest]
    return max(same, key=lambda each: _likeness(arrival.name, each.name), default=None)


def _likeness(one: str, other: str) -> tuple[int, int, str]:
    """How much of two names is equal, counted in segments from the end, then from the beginning."""
    here, there = one.split("/"), other.split("/")
    return _common(here[::-1], there[::-1]), _common(here, there), other


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
