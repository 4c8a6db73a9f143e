"""The library as a whole, and how the looking and making is getting on."""

from typing import Annotated

from trio_stream.web.api.wire.parts import Moment, Name, Ok, Shape, Whole, says


class ScanRun(Shape, frozen=True, kw_only=True):
    """A look at the folder. `look` is the last one or the one under way; `last_full` is the last one at everything that
    is over, with the number 0 before the first."""

    number: Annotated[Whole, says("Counted since the start.")]
    full: Annotated[bool, says("Whether it is at everything, or only at what changed.")]
    running: Annotated[bool, says("Whether it is under way.")]
    started: Annotated[Moment | None, says("When it began.")]
    ended: Annotated[Moment | None, says("When it was over.")]
    folders: Annotated[Whole, says("Folders looked into.")]
    videos: Annotated[Whole, says("Videos seen.")]
    added: Annotated[Whole, says("Videos that are new.")]
    changed: Annotated[Whole, says("Videos with other bytes.")]
    moved: Annotated[Whole, says("Videos with another name.")]
    returned: Annotated[Whole, says("Videos that were gone and came back.")]
    missing: Annotated[Whole, says("Videos that are gone.")]
    resting: Annotated[Whole, says("Files that are still being written to.")]
    unread: Annotated[list[Name], says("Folders that could not be read, the first of them.")]


class Watching(Shape, frozen=True, kw_only=True):
    """Whether changes in the folder are heard of as they happen."""

    on: Annotated[bool, says("Whether they are.")]
    reason: Annotated[str | None, says("Why not.")]


class PendingJobs(Shape, frozen=True, kw_only=True):
    """What is still to be made of the videos."""

    to_probe: Annotated[Whole, says("Videos to look into.")]
    to_draw: Annotated[Whole, says("Videos without pictures yet.")]
    to_extract: Annotated[Whole, says("Videos and files whose subtitles are to be extracted.")]
    unreadable: Annotated[Whole, says("Videos that cannot be read.")]
    working: Annotated[bool, says("Whether any of it is being made now.")]


class Progress(Shape, frozen=True, kw_only=True):
    """The data of a `progress` event."""

    look: ScanRun
    last_full: ScanRun
    watching: Watching
    keeping: PendingJobs
    idle: Annotated[bool, says("Whether nothing is being done.")]


class TitleProblem(Shape, frozen=True, kw_only=True):
    """A title file that cannot be followed, or not wholly."""

    name: Name
    reason: Annotated[str, says("What is wrong with it.")]


class Library(Progress, frozen=True, kw_only=True):
    """The library as a whole."""

    videos: Annotated[Whole, says("Titles there are: films with several files count once.")]
    missing: Annotated[Whole, says("Videos whose files are gone; they are known again if they come back.")]
    folders: Annotated[Whole, says("Folders there are, the library itself among them.")]
    folder: Annotated[
        str,
        says(
            "Where the videos are on the server's machine, for people: a byte that is no text is U+FFFD.",
            "/srv/videos",
        ),
    ]
    problems: Annotated[list[TitleProblem], says("Title files that cannot be followed, the first of them.")]
    status: Ok = "ok"


class ScanRequested(Shape, frozen=True, kw_only=True):
    """A look will be had."""

    look: Annotated[Whole, says("The number it will have.")]
    status: Ok = "ok"
