"""The writer: the only task that changes the database, so no change ever sees a half-finished one.

All waiting changes go into one transaction and return once it is committed, so many small changes wait for the disk
only once. A change that is not urgent waits for others to join. If a change raises, the transaction is rolled back, and
its changes run one by one, so no other is affected. An accepted change is committed or raises an error, even if its
caller is cancelled or the server stops.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
import trio
from sqlalchemy import Connection

from trio_stream.errors import StoreUnavailable, copy_of
from trio_stream.store.database import Database

MAX_WAITING = 1024
"""Changes that may wait; the next caller blocks until there is room."""

MAX_GROUP = 256
"""The most changes in one transaction, which keeps it short."""

log = structlog.get_logger("trio_stream.store")


@dataclass(frozen=True, slots=True)
class WriterStatistics:
    """Totals since the start: `groups` transactions were committed with `changes` changes; `failed` changes raised.

    `waiting` changes have not started yet; `longest` is the longest transaction in seconds.
    """

    groups: int
    changes: int
    failed: int
    waiting: int
    longest: float


class _Change[T]:
    """A pending change: once `done`, it has a `result` or an `error`."""

    __slots__ = ("done", "error", "max_delay", "result", "work")

    def __init__(self, work: Callable[[Connection], T], max_delay: float) -> None:
        self.work = work
        self.max_delay = max_delay
        self.done = trio.Event()
        self.result: T | None = None
        self.error: Exception | None = None


type _Group = list[_Change[object]]


class Writer:
    """Writes to `database`; `run` is its task."""

    def __init__(self, database: Database, *, waiting: int = MAX_WAITING, group: int = MAX_GROUP) -> None:
        self._database = database
        self._group = group
        self._capacity = waiting
        self._put, self._take = trio.open_memory_channel[_Change[object]](waiting)
        self._limiter = trio.CapacityLimiter(1)
        self._ending = False
        self._urgent_count = 0  # pending changes without a delay
        self._urgent_arrived = trio.Event()
        self._groups = self._changes = self._failed = 0
        self._longest = 0.0

    async def write[T](self, change: Callable[[Connection], T], *, max_delay: float = 0.0) -> T:
        """Run `change`, commit it to the disk, and return its result.

        It may wait for up to `max_delay` seconds before it starts, so that other changes share its transaction.

        `change` runs in a thread, perhaps together with others, and runs again if one of those fails. So it must do
        nothing except change the database and return. If it raises, it is rolled back and the error is raised here.
        Raises `StoreError`. If the caller is cancelled, the change may still be made.
        """
        if self._ending:
            raise self._stopped_error()
        waiting = _Change(change, max_delay)
        urgent = max_delay <= 0
        self._urgent_count += urgent
        if urgent:
            self._urgent_arrived.set()
        try:
            await self._put.send(waiting)  # type: ignore[arg-type] # the result type is erased
            await waiting.done.wait()
        except trio.BrokenResourceError:
            raise self._stopped_error() from None
        finally:
            self._urgent_count -= urgent
        if waiting.error is not None:
            raise waiting.error
        return waiting.result  # type: ignore[return-value] # without an error it is set

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write until cancelled, then write the changes accepted before. It may be run again."""
        if self._ending:
            self._put, self._take = trio.open_memory_channel[_Change[object]](self._capacity)
            self._ending = False
        task_status.started()
        first: _Group = []
        try:
            while True:
                first = [await self._take.receive()]
                await self._let_others_join(first[0].max_delay)
                group, first = [*first, *self._take_waiting(self._group - 1)], []
                await self._commit(group)
        finally:
            self._ending = True
            try:
                with trio.CancelScope(shield=True):
                    if first:
                        await self._commit(first)
                    while group := self._take_waiting(self._group):
                        await self._commit(group)
            finally:
                self._refuse(self._take_waiting(self._put.statistics().tasks_waiting_send + MAX_WAITING))
                self._take.close()

    def statistics(self) -> WriterStatistics:
        """The totals."""
        channel = self._put.statistics()
        return WriterStatistics(
            groups=self._groups,
            changes=self._changes,
            failed=self._failed,
            waiting=channel.current_buffer_used + channel.tasks_waiting_send,
            longest=self._longest,
        )

    async def _let_others_join(self, max_delay: float) -> None:
        """Wait for `max_delay` seconds, or until an urgent change arrives."""
        if max_delay > 0 and not self._urgent_count:
            self._urgent_arrived = trio.Event()
            with trio.move_on_after(max_delay):
                await self._urgent_arrived.wait()

    def _take_waiting(self, limit: int) -> _Group:
        group: _Group = []
        while len(group) < limit:
            try:
                group.append(self._take.receive_nowait())
            except (trio.WouldBlock, trio.EndOfChannel):
                break
        return group

    async def _commit(self, group: _Group) -> None:
        started = trio.current_time()
        try:
            with trio.CancelScope(shield=True):
                self._groups += await trio.to_thread.run_sync(
                    self._commit_in_thread, group, limiter=self._limiter, thread_name="trio-stream write"
                )
        except BaseException:
            self._refuse(group)
            raise
        self._longest = max(self._longest, trio.current_time() - started)
        for change in group:
            self._changes += change.error is None
            self._failed += change.error is not None
            change.done.set()

    def _commit_in_thread(self, group: _Group) -> int:
        """Run the changes in order and record their outcomes. Returns how many transactions were committed."""
        try:
            results = self._database.write_in_thread(
                lambda connection: [change.work(connection) for change in group]
            )
        except StoreUnavailable as error:  # no change is at fault; one by one, each would wait again
            log.warning("changes could not be written", reason=str(error), changes=len(group))
            for change in group:
                change.error = copy_of(error)
            return 0
        except Exception as error:  # noqa: BLE001 - raised to the caller of the change
            if len(group) > 1:
                return sum(self._commit_in_thread([change]) for change in group)
            group[0].error = error
            return 0
        for change, result in zip(group, results, strict=True):
            change.result = result
        return 1

    def _refuse(self, group: _Group) -> None:
        for change in group:
            change.error = self._stopped_error()
            change.done.set()

    def _stopped_error(self) -> StoreUnavailable:
        return StoreUnavailable(f"the writer of the database {self._database.label} has stopped")
