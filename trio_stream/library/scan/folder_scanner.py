"""Scans the library, or some of its folders, and stores the differences folder by folder.

A scan costs one `stat` per file; only new and changed files are opened. A file that is still being written to is
skipped until it has settled. An unreadable folder is not treated as empty: its rows stay as they are.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import batched

import structlog
import trio

from trio_stream.errors import SHARED_FAILURES
from trio_stream.library import timestamps
from trio_stream.library.folder.subtitle_files import subtitle_files
from trio_stream.library.folder.title_files import changed_title_files, is_title_file
from trio_stream.library.folder.walking import File, Folder, Missing, Unread, read_folder
from trio_stream.library.naming.moves import DigestNeeded
from trio_stream.library.records import adding, grouping, removing, subtitles
from trio_stream.library.records.adding import ExaminedFile
from trio_stream.library.records.folders import RecordedFolder, recorded_folder, store_folder
from trio_stream.library.scan.differences import Difference, compare
from trio_stream.library.scan.examining import examine_files
from trio_stream.library.scan.progress import Progress, ScanRun
from trio_stream.library.scan.settling import RescanQueue, Settling
from trio_stream.store.database import Database
from trio_stream.store.writer import Writer

BATCH = 64
"""Files that are added in one transaction."""

TITLE_BATCH = 8
"""Title files that are stored in one transaction. Each may touch a dozen videos and their former titles."""

MAX_REPORTED = 10
"""Names in a report of unreadable files and folders."""

MAX_UNREADABLE = 1000
"""Unreadable names that are remembered, so that each is logged once."""

log = structlog.get_logger("trio_stream.library")


class FolderScanner:
    """Scans folders of `root` and stores the differences. Only one may work on a database at a time."""

    def __init__(
        self,
        root: str,
        database: Database,
        writer: Writer,
        progress: Progress,
        rescan_queue: RescanQueue,
        *,
        notify: Callable[[], None],
        settle_time: float,
        threads: int,
    ) -> None:
        self._root = root
        self._database = database
        self._writer = writer
        self._progress = progress
        self._notify = notify
        self.settling = Settling(settle_time)
        self._limiter = trio.CapacityLimiter(threads)
        self._rescan_queue = rescan_queue
        self._unreadable: set[tuple[str, str]] = set()
        """What was already logged about unreadable parts of the library."""
        self._problems: set[tuple[str, str]] = set()
        """What was already logged about title files."""

    async def scan(self, folders: Iterable[str] | None = None) -> ScanRun:
        """Scan `folders`, or everything, and return the result. Raises `StoreError`, `TooManyFiles`."""
        run = ScanRun(
            number=self._progress.scan.number + 1,
            full=folders is None,
            running=True,
            started_at=timestamps.now(),
        )
        self._progress.scan = run
        self._progress.changed()
        pending = [""] if folders is None else sorted(folders, reverse=True)
        seen: set[tuple[int, int]] = set()
        try:
            # Each folder is read, compared and stored before the next, so memory does not grow with the library.
            while pending:
                pending += reversed(await self._scan_folder(pending.pop(), run, seen))
            if run.added or run.changed:
                await self._digest_ambiguous()
            if not run.resting:
                await self._log_problems()
            self._progress.full_scans += run.full
        finally:
            self._notify()
            run.running = False
            run.ended_at = timestamps.now()
            if run.full:
                self._progress.last_full = run
            self._progress.changed()
        if run.added or run.changed or run.moved or run.returned or run.missing or run.full:
            log.info(
                "scanned the videos",
                **{
                    name: getattr(run, name)
                    for name in (
                        "full",
                        "folders",
                        "videos",
                        "added",
                        "changed",
                        "moved",
                        "returned",
                        "missing",
                    )
                },
                seconds=round((run.ended_at - (run.started_at or 0)) / 1000, 3),
            )
        return run

    async def _scan_folder(self, name: str, run: ScanRun, seen: set[tuple[int, int]]) -> Sequence[str]:
        """Scan one folder; returns its subfolders that must be scanned too."""
        recorded = await self._database.read(partial(recorded_folder, name=name))
        try:
            found = await trio.to_thread.run_sync(read_folder, self._root, name, limiter=self._limiter)
        except Unread as error:
            self._report_unreadable(run, name, str(error), within=name)
            return ()
        except Missing:
            if not name:
                self._report_unreadable(run, name, "the folder of videos does not exist", within=name)
            elif recorded is not None:
                await self._remove_folder(name, run)
            return ()
        if found.identity in seen:  # links may form a loop
            return ()
        seen.add(found.identity)
        run.folders += 1
        run.videos += len(found.videos)
        for entry, reason in found.unread.items():
            self._report_unreadable(run, entry, reason, within=name)
        difference = compare(found, recorded)
        try:
            # Losses are stored first, so that a renamed file finds its video among the missing ones.
            await self._store_changes(name, recorded, difference, run)
            await self._add_files(name, difference.candidates, run)
            await self._store_subtitle_files(found, recorded, run)
            await self._store_title_files(found, recorded, run)
        except SHARED_FAILURES:
            raise
        except Exception as error:  # noqa: BLE001 - one bad folder must not stop the scan of the others
            self._report_unreadable(run, name, f"{type(error).__name__}: {error}", within=name)
        self._progress.changed()
        return found.subfolders if run.full else difference.new_folders

    async def _store_changes(
        self, name: str, recorded: RecordedFolder | None, difference: Difference, run: ScanRun
    ) -> None:
        now = timestamps.now()
        # A new folder with new videos is stored along with them. The videos of a returned folder have rows already.
        if (recorded is None and not difference.candidates) or (recorded is not None and recorded.missing):
            await self._writer.write(partial(store_folder, name=name))
        if difference.lost:
            self.settling.remember_lost(difference.lost)
            numbers = [video.number for video in difference.lost]
            taken_over = await self._writer.write(
                partial(removing.remove_videos, numbers=numbers, now=now, since=run.started_at or now)
            )
            _count_lost(run, len(difference.lost), taken_over)
        for folder in difference.lost_folders:
            await self._remove_folder(folder, run)
        for names in batched(difference.wrong_family, BATCH):
            await self._writer.write(partial(grouping.update_families, names=names))

    async def _remove_folder(self, name: str, run: ScanRun) -> None:
        now = timestamps.now()
        remove = partial(removing.remove_folder, name=name, now=now, since=run.started_at or now)
        _count_lost(run, *await self._writer.write(remove))

    async def _add_files(self, folder: str, files: Sequence[File], run: ScanRun) -> None:
        settled = [file for file in files if self.settling.is_settled(file)]
        if len(settled) < len(files):
            self._rescan_queue.once_settled(folder, self.settling.seconds)
            run.resting += len(files) - len(settled)
        for start in range(0, len(settled), BATCH):
            await self._add_batch(settled[start : start + BATCH], run)

    async def _add_batch(self, files: Sequence[File], run: ScanRun) -> None:
        names = [file.name for file in files]
        try:
            outcome = await self._examine_and_write(names)
        except SHARED_FAILURES:
            raise
        except Exception as error:  # noqa: BLE001 - one bad file must not stop the others from being added
            if len(files) > 1:  # retry one by one to find the bad one
                for file in files:
                    await self._add_batch((file,), run)
            else:
                reason = f"{type(error).__name__}: {error}"
                self._report_unreadable(run, names[0], reason, within=os.path.dirname(names[0]))
            return
        run.added += outcome.added
        run.moved += outcome.moved
        run.returned += outcome.returned
        run.changed += outcome.changed
        self._progress.changed()
        self._notify()

    async def _examine_and_write(self, names: Sequence[str]) -> adding.Outcome:
        found = {file.name: file for file in await self._examine(names)}
        while found:
            add = partial(adding.add_files, found=tuple(found.values()), now=timestamps.now())
            try:
                return await self._writer.write(add)
            except DigestNeeded as needed:
                del found[needed.name]
                found |= {file.name: file for file in await self._examine((needed.name,), with_digest=True)}
        return adding.Outcome()

    async def _store_subtitle_files(
        self, found: Folder, recorded: RecordedFolder | None, run: ScanRun
    ) -> None:
        before = recorded.subtitles if recorded else {}
        if not (before or found.others or found.subfolders):
            return
        now = await trio.to_thread.run_sync(subtitle_files, self._root, found, limiter=self._limiter)
        for video in now.keys() | before.keys():
            files = now.get(video, [])
            if frozenset((file.name, file.signature) for file in files) == before.get(video, frozenset()):
                continue
            if any(time.time() - file.changed_at < self.settling.seconds for file in files):
                self._rescan_queue.once_settled(found.name, self.settling.seconds)
                run.resting += 1
                continue
            await self._writer.write(partial(subtitles.store_subtitle_files, video=video, files=files))
            self._notify()

    async def _store_title_files(self, found: Folder, recorded: RecordedFolder | None, run: ScanRun) -> None:
        before = recorded.titles if recorded else {}
        if not (before or any(is_title_file(name) for name in found.others)):
            return
        changed, gone = await trio.to_thread.run_sync(
            changed_title_files, self._root, found, before, limiter=self._limiter
        )
        settled = [
            title_file
            for title_file in changed
            if time.time() - title_file.changed_at >= self.settling.seconds
        ]
        if len(settled) < len(changed):
            self._rescan_queue.once_settled(found.name, self.settling.seconds)
            run.resting += len(changed) - len(settled)
            gone = []  # one may have been renamed to an unsettled file; its title stays complete until then
        store = partial(grouping.store_title_files, folder=found.name)
        for batch in batched(settled, TITLE_BATCH):
            await self._writer.write(partial(store, changed=batch, gone=()))
        for names in batched(gone, TITLE_BATCH):  # last, for the same reason
            await self._writer.write(partial(store, changed=(), gone=names))
        if settled or gone:
            self._notify()

    async def _log_problems(self) -> None:
        """Log each problem with title files once."""
        problems = await self._database.read(partial(grouping.problems, limit=MAX_REPORTED))
        for name, reason in problems:
            if (name, reason) not in self._problems:
                log.warning("a title file has a problem", name=name, reason=reason)
        self._problems = set(problems)

    async def _digest_ambiguous(self) -> None:
        """Digest contents that share a fingerprint. Once one of their files is gone, it is too late."""
        after = ""
        while found := await self._database.read(
            partial(adding.contents_to_digest, after=after, limit=BATCH)
        ):
            digests: dict[str, str] = {}
            for revision, name in found:
                for file in await self._examine((name,), with_digest=True):
                    if file.content.revision == revision and file.digest is not None:
                        digests[revision] = file.digest
            if digests:
                await self._writer.write(partial(adding.store_digests, digests=digests))
            after = found[-1][0]

    async def _examine(self, names: Sequence[str], *, with_digest: bool = False) -> list[ExaminedFile]:
        """Open and examine files. Files that are gone by now, or unreadable, are left out."""
        examine = partial(examine_files, self._root, names, with_digest=with_digest)
        return await trio.to_thread.run_sync(examine, limiter=self._limiter)

    def _report_unreadable(self, run: ScanRun, name: str, reason: str, *, within: str) -> None:
        """Log an unreadable file or folder, and scan the folder `within` again later."""
        if (name, reason) not in self._unreadable:
            if len(self._unreadable) >= MAX_UNREADABLE:
                self._unreadable.clear()
            self._unreadable.add((name, reason))
            log.warning("a part of the library could not be read", name=name, reason=reason)
        if len(run.unread) < MAX_REPORTED:
            run.unread.append(name)
        self._rescan_queue.after_failure(within)


def _count_lost(run: ScanRun, lost: int, taken_over: int) -> None:
    """Count the lost videos; those that had moved take over a video that was just added elsewhere."""
    run.missing += lost - taken_over
    run.moved += taken_over
    run.added -= taken_over
