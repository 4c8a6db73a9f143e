"""Ownership of the data folder: only the process that holds its lock scans and writes.

The kernel holds the lock (`flock`), so it is released however the process ends. The other workers of its server
also serve requests, and reach the owner through the Unix socket next to the lock. A second server gets an error.
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

RIVAL_TIMEOUT = 5.0
"""Seconds to wait for another server to release the lock: it may be about to stop."""

START_DEADLINE = 15.0
"""Seconds that an owner may take to open its socket once it has the lock: it may need to migrate the database."""

POLL = 0.1
"""Seconds between two attempts. Waiting for `flock` would need a thread that cannot be cancelled."""

RECORD_SIZE = 256
"""Bytes in the lock file that identify its holder."""

LONGEST_PATH = 100
"""The most bytes in the path of a Unix socket. The system's limit is 107 on Linux and 103 on macOS."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of the lock: `pid` is its process; `server` identifies the first process of its server, across
    machines and containers."""

    pid: int
    server: str

    @classmethod
    def current(cls) -> "Holder":
        """This process."""
        master = parent_process()
        server_pid = os.getpid() if master is None else master.pid or os.getpid()
        return cls(os.getpid(), f"{server_pid} {_pid_scope()}")


def _pid_scope() -> str:
    """Where process ids are unique: one boot of a machine, and one PID namespace in it (a container has its own)."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:  # macOS has neither, and only one namespace
        return ""


class Ownership:
    """The lock on the data folder `data`, from `open_ownership`. `mine` is True once this process holds it."""

    def __init__(self, data: Path, lock: OpenFile) -> None:
        self.data = data
        self.mine = False
        self._lock = lock

    def acquire(self) -> bool:
        """Take the lock if it is free; returns whether this process holds it now."""
        if not self.mine:
            try:
                fcntl.flock(self._lock.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            os.pwrite(self._lock.fd, json.dumps(asdict(Holder.current())).ljust(RECORD_SIZE).encode(), 0)
            self.mine = True
        return True

    async def wait(self) -> None:
        """Return once this process holds the lock."""
        while not self.acquire():  # noqa: ASYNC110 - there is no notification when another process releases it
            await trio.sleep(POLL)

    async def claim(self) -> bool:
        """Return True once this process is the owner, or False if another worker of its server is.

        Raises `DataInUse` if another server does not release the lock.
        """
        with trio.move_on_after(RIVAL_TIMEOUT):
            while not self.acquire():
                if self._is_same_server(self.holder()):
                    return False
                await trio.sleep(POLL)
        if not self.mine:
            raise self.in_use()
        return True

    async def wait_for_owner(self) -> bool:
        """Return True once the owner responds at its socket, or False once this process is the owner instead.

        Raises `DataInUse` if the owner does not respond.
        """
        with trio.move_on_after(START_DEADLINE):
            while not self.acquire():
                with self.socket_path() as path, suppress(OSError):
                    await (await trio.open_unix_socket(path)).aclose()
                    return True
                await trio.sleep(POLL)
        if not self.mine:
            raise DataInUse(f"{self.in_use()} (it does not respond)")
        return False

    def in_use(self) -> DataInUse:
        """The error for a process that needs the lock while another holds it."""
        holder = self.holder()
        other = "another process" if holder is None else f"process {holder.pid}"
        if holder is not None and not holder.server.endswith(f" {_pid_scope()}"):
            other += " of another container or machine"
        return DataInUse(
            f"{self.data} is in use by {other}: two servers cannot share a data folder; "
            "stop the other one, or set TRIO_STREAM_DATA to another folder"
        )

    def holder(self) -> Holder | None:
        """The process that last recorded itself as holder; None if that cannot be read."""
        with suppress(ValueError, TypeError, OSError):
            return Holder(**json.loads(os.pread(self._lock.fd, RECORD_SIZE, 0)))
        return None

    @contextmanager
    def socket_path(self) -> Iterator[str]:
        """A path of the owner's Unix socket that is short enough. Valid inside the block."""
        path = self.data / SOCKET
        if len(os.fsencode(path)) <= LONGEST_PATH:
            yield str(path)
            return
        with OpenFile(os.open(self.data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as folder:
            yield f"/proc/self/fd/{folder.fd}/{SOCKET}"

    def close(self) -> None:
        """Release the lock."""
        self.mine = False
        self._lock.close()

    def _is_same_server(self, holder: Holder | None) -> bool:
        return holder is not None and holder.server == Holder.current().server


@contextmanager
def open_ownership(data: Path) -> Iterator[Ownership]:
    """Create the data folder if necessary, and open its lock without taking it. Raises `SettingsError`."""
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
