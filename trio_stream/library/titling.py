"""What a video is called, and the words by which it is found (pure)."""

import os
from collections.abc import Iterable
from typing import Any

from trio_stream.library.naming import sort_key, title_of, words
from trio_stream.store.search import joined

LONGEST_TITLE = 500
"""Characters."""


def called(name: str, own: str | None, shared: str | None, tags: Iterable[str]) -> dict[str, Any]:
    """The columns of a video that say so: its `own` title is somebody's, the `shared` one that of its film."""
    title = own or shared or title_of(name)
    return {"title": title, "title_key": sort_key(title), "words": search_words(name, title, tags)}


def search_words(name: str, title: str, tags: Iterable[str]) -> str:
    """What search looks at: the words of the title, of the path and of the tags."""
    path = os.fsencode(name).decode("utf-8", "replace")
    return joined([*words(title), *words(path), *(word for tag in tags for word in words(tag))])
