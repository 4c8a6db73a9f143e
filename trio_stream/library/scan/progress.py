"""How the library is getting on: what the scanner and the keeper do now, for whoever wants to follow it."""

from dataclasses import dataclass, field

from trio_stream.library.records.jobs import PendingJobs
from trio_stream.versions import Versioned


@dataclass(slots=True)
class ScanRun:
    """One look at the folder. `full` if it was at all of it; times in milliseconds since the epoch."""

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
    """Files that are still being written to; they are taken up once they rest."""
    unread: list[str] = field(default_factory=list)
    """Folders that could not be read, the first of them; nothing is concluded about what is in them."""


@dataclass(slots=True)
class Watching:
    """Whether changes are heard of as they happen; if not, why."""

    on: bool = False
    reason: str | None = None


class Progress(Versioned):
    """The state of the library's background work, and the means to wait until it is another."""

    def __init__(self) -> None:
        super().__init__()
        self.look = ScanRun()
        self.last_full = ScanRun()
        """The last look at everything that is over, however it ended; number 0 before the first."""
        self.watching = Watching()
        self.keeping = PendingJobs()
        self.full_looks = 0
        """Looks at everything that came to their end."""

    @property
    def idle(self) -> bool:
        """Whether nothing is being done, and nothing waited for."""
        return not (self.look.running or self.look.resting or self.keeping.working)
