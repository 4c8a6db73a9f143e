"""The progress of scans and background jobs, for clients that follow it."""

from dataclasses import dataclass, field

from trio_stream.library.records.jobs import PendingJobs
from trio_stream.versions import Versioned


@dataclass(slots=True)
class ScanRun:
    """One scan. `full` if it covers the whole library; times in milliseconds since the epoch."""

    number: int = 0
    full: bool = True
    running: bool = False
    started_at: int | None = None
    ended_at: int | None = None
    folders: int = 0
    videos: int = 0
    added: int = 0
    changed: int = 0
    moved: int = 0
    returned: int = 0
    missing: int = 0
    resting: int = 0
    """Files that are still being written to; they are added once they have settled."""
    unread: list[str] = field(default_factory=list)
    """The first few unreadable files and folders. Their rows stay as they are."""


@dataclass(slots=True)
class Watching:
    """Whether the scanner is notified of changes; if not, why."""

    on: bool = False
    reason: str | None = None


class Progress(Versioned):
    """The state of the library's background work. Clients can wait for the next state."""

    def __init__(self) -> None:
        super().__init__()
        self.scan = ScanRun()
        self.last_full = ScanRun()
        """The last full scan that ended, successful or not; number 0 before the first."""
        self.watching = Watching()
        self.pending_jobs = PendingJobs()
        self.full_scans = 0
        """Full scans that completed."""

    @property
    def idle(self) -> bool:
        """Whether no work is running and no file is waiting to settle."""
        return not (self.scan.running or self.scan.resting or self.pending_jobs.working)
