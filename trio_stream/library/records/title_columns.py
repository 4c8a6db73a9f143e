"""What a video is called, and the words by which it is found (pure)."""

import os
from collections.abc import Iterable
from typing import Any

from trio_stream.library.naming.paths import sort_key, title_of, words
from trio_stream.store.search import joined


def title_columns(
    name: str, own: str | None, shared: str | None, tags: Iterable[str], others: Iterable[str] = ()
) -> dict[str, Any]:
    """The columns of a video that say so: its `own` title is somebody's, the `shared` one that of its film.

    Search looks at the words of the title, of the path and of the tags, and of the paths of `others` it stands for.
    """
    title = own or shared or title_of(name)
    paths = (os.fsencode(each).decode("utf-8", "replace") for each in (name, *others))
    found = joined(word for text in (title, *paths, *tags) for word in words(text))
    return {"title": title, "title_key": sort_key(title), "words": found}
