"""What is asked of lists of videos, and what may be changed of one."""

from typing import Annotated, ClassVar

from msgspec import UNSET, Meta, UnsetType, field

from trio_stream.errors import BadRequest
from trio_stream.library.naming.families import LONGEST_TITLE
from trio_stream.library.records.editing import (
    KEEP,
    LONGEST_DESCRIPTION,
    LONGEST_TAG,
    MAX_TAGS,
    VideoEdit,
)
from trio_stream.library.records.pages import LARGEST_PAGE, LONGEST_QUERY, SORTS, Order, Sort
from trio_stream.web.api.wire.parts import SAMPLE, Body, Cursor, Name, Query, given, says

WORDS = r"^[^\u0000\uD800-\uDFFF]*\Z"
"""Text that any database takes: without NUL and lone surrogates."""


class Limited(Query, frozen=True, kw_only=True):
    """How many are on a page."""

    limit: Annotated[
        int, says(f"How many are on a page, up to {LARGEST_PAGE}.", 50, ge=1, le=LARGEST_PAGE)
    ] = 50


class VideosQuery(Limited, frozen=True, kw_only=True):
    """A page of the library."""

    cursor: Annotated[
        Cursor | UnsetType,
        says("`next` of the page before, for the next page in the same order. No other is understood."),
    ] = UNSET
    q: Annotated[
        str,
        says(
            "What to find: words of which each has to begin a word of the title, of the path or of a tag; capital "
            f"letters and diacritics do not matter. {LONGEST_QUERY} characters count.",
            "amelie 2001",
        ),
    ] = ""
    folder: Annotated[
        Annotated[str, Meta(examples=[SAMPLE])] | UnsetType,
        says(
            "Only what is right in this folder; empty for the library itself. A path below the folder of videos, with "
            "`/` between folders; bytes that are no UTF-8 are percent-encoded as they are.",
        ),
    ] = UNSET
    sort: Annotated[
        Sort, says(f"What they are sorted by: {', '.join(SORTS)}; `name` and `title` in natural order.")
    ] = "name"
    order: Annotated[Order, says("`desc` for the last ones first.")] = "asc"


class FoldersQuery(Limited, frozen=True, kw_only=True):
    """A page of folders."""

    inside: Annotated[
        Name,
        says(
            "The folder; the library itself if left out. A path below the folder of videos, with `/` between folders; "
            "bytes that are no UTF-8 are percent-encoded as they are.",
            "Films",
        ),
    ] = field(default="", name="in")
    cursor: Annotated[
        Cursor | UnsetType, says("`next` of the page before, for the next folders. No other is understood.")
    ] = UNSET


class VideoChange(Body, frozen=True, kw_only=True):
    """What to change of a video, at least one of it."""

    wanted: ClassVar = (
        f"what can be changed is title (text of at most {LONGEST_TITLE} characters, or null), description (at most "
        f"{LONGEST_DESCRIPTION} characters) and tags (at most {MAX_TAGS} of at most {LONGEST_TAG} characters)"
    )
    schema: ClassVar = {"minProperties": 1}

    title: Annotated[
        Annotated[str, Meta(max_length=LONGEST_TITLE, pattern=WORDS)] | UnsetType | None,
        says("What to call it; null or nothing gives it back the name of its file."),
    ] = UNSET
    description: Annotated[
        Annotated[str, Meta(max_length=LONGEST_DESCRIPTION, pattern=WORDS)] | UnsetType, says("Anything.")
    ] = UNSET
    tags: Annotated[
        Annotated[
            list[Annotated[str, Meta(max_length=LONGEST_TAG, pattern=WORDS)]], Meta(max_length=MAX_TAGS)
        ]
        | UnsetType,
        says("Words to find it by."),
    ] = UNSET

    def read(self) -> VideoEdit:
        """What is to be kept of it. Raises `BadRequest` where nothing is to be changed."""
        if self.title is UNSET and self.description is UNSET and self.tags is UNSET:
            raise BadRequest(self.wanted)
        title = KEEP if self.title is UNSET else self.title.strip() if self.title else None
        tags = None if self.tags is UNSET else tuple(dict.fromkeys(filter(None, map(str.strip, self.tags))))
        return VideoEdit(title, given(self.description), tags)
