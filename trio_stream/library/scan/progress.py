"""How the library is getting on: what the scanner and the keeper do now, for whoever wants to follow it."""

from dataclasses import dataclass, field

import trio

from trio_stream.library.records.chores import Keeping


@dataclass(slots=True)
class Look:
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


class Progress:
    """The state of the library's background work, and the means to wait until it is another."""

    def __init__(self) -> None:
        self.look = Look()
        self.last_full = Look()
        """The last look at everything that is over, however it ended; number 0 before the first."""
        self.watching = Watching()
        self.keeping = Keeping()
        self.full_looks = 0
        """Looks at everything that came to their end."""
        self._version = 0
        self._changed = trio.Event()

    @property
    def version(self) -> int:
        """A number that grows with each change."""
        return self._version

    def changed(self) -> None:
        """Tell who waits that something is different."""
        self._version += 1
        self._changed.set()
        self._changed = trio.Event()

    async def wait_after(self, version: int) -> None:
        """Return once there is a version later than `version`."""
        while self._version <= version:
            await self._changed.wait()

    @property
    def idle(self) -> bool:
        """Whether nothing is being done, and nothing waited for."""
        return not (self.look.running or self.look.resting or self.keeping.working)
