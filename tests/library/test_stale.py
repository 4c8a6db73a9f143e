"""The result of a probe is discarded if the file changes meanwhile."""

import os
from pathlib import Path

import pytest
import trio
from sqlalchemy.engine import URL

from tests.library.conftest import WORKER, open_library
from tests.support import wait_until
from trio_stream.media.sandbox.sandbox import Sandbox


@pytest.mark.parametrize("last_byte", [b"?", b"!"], ids=["unreadable", "readable"])
async def test_a_file_that_changes_while_it_is_probed(
    tmp_path: Path, database_url: URL, last_byte: bytes
) -> None:
    async with open_library(tmp_path / "videos", database_url) as library, trio.open_nursery() as nursery:
        sandbox = Sandbox(WORKER)
        await nursery.start(sandbox.serve)
        jobs = library.background_jobs(sandbox, tmp_path / "derived")
        path = library.put("a.mp4", b"A")
        await library.scan()
        first = (await library.rows())["a.mp4"].revision
        async with trio.open_nursery() as probing:
            probing.start_soon(jobs.probe_all)
            await wait_until(lambda: sandbox.statistics().started == 1, 10, "the probe")
            with path.open("ab") as file:
                file.write(last_byte)
        old_content = await library.content(first)
        assert (old_content.state, old_content.attempts, old_content.facts) == ("new", 0, None)
        await library.scan()
        await jobs.probe_all()
        new_content = await library.content((await library.rows())["a.mp4"].revision)
        assert new_content.state == ("unreadable" if last_byte == b"?" else "probed")
        nursery.cancel_scope.cancel()


async def test_a_file_that_gets_another_name_while_it_is_probed(tmp_path: Path, database_url: URL) -> None:
    """Its bytes are unchanged, so the media info stays valid."""
    async with open_library(tmp_path / "videos", database_url) as library, trio.open_nursery() as nursery:
        sandbox = Sandbox(WORKER)
        await nursery.start(sandbox.serve)
        jobs = library.background_jobs(sandbox, tmp_path / "derived")
        path = library.put("a.mp4", b"A!")
        await library.scan()
        revision = (await library.rows())["a.mp4"].revision
        path.rename(library.root / "b.mp4")
        os.link(library.root / "b.mp4", path)
        await jobs.probe_all()
        assert (await library.content(revision)).state == "new", "the scanner has not found it yet"
        await library.scan()
        await jobs.probe_all()
        assert (await library.content(revision)).state == "probed"
        nursery.cancel_scope.cancel()
