"""One look at the folder, or at some folders of it: what is different is written down, folder by folder.

A look costs one `stat` a file; only files that are new or have changed are opened. A file that is still being written
to is left alone until it rests. A folder that cannot be read is no empty one: nothing is concluded from it.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import batched

import structlog
import trio

from trio_stream.errors import TROUBLE_OF_ALL
from trio_stream.library import timestamps
from trio_stream.library.folder.subtitle_files import subtitle_files
from trio_stream.library.folder.title_files import changed_title_files, is_title_file
from trio_stream.library.folder.walking import File, Folder, Missing, Unread, read_folder
from trio_stream.library.naming.moves import DigestNeeded
from trio_stream.library.records import adding, grouping, removing, subtitles
from trio_stream.library.records.adding import Found
from trio_stream.library.records.folders import RecordedFolder, recorded_folder, store_folder
from trio_stream.library.scan.differences import Difference, compare
from trio_stream.library.scan.examining import examine_files
from trio_stream.library.scan.progress import Progress, ScanRun
from trio_stream.library.scan.settling import RescanQueue, Settling
from trio_stream.store.database import Database
from trio_stream.store.writer import Writer

BATCH = 64
"""Files that are taken up in one change of the database."""

TITLE_BATCH = 8
"""Title files that are taken up in one change: each may touch a dozen videos, and those they were part of."""

MOST_TOLD = 10
"""Names in a report of what could not be read."""

MOST_UNREADABLE = 1000
"""Names of which it is remembered that they could not be read, so that it is told once."""

log = structlog.get_logger("trio_stream.library")


class FolderScanner:
    """Looks at folders of `root` and writes down what it sees. One of them works on a database at a time."""

    def __init__(
        self,
        root: str,
        database: Database,
        writer: Writer,
        progress: Progress,
        again: RescanQueue,
        *,
        news: Callable[[], None],
        rest: float,
        threads: int,
    ) -> None:
        self._root = root
        self._database = database
        self._writer = writer
        self._progress = progress
        self._news = news
        self.resting = Settling(rest)
        self._limiter = trio.CapacityLimiter(threads)
        self._again = again
        self._unreadable: set[tuple[str, str]] = set()
        """What has been told of parts of the library that could not be read."""
        self._problems: set[tuple[str, str]] = set()
        """What has been told of title files."""

    async def look(self, folders: Iterable[str] | None = None) -> ScanRun:
        """Look at `folders`, or at everything, and return what came of it. Raises `StoreError`, `TooManyFiles`."""
        look = ScanRun(
            number=self._progress.look.number + 1,
            full=folders is None,
            running=True,
            started_at=timestamps.now(),
        )
        self._progress.look = look
        self._progress.changed()
        waiting = [""] if folders is None else sorted(folders, reverse=True)
        seen: set[tuple[int, int]] = set()
        try:
            # One folder is read, compared and written down before the next: memory does not grow with the library.
            while waiting:
                waiting += reversed(await self._look_into(waiting.pop(), look, seen))
            if look.added or look.changed:
                await self._tell_apart()
            if not look.resting:
                await self._tell_problems()
            self._progress.full_looks += look.full
        finally:
            self._news()
            look.running = False
            look.ended_at = timestamps.now()
            if look.full:
                self._progress.last_full = look
            self._progress.changed()
        if look.added or look.changed or look.moved or look.returned or look.missing or look.full:
            log.info(
                "looked at the videos",
                **{
                    name: getattr(look, name)
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
                seconds=round((look.ended_at - (look.started_at or 0)) / 1000, 3),
            )
        return look

    async def _look_into(self, name: str, look: ScanRun, seen: set[tuple[int, int]]) -> Sequence[str]:
        """Look at one folder; returns the folders in it that have to be looked at too."""
        known = await self._database.read(partial(recorded_folder, name=name))
        try:
            found = await trio.to_thread.run_sync(read_folder, self._root, name, limiter=self._limiter)
        except Unread as error:
            self._unread(look, name, str(error), within=name)
            return ()
        except Missing:
            if not name:
                self._unread(look, name, "the folder of videos is not there", within=name)
            elif known is not None:
                await self._lose_folder(name, look)
            return ()  # nothing is concluded from what cannot be read
        if found.identity in seen:  # links may make a circle
            return ()
        seen.add(found.identity)
        look.folders += 1
        look.videos += len(found.videos)
        for each, reason in found.unread.items():
            self._unread(look, each, reason, within=name)
        difference = compare(found, known)
        try:
            # What is gone is written down first: a file that was renamed here finds the video it was among the missing.
            await self._write_down(name, known, difference, look)
            await self._take_up(name, difference.candidates, look)
            await self._keep_subtitles(found, known, look)
            await self._keep_title_files(found, known, look)
        except TROUBLE_OF_ALL:
            raise
        except Exception as error:  # noqa: BLE001 - what one folder holds must not keep the others from being seen
            self._unread(look, name, f"{type(error).__name__}: {error}", within=name)
        self._progress.changed()
        return found.subfolders if look.full else difference.new_folders

    async def _write_down(
        self, name: str, known: RecordedFolder | None, difference: Difference, look: ScanRun
    ) -> None:
        now = timestamps.now()
        # A new one with new videos is made known with them; one that is back has videos that have their places already.
        if (known is None and not difference.candidates) or (known is not None and known.missing):
            await self._writer.write(partial(store_folder, name=name))
        if difference.lost:
            self.resting.remember_lost(difference.lost)
            numbers = [video.number for video in difference.lost]
            taken_over = await self._writer.write(
                partial(removing.remove_videos, numbers=numbers, now=now, since=look.started_at or now)
            )
            _count_lost(look, len(difference.lost), taken_over)
        for folder in difference.lost_folders:
            await self._lose_folder(folder, look)
        for names in batched(difference.unsorted, BATCH):
            await self._writer.write(partial(grouping.sort_in, names=names))

    async def _lose_folder(self, name: str, look: ScanRun) -> None:
        now = timestamps.now()
        lose = partial(removing.remove_folder, name=name, now=now, since=look.started_at or now)
        _count_lost(look, *await self._writer.write(lose))

    async def _take_up(self, folder: str, files: Sequence[File], look: ScanRun) -> None:
        at_rest = [file for file in files if self.resting.rests(file)]
        if len(at_rest) < len(files):
            self._again.once_settled(folder, self.resting.seconds)
            look.resting += len(files) - len(at_rest)
        for start in range(0, len(at_rest), BATCH):
            await self._take_up_batch(at_rest[start : start + BATCH], look)

    async def _take_up_batch(self, files: Sequence[File], look: ScanRun) -> None:
        names = [file.name for file in files]
        try:
            outcome = await self._examine_and_write(names)
        except TROUBLE_OF_ALL:
            raise
        except Exception as error:  # noqa: BLE001 - one file must not keep the others from being taken up
            if len(files) > 1:  # one of them is to blame
                for file in files:
                    await self._take_up_batch((file,), look)
            else:
                reason = f"{type(error).__name__}: {error}"
                self._unread(look, names[0], reason, within=os.path.dirname(names[0]))
            return
        look.added += outcome.added
        look.moved += outcome.moved
        look.returned += outcome.returned
        look.changed += outcome.changed
        self._progress.changed()
        self._news()

    async def _examine_and_write(self, names: Sequence[str]) -> adding.Outcome:
        found = {each.name: each for each in await self._examine(names)}
        while found:
            take_up = partial(adding.add_files, found=tuple(found.values()), now=timestamps.now())
            try:
                return await self._writer.write(take_up)
            except DigestNeeded as needed:
                del found[needed.name]
                found |= {each.name: each for each in await self._examine((needed.name,), with_digest=True)}
        return adding.Outcome()

    async def _keep_subtitles(self, found: Folder, known: RecordedFolder | None, look: ScanRun) -> None:
        before = known.subtitles if known else {}
        if not (before or found.others or found.subfolders):
            return
        now = await trio.to_thread.run_sync(subtitle_files, self._root, found, limiter=self._limiter)
        for video in now.keys() | before.keys():
            files = now.get(video, [])
            if frozenset((file.name, file.signature) for file in files) == before.get(video, frozenset()):
                continue
            if any(time.time() - file.changed_at < self.resting.seconds for file in files):
                self._again.once_settled(found.name, self.resting.seconds)
                look.resting += 1
                continue
            await self._writer.write(partial(subtitles.store_subtitle_files, video=video, files=files))
            self._news()

    async def _keep_title_files(self, found: Folder, known: RecordedFolder | None, look: ScanRun) -> None:
        before = known.titles if known else {}
        if not (before or any(is_title_file(name) for name in found.others)):
            return
        changed, gone = await trio.to_thread.run_sync(
            changed_title_files, self._root, found, before, limiter=self._limiter
        )
        at_rest = [each for each in changed if time.time() - each.changed_at >= self.resting.seconds]
        if len(at_rest) < len(changed):
            self._again.once_settled(found.name, self.resting.seconds)
            look.resting += len(changed) - len(at_rest)
            gone = []  # one of them may be what does not rest yet, renamed: its title stays whole until then
        keep = partial(grouping.store_title_files, folder=found.name)
        for some in batched(at_rest, TITLE_BATCH):
            await self._writer.write(partial(keep, changed=some, gone=()))
        for names in batched(gone, TITLE_BATCH):  # afterwards, for the same reason
            await self._writer.write(partial(keep, changed=(), gone=names))
        if at_rest or gone:
            self._news()

    async def _tell_problems(self) -> None:
        """Say what is wrong with title files, each thing once."""
        problems = await self._database.read(partial(grouping.problems, most=MOST_TOLD))
        for name, reason in problems:
            if (name, reason) not in self._problems:
                log.warning("a title file cannot be followed", name=name, reason=reason)
        self._problems = set(problems)

    async def _tell_apart(self) -> None:
        """Digest the contents that have one fingerprint: once one of their videos has gone it is too late to ask."""
        after = ""
        while found := await self._database.read(partial(adding.alike, after=after, most=BATCH)):
            digests: dict[str, str] = {}
            for revision, name in found:
                for each in await self._examine((name,), with_digest=True):
                    if each.content.revision == revision and each.digest is not None:
                        digests[revision] = each.digest
            if digests:
                await self._writer.write(partial(adding.store_digests, digests=digests))
            after = found[-1][0]

    async def _examine(self, names: Sequence[str], *, with_digest: bool = False) -> list[Found]:
        """Open files and look into them; what has gone meanwhile, or cannot be read, is left out."""
        examine = partial(examine_files, self._root, names, with_digest=with_digest)
        return await trio.to_thread.run_sync(examine, limiter=self._limiter)

    def _unread(self, look: ScanRun, name: str, reason: str, *, within: str) -> None:
        """Tell what could not be looked at, and look into the folder `within` again later."""
        if (name, reason) not in self._unreadable:
            if len(self._unreadable) >= MOST_UNREADABLE:
                self._unreadable.clear()
            self._unreadable.add((name, reason))
            log.warning("a part of the library could not be read", name=name, reason=reason)
        if len(look.unread) < MOST_TOLD:
            look.unread.append(name)
        self._again.after_failure(within)


def _count_lost(look: ScanRun, lost: int, taken_over: int) -> None:
    """Count the videos that were lost, and those of them that turned out to be what was added elsewhere."""
    look.missing += lost - taken_over
    look.moved += taken_over
    look.added -= taken_over
