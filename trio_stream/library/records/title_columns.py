"""The title of a video, and the words that search finds it by (pure)."""

import os
from collections.abc import Iterable
from typing import Any

from trio_stream.library.naming.paths import sort_key, title_of, words
from trio_stream.store.search import join_words


def title_columns(
    name: str, own: str | None, shared: str | None, tags: Iterable[str], other_paths: Iterable[str] = ()
) -> dict[str, Any]:
    """The title columns of a video. `own` is the title that a user gave it, `shared` that of all its versions.

    Search covers the words of the title, the path and the tags, and of the `other_paths` of its versions.
    """
    title = own or shared or title_of(name)
    paths = (os.fsencode(path).decode("utf-8", "replace") for path in (name, *other_paths))
    search_words = join_words(word for text in (title, *paths, *tags) for word in words(text))
    return {"title": title, "title_key": sort_key(title), "words": search_words}
