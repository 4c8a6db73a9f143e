"""One owner of the data folder: the process that holds its lock writes, scans and decides.

The lock is the kernel's (`flock`), so it ends with its process, however that ends. Workers of the owner's server are
no rivals: they serve, and reach the owner through the Unix socket beside the lock. A second server is told so.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from multiprocessing import parent_process
from pathlib import Path

import trio

from trio_stream.errors import DataInUse, SettingsError
from trio_stream.files import OpenFile

LOCK, SOCKET = "owner.lock", "owner.sock"

PATIENCE = 5.0
"""Seconds to wait for another server to let go: one that stops may be a moment from it."""

START_DEADLINE = 15.0
"""Seconds an owner may take from its lock to its socket: it may have a database to bring to a newer form."""

POLL = 0.1
"""Seconds between two tries; `flock` cannot be waited for without a thread that nothing can wake."""

HOLDER = 256
"""Bytes in the lock file that say who holds it."""

LONGEST_PATH = 100
"""Bytes of the path of a Unix socket, which may have 107 on Linux and 103 on macOS."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock: `pid` itself, `server` the process that its server began as, which no other machine or
    container has."""

    pid: int
    server: str

    @classmethod
    def this(cls) -> "Holder":
        """This process."""
        master = parent_process()
        began_as = os.getpid() if master is None else master.pid or os.getpid()
        return cls(os.getpid(), f"{began_as} {_world()}")


def _world() -> str:
    """Where process ids are unique: a boot of a machine, and a namespace of processes in it (as containers have)."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:  # macOS has neither, and one namespace
        return ""


class Ownership:
    """The lock on the data folder `data`; made by `open_ownership`. `mine` once this process has it."""

    def __init__(self, data: Path, lock: OpenFile) -> None:
        self.data = data
        self.mine = False
        self._lock = lock

    def acquire(self) -> bool:
        """Take the lock if nobody has it; answers whether this process has it now."""
        if not self.mine:
            try:
                fcntl.flock(self._lock.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            os.pwrite(self._lock.fd, json.dumps(asdict(Holder.this())).ljust(HOLDER).encode(), 0)
            self.mine = True
        return True

    async def wait(self) -> None:
        """Return once this process has the lock."""
        while not self.acquire():  # noqa: ASYNC110 - nothing tells when another process lets go
            await trio.sleep(POLL)

    async def settle(self) -> bool:
        """Answers whether this process is the owner, or else a worker beside it. Raises `DataInUse` for a rival."""
        with trio.move_on_after(PATIENCE):
            while not self.acquire():
                if self._beside(self.holder()):
                    return False
                await trio.sleep(POLL)
        if not self.mine:
            raise self.in_use()
        return True

    async def wait_for_owner(self) -> bool:
        """Return once the owner answers at its socket, or, with False, once this process is the owner instead.

        Raises `DataInUse` when it does not answer.
        """
        with trio.move_on_after(START_DEADLINE):
            while not self.acquire():
                with self.socket_path() as path, suppress(OSError):
                    await (await trio.open_unix_socket(path)).aclose()
                    return True
                await trio.sleep(POLL)
        if not self.mine:
            raise DataInUse(f"{self.in_use()} (it does not answer)")
        return False

    def in_use(self) -> DataInUse:
        """What to say to somebody who needs the lock that another has."""
        holder = self.holder()
        who = "another process" if holder is None else f"process {holder.pid}"
        if holder is not None and not holder.server.endswith(f" {_world()}"):
            who += " of another container or machine"
        return DataInUse(
            f"{self.data} is in use by {who}: two servers cannot share a data folder; "
            "stop the other one, or give this one a TRIO_STREAM_DATA of its own"
        )

    def holder(self) -> Holder | None:
        """Who wrote last that they have the lock; None if that cannot be read."""
        with suppress(ValueError, TypeError, OSError):
            return Holder(**json.loads(os.pread(self._lock.fd, HOLDER, 0)))
        return None

    @contextmanager
    def socket_path(self) -> Iterator[str]:
        """A path of the owner's Unix socket that is short enough, for the length of the block."""
        path = self.data / SOCKET
        if len(os.fsencode(path)) <= LONGEST_PATH:
            yield str(path)
            return
        with OpenFile(os.open(self.data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as folder:
            yield f"/proc/self/fd/{folder.fd}/{SOCKET}"

    def close(self) -> None:
        """Give the lock back."""
        self.mine = False
        self._lock.close()

    def _beside(self, holder: Holder | None) -> bool:
        return holder is not None and holder.server == Holder.this().server


@contextmanager
def open_ownership(data: Path) -> Iterator[Ownership]:
    """The data folder, made if need be, and its lock, not yet taken. Raises `SettingsError`."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = OpenFile(os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise SettingsError(f"TRIO_STREAM_DATA={data}: cannot be used ({error.strerror})") from None
    ownership = Ownership(data, lock)
    try:
        yield ownership
    finally:
        ownership.close()
