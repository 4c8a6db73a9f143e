"""The background jobs continue after errors of the database and of single videos."""

from pathlib import Path

import pytest
import trio
from sqlalchemy.engine import URL

from tests.databases import locked
from tests.library.conftest import WORKER, open_library
from tests.support import wait_until
from trio_stream.library.background import jobs as jobs_module
from trio_stream.media.sandbox.sandbox import Sandbox
from trio_stream.store import engines


async def test_jobs_continue_after_the_database_was_locked(
    tmp_path: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "LOCK_TIMEOUT", 0.1)
    monkeypatch.setattr(jobs_module, "RETRY", 0.1)
    async with open_library(tmp_path / "videos", database_url) as library, trio.open_nursery() as nursery:
        sandbox = Sandbox(WORKER)
        await nursery.start(sandbox.serve)
        jobs = library.background_jobs(sandbox, tmp_path / "derived")
        names = [library.put(f"{number}.mp4", b"%d!" % number).name for number in range(4)]
        await library.scan()
        rows = await library.rows()
        revisions = [rows[name].revision for name in names]
        with locked(database_url, "contents"):
            await nursery.start(jobs.run)
            await wait_until(lambda: library.writer.statistics().failed > 3, 10, "changes to be refused")
        for revision in revisions:
            with trio.fail_after(60):
                while (await library.content(revision)).state != "probed":
                    await trio.sleep(0.02)
        nursery.cancel_scope.cancel()
