"""Manifests as they are sent: written once, and kept for as long as what they say stays the same.

Most who ask for one ask for the one somebody asked for before: to write the playlist of a film anew for each of them
would cost many times what sending it does."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from trio_stream.caching import BoundedCache
from trio_stream.playback.offers import Offer

BUDGET = 32 << 20
"""Bytes of manifests in memory: a playlist of two hours has some 70 KB."""

FIXED = 64 << 10
"""Bytes that one takes beside its text: what is said in it may be remembered for its sake alone."""


@dataclass(frozen=True, slots=True)
class Written:
    """A text and its entity tag."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, text: str) -> "Written":
        """The text as bytes, with a tag that says which they are."""
        body = text.encode()
        return cls(body, f'"{blake2b(body, digest_size=12).hexdigest()}"')


class Manifests:
    """Manifests by the file that was asked for and their own name, the last used longest."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._known: BoundedCache[tuple[str, str], tuple[Offer, Written]] = BoundedCache(budget, _weight)

    def get(self, offer: Offer, id_: str, name: str, write: Callable[[], str]) -> Written:
        """The manifest `name` of the video `id_` as `offer` has it; `write` is asked if it is not known."""
        key = id_, name
        known = self._known.get(key)
        # The same object, and not an equal one: `Offers.offer` hands out one for as long as it says the same, and to
        # compare two films' worth of segments would cost more than what is saved here.
        if known is not None and known[0] is offer:
            return known[1]
        found = Written.of(write())
        self._known.put(key, (offer, found))
        return found


def _weight(_: tuple[str, str], known: tuple[Offer, Written]) -> int:
    return FIXED + len(known[1].body)
