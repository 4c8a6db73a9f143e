"""The query parameters of lists, and the changes of a video."""

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
from trio_stream.web.api.wire.parts import SAMPLE, Body, Cursor, Name, Query, or_none, says

WORDS = r"^[^\u0000\uD800-\uDFFF]*\Z"
"""Text that every database can store: without NUL or lone surrogates."""


class Limited(Query, frozen=True, kw_only=True):
    """The size of a page."""

    limit: Annotated[int, says(f"Items per page, up to {LARGEST_PAGE}.", 50, ge=1, le=LARGEST_PAGE)] = 50


class VideosQuery(Limited, frozen=True, kw_only=True):
    """A page of the library."""

    cursor: Annotated[
        Cursor | UnsetType,
        says(
            "The `next` of the previous page, for the next page in the same order. No other value is valid."
        ),
    ] = UNSET
    q: Annotated[
        str,
        says(
            "Search words. Each must be the beginning of a word in the title, the path or a tag; case and diacritics "
            f"are ignored. Only the first {LONGEST_QUERY} characters count.",
            "amelie 2001",
        ),
    ] = ""
    folder: Annotated[
        Annotated[str, Meta(examples=[SAMPLE])] | UnsetType,
        says(
            "Only videos directly in this folder; empty for the library itself. A path below the folder of videos, "
            "with `/` between folders; bytes that are not UTF-8 are percent-encoded unchanged.",
        ),
    ] = UNSET
    sort: Annotated[
        Sort, says(f"The sort key: {', '.join(SORTS)}; `name` and `title` use natural order.")
    ] = "name"
    order: Annotated[Order, says("`desc` for descending order.")] = "asc"


class FoldersQuery(Limited, frozen=True, kw_only=True):
    """A page of folders."""

    inside: Annotated[
        Name,
        says(
            "The folder; the default is the library itself. A path below the folder of videos, with `/` between "
            "folders; bytes that are not UTF-8 are percent-encoded unchanged.",
            "Films",
        ),
    ] = field(default="", name="in")
    cursor: Annotated[
        Cursor | UnsetType,
        says("The `next` of the previous page, for the next folders. No other value is valid."),
    ] = UNSET


class VideoChange(Body, frozen=True, kw_only=True):
    """A change of a video, with at least one member."""

    expected: ClassVar = (
        f"a change has a title (text of at most {LONGEST_TITLE} characters, or null), a description (at most "
        f"{LONGEST_DESCRIPTION} characters) or tags (at most {MAX_TAGS} of at most {LONGEST_TAG} characters)"
    )
    schema: ClassVar = {"minProperties": 1}

    title: Annotated[
        Annotated[str, Meta(max_length=LONGEST_TITLE, pattern=WORDS)] | UnsetType | None,
        says("The title; null or an empty title restores the name of the file."),
    ] = UNSET
    description: Annotated[
        Annotated[str, Meta(max_length=LONGEST_DESCRIPTION, pattern=WORDS)] | UnsetType,
        says("The description: any text."),
    ] = UNSET
    tags: Annotated[
        Annotated[
            list[Annotated[str, Meta(max_length=LONGEST_TAG, pattern=WORDS)]], Meta(max_length=MAX_TAGS)
        ]
        | UnsetType,
        says("Tags, which a search finds."),
    ] = UNSET

    def read(self) -> VideoEdit:
        """The change to store. Raises `BadRequest` if it is empty."""
        if self.title is UNSET and self.description is UNSET and self.tags is UNSET:
            raise BadRequest(self.expected)
        title = KEEP if self.title is UNSET else self.title.strip() if self.title else None
        tags = None if self.tags is UNSET else tuple(dict.fromkeys(filter(None, map(str.strip, self.tags))))
        return VideoEdit(title, or_none(self.description), tags)
