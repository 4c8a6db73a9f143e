"""The library as a whole, and the progress of scans and background jobs."""

from typing import Annotated

from trio_stream.web.api.wire.parts import DateTime, Name, Ok, Shape, Whole, says


class ScanRun(Shape, frozen=True, kw_only=True):
    """A scan of the folder. `look` is the current or last one; `last_full` is the last full scan that has ended, with
    the number 0 before the first."""

    number: Annotated[Whole, says("Counted since the server started.")]
    full: Annotated[bool, says("Whether it covers everything, or only what changed.")]
    running: Annotated[bool, says("Whether it is still running.")]
    started: Annotated[DateTime | None, says("When it started.")]
    ended: Annotated[DateTime | None, says("When it ended.")]
    folders: Annotated[Whole, says("Folders scanned.")]
    videos: Annotated[Whole, says("Videos found.")]
    added: Annotated[Whole, says("New videos.")]
    changed: Annotated[Whole, says("Videos whose bytes changed.")]
    moved: Annotated[Whole, says("Videos that were renamed or moved.")]
    returned: Annotated[Whole, says("Videos that were missing and came back.")]
    missing: Annotated[Whole, says("Videos whose files are missing.")]
    resting: Annotated[Whole, says("Files that are still being written to.")]
    unread: Annotated[list[Name], says("The first folders that could not be read.")]


class Watching(Shape, frozen=True, kw_only=True):
    """Whether changes in the folder are noticed as they happen."""

    on: Annotated[bool, says("Whether they are.")]
    reason: Annotated[str | None, says("Why they are not.")]


class PendingJobs(Shape, frozen=True, kw_only=True):
    """Pending background jobs."""

    to_probe: Annotated[Whole, says("Videos without media info yet.")]
    to_draw: Annotated[Whole, says("Videos without artwork yet.")]
    to_extract: Annotated[Whole, says("Videos and files whose subtitles are not extracted yet.")]
    unreadable: Annotated[Whole, says("Videos that cannot be read.")]
    working: Annotated[bool, says("Whether a job is running.")]


class Progress(Shape, frozen=True, kw_only=True):
    """The data of a `progress` event."""

    look: ScanRun
    last_full: ScanRun
    watching: Watching
    keeping: PendingJobs
    idle: Annotated[
        bool, says("Whether no scan and no job is running, and no file is still being written to.")
    ]


class TitleProblem(Shape, frozen=True, kw_only=True):
    """A title file with an error."""

    name: Name
    reason: Annotated[str, says("What is wrong with it.")]


class Library(Progress, frozen=True, kw_only=True):
    """The library as a whole."""

    videos: Annotated[Whole, says("Titles: one with several files counts once.")]
    missing: Annotated[Whole, says("Videos whose files are missing. They are recognised if they come back.")]
    folders: Annotated[Whole, says("Folders, including the library itself.")]
    folder: Annotated[
        str,
        says(
            "Where the videos are on the server, for people: a byte that is not UTF-8 is shown as U+FFFD. Empty if you "
            "may not `edit`.",
            "/srv/videos",
        ),
    ]
    problems: Annotated[list[TitleProblem], says("The first title files with errors.")]
    status: Ok = "ok"


class ScanRequested(Shape, frozen=True, kw_only=True):
    """A requested scan."""

    look: Annotated[Whole, says("The number of the scan.")]
    status: Ok = "ok"
