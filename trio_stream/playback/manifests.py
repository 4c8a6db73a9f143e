"""Manifests as they are sent: written once, and cached until their content changes.

Most requests are for a manifest that was requested before: writing the playlist of a video again for each of them would
cost many times as much as sending it."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from trio_stream.caching import BoundedCache
from trio_stream.playback.offers import Offer

BUDGET = 32 << 20
"""Bytes of manifests in memory: a playlist of two hours has about 70 KB."""

FIXED = 64 << 10
"""Bytes counted in addition to the text: the presentation may be in memory only because of this manifest."""


@dataclass(frozen=True, slots=True)
class Written:
    """The bytes of a manifest and their entity tag."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, text: str) -> "Written":
        """The text as bytes, with a tag computed from them."""
        body = text.encode()
        return cls(body, f'"{blake2b(body, digest_size=12).hexdigest()}"')


class Manifests:
    """Manifests by the id of the requested video and their name, least recently used dropped first."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._cached: BoundedCache[tuple[str, str], tuple[Offer, Written]] = BoundedCache(budget, _weight)

    def get(self, offer: Offer, id_: str, name: str, write: Callable[[], str]) -> Written:
        """The manifest `name` of the video `id_` for this offer; calls `write` if it is not cached."""
        key = id_, name
        cached = self._cached.get(key)
        # Identity, not equality: `Offers.offer` returns the same object until something changes, and comparing all
        # segments of two videos would cost more than it saves.
        if cached is not None and cached[0] is offer:
            return cached[1]
        found = Written.of(write())
        self._cached.put(key, (offer, found))
        return found


def _weight(_: tuple[str, str], cached: tuple[Offer, Written]) -> int:
    return FIXED + len(cached[1].body)
