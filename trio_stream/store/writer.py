"""The one writer: no other task changes the database, so no change ever meets another one half-done.

Whatever waits goes into one transaction, and is answered once that is committed: many small changes cost one wait for
the disk. Who is in no hurry lets others join. A change that raises harms no other: the transaction is rolled back, and
its changes run one by one. What was accepted is committed or answered with an error, whoever is cancelled, and also at
the end of the server.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
import trio
from sqlalchemy import Connection

from trio_stream.errors import StoreUnavailable, again
from trio_stream.store.database import Database

WAITING = 1024
"""Changes that may wait; whoever has one more waits until there is room."""

GROUP = 256
"""Changes in one transaction at most, which keeps it short."""

log = structlog.get_logger("trio_stream.store")


@dataclass(frozen=True, slots=True)
class WriterStatistics:
    """Totals since the start: `groups` transactions were committed with `changes` in them, `failed` changes raised.

    `waiting` are not begun yet; `longest` is what one transaction took, in seconds.
    """

    groups: int
    changes: int
    failed: int
    waiting: int
    longest: float


class _Change[T]:
    """A change on its way: once `done`, it has an `answer`, or an `error`."""

    __slots__ = ("answer", "done", "error", "patience", "work")

    def __init__(self, work: Callable[[Connection], T], patience: float) -> None:
        self.work = work
        self.patience = patience
        self.done = trio.Event()
        self.answer: T | None = None
        self.error: Exception | None = None


type _Group = list[_Change[object]]


class Writer:
    """Changes `database`; `run` is its task."""

    def __init__(self, database: Database, *, waiting: int = WAITING, group: int = GROUP) -> None:
        self._database = database
        self._group = group
        self._most = waiting
        self._put, self._take = trio.open_memory_channel[_Change[object]](waiting)
        self._limiter = trio.CapacityLimiter(1)
        self._ending = False
        self._urgent = 0  # changes on their way whose callers have no patience
        self._hurry = trio.Event()
        self._groups = self._changes = self._failed = 0
        self._longest = 0.0

    async def write[T](self, change: Callable[[Connection], T], *, patience: float = 0.0) -> T:
        """What `change` answers, once it is committed and on the disk.

        With `patience` it may wait for so many seconds before it is begun, so that others share its transaction.

        It runs in a thread, perhaps together with others, and runs again when one of those fails: so it does nothing
        but change the database and answer. Whatever it raises is raised here, and then nothing of it is left. Raises
        `StoreError`. When the caller is cancelled the change may still be made.
        """
        if self._ending:
            raise self._over()
        waiting = _Change(change, patience)
        urgent = patience <= 0
        self._urgent += urgent
        if urgent:
            self._hurry.set()
        try:
            await self._put.send(waiting)  # type: ignore[arg-type] # answers what it answers
            await waiting.done.wait()
        except trio.BrokenResourceError:
            raise self._over() from None
        finally:
            self._urgent -= urgent
        if waiting.error is not None:
            raise waiting.error
        return waiting.answer  # type: ignore[return-value] # without an error that is what `change` answered

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write until cancelled, then write what was accepted before. It may be run again."""
        if self._ending:
            self._put, self._take = trio.open_memory_channel[_Change[object]](self._most)
            self._ending = False
        task_status.started()
        first: _Group = []
        try:
            while True:
                first = [await self._take.receive()]
                await self._let_others_join(first[0].patience)
                group, first = [*first, *self._waiting(self._group - 1)], []
                await self._commit(group)
        finally:
            self._ending = True
            try:
                with trio.CancelScope(shield=True):
                    if first:
                        await self._commit(first)
                    while group := self._waiting(self._group):
                        await self._commit(group)
            finally:
                self._refuse(self._waiting(self._put.statistics().tasks_waiting_send + WAITING))
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

    async def _let_others_join(self, patience: float) -> None:
        """Wait for so long, or until somebody comes who has no patience."""
        if patience > 0 and not self._urgent:
            self._hurry = trio.Event()
            with trio.move_on_after(patience):
                await self._hurry.wait()

    def _waiting(self, most: int) -> _Group:
        group: _Group = []
        while len(group) < most:
            try:
                group.append(self._take.receive_nowait())
            except (trio.WouldBlock, trio.EndOfChannel):
                break
        return group

    async def _commit(self, group: _Group) -> None:
        began = trio.current_time()
        try:
            with trio.CancelScope(shield=True):
                self._groups += await trio.to_thread.run_sync(
                    self._in_thread, group, limiter=self._limiter, thread_name="trio-stream write"
                )
        except BaseException:
            self._refuse(group)
            raise
        self._longest = max(self._longest, trio.current_time() - began)
        for change in group:
            self._changes += change.error is None
            self._failed += change.error is not None
            change.done.set()

    def _in_thread(self, group: _Group) -> int:
        """Make the changes, in their order, and note what became of each. Answers how many transactions it took."""
        try:
            answers = self._database.write_in_thread(lambda found: [change.work(found) for change in group])
        except (
            StoreUnavailable
        ) as error:  # the fault of none of them; one by one they would wait for it again
            log.warning("changes could not be written", reason=str(error), changes=len(group))
            for change in group:
                change.error = again(error)
            return 0
        except Exception as error:  # noqa: BLE001 - it is raised where the change came from
            if len(group) > 1:
                return sum(self._in_thread([change]) for change in group)
            group[0].error = error
            return 0
        for change, answer in zip(group, answers, strict=True):
            change.answer = answer
        return 1

    def _refuse(self, group: _Group) -> None:
        for change in group:
            change.error = self._over()
            change.done.set()

    def _over(self) -> StoreUnavailable:
        return StoreUnavailable(f"nothing is written to the database {self._database.place} any more")
