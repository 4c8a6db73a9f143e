"""The jobs as the server runs them: in children that can open nothing, not even a module of Python."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.depth import large
from tests.media.making import run
from tests.media.test_charsets import CASES, as_srt, encoded
from trio_stream.errors import MediaUnreadable
from trio_stream.media.jobs import Job, Unreadable
from trio_stream.media.sandbox.sandbox import Sandbox
from trio_stream.media.worker.forking import JOBS

Opened = Callable[[Path], AbstractContextManager[int]]


async def compare(sandbox: Sandbox, opened: Opened, name: str, path: Path, **options: Any) -> None:
    """A job in the sandbox gives the same result as in this process."""
    job: Job = JOBS[name]
    try:
        expected = run(job, path, **options)
    except Unreadable:
        with opened(path) as descriptor, pytest.raises(MediaUnreadable, match=r"\w+ \w+"):
            await sandbox.run(name, descriptor, options, deadline=60, urgent=True)
        return
    with opened(path) as descriptor:
        done = await sandbox.run(name, descriptor, options, deadline=60, urgent=True)
    assert (done.result, dict(done.blobs)) == expected, path.name


@pytest.mark.parametrize("job", ["artwork", "subtitle_tracks"])
@pytest.mark.parametrize("every", [8, large(1)])
async def test_jobs_give_the_same_for_the_menagerie_in_the_sandbox(
    sandbox: Sandbox, opened: Opened, menagerie: Path, job: str, every: int
) -> None:
    paths = [path for path in sorted(menagerie.glob("*/*.*")) if path.suffix not in {".srt", ".vtt", ".ass"}]
    for path in paths[::every]:
        await compare(sandbox, opened, job, path)


async def test_subtitles_in_every_encoding_are_converted_in_the_sandbox(
    sandbox: Sandbox, opened: Opened, tmp_path: Path
) -> None:
    for case in CASES:
        language, encoding, text = (str(value) for value in case.values)
        path = tmp_path / f"{language}-{encoding}.srt"
        path.write_bytes(encoded(as_srt(text), encoding))
        await compare(sandbox, opened, "subtitle_file", path, suffix="srt", language=language)


async def test_subtitles_of_every_format_are_converted_in_the_sandbox(
    sandbox: Sandbox, opened: Opened, menagerie: Path
) -> None:
    beside = [path for path in sorted(menagerie.glob("*/*.*")) if path.suffix in {".srt", ".vtt", ".ass"}]
    assert {path.suffix for path in beside} == {".srt", ".vtt", ".ass"}
    for path in beside:
        await compare(sandbox, opened, "subtitle_file", path, suffix=path.suffix[1:])


async def test_a_file_without_subtitles_is_refused_in_the_sandbox(
    sandbox: Sandbox, opened: Opened, tmp_path: Path
) -> None:
    path = tmp_path / "nothing.srt"
    path.write_bytes(b"\xff\xfe nothing")
    await compare(sandbox, opened, "subtitle_file", path, suffix="srt")
