"""All processing of an untrusted file that is remuxed, in the sandbox, with checks of the results."""

import json
import os
import re
import resource
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from tests.media.remuxing import boxes
from tests.playback.hostile import say
from trio_stream.errors import Encrypted, MediaUnreadable, MediaWorkerFailed, Unpackageable
from trio_stream.media.formats.outline import SEGMENT_LIMIT, Outline
from trio_stream.media.sandbox.outcomes import Done
from trio_stream.media.sandbox.sandbox import Sandbox
from trio_stream.mp4.edits.timeline import Unsupported
from trio_stream.packaging.from_outline import present_outline
from trio_stream.packaging.presentation import Presentation, Rendition
from trio_stream.packaging.renditions import stop_of
from trio_stream.playback.indexes import read_index, with_languages
from trio_stream.playback.remuxed import Recipe, init_recipe, keyframe_recipe, segment_recipe

SECONDS = 10
"""For one job on a video of a few seconds, if the machine is not overloaded."""

MEMORY = 256 << 20
"""Bytes that a job may use beyond the worker's own: half of the server's limit."""

GROWTH = 192 << 20
"""Bytes by which this process, in the role of the server, may grow, however many files it has seen."""

TIMEOUT = 60
"""Seconds for ffprobe, which lists the tracks of a file."""

OURS = "the media parser failed"
"""The start of the message of a refusal caused by a bug of ours."""

TOO_MUCH = (
    "reading the file takes more memory",
    "reading the file takes too long",
    "reading the file takes longer",
    "reading the file produces more data",
)
"""The start of the message of a refusal whose cost is not justified for a video of a few seconds."""


class Wrong(Exception):
    """An unexpected result; the message is the same for the same fault."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for a file: how many tracks are offered and omitted, or why nothing is; how many segments were built,
    and the reasons why others were not."""

    offered: int
    omitted: int
    refused: str | None = None
    made: int = 0
    unmade: tuple[str, ...] = ()


class Examiner:
    """Processes files like the server, using `sandbox`. A job that starved on a busy machine is repeated."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._before = _resident()

    async def examine(self, path: Path) -> Outcome:
        """Process the file. Raises `Wrong`, and every other unexpected exception."""
        fd = os.open(path, os.O_RDONLY)
        try:
            outcome = await self._examine(fd, path)
        finally:
            os.close(fd)
        if self._sandbox.statistics().restarts:
            raise Wrong("the worker died")
        if _resident() - self._before > GROWTH:
            raise Wrong(f"the server grew by more than {GROWTH >> 20} MiB")
        return outcome

    async def _examine(self, fd: int, path: Path) -> Outcome:
        try:
            presentation = await self._presentation(fd)
        except (Unpackageable, Unsupported, MediaUnreadable) as error:
            if not str(error).strip():
                raise Wrong("it is refused without a reason") from None
            return Outcome(0, 0, refused=without_numbers(str(error)))
        say(presentation)
        await check_tracks(presentation, path)
        made, unmade = 0, []
        if not presentation.by_copy:
            for recipe in recipes(presentation):
                try:
                    await self._build(fd, recipe)
                    made += 1
                except MediaUnreadable as error:
                    unmade.append(f"{recipe.job}: {without_numbers(str(error))}")
        return Outcome(len(presentation.renditions), len(presentation.omitted), None, made, tuple(unmade))

    async def _presentation(self, fd: int) -> Presentation:
        """As computed by `Presentations`."""
        try:
            return read_index(fd, os.fstat(fd).st_size).presentation
        except Encrypted:
            raise
        except Unpackageable:
            done = await self._run("outline", fd, {"scan_seconds": SECONDS})
            try:
                outline = Outline.from_json(done.result)
            except ValueError as error:
                raise Wrong(f"the outline makes no sense: {error}") from None
            return with_languages(present_outline(outline))

    async def _build(self, fd: int, recipe: Recipe) -> None:
        done = await self._run(recipe.job, fd, dict(recipe.options))
        made = b"".join(done.blobs.values())
        if made[4:8] != recipe.begins:
            raise Wrong(f"the job {recipe.job} made something else")
        kinds = [kind for kind, _ in boxes(made)]
        if recipe.job == "segment" and kinds[:1] + kinds[-2:] != ["styp", "moof", "mdat"]:
            raise Wrong(f"a segment is {kinds}")

    async def _run(self, job: str, fd: int, options: dict[str, Any]) -> Done:
        while True:
            try:
                return await self._sandbox.run(
                    job, fd, options, deadline=SECONDS, memory=MEMORY, limit=SEGMENT_LIMIT, urgent=True
                )
            except MediaWorkerFailed as error:
                if "the machine was too busy" not in str(error):
                    raise Wrong(f"the job {job}: {without_numbers(str(error))}") from None
            except MediaUnreadable as error:
                if str(error).startswith((OURS, *TOO_MUCH)):
                    raise Wrong(f"the job {job}: {without_numbers(str(error))}") from None
                raise


def recipes(presentation: Presentation) -> Iterator[Recipe]:
    """Each init segment, the first, a middle and the last segment, and a keyframe, of each rendition."""
    for rendition in presentation.renditions:
        yield init_recipe("0", rendition)
        last = len(rendition.segments) - 1
        for number in sorted({0, last // 2, last}):
            yield _segment(rendition, number)
        if rendition.keys is not None:
            at = (len(rendition.keys) - 1) // 2
            start, stop = rendition.keys.samples[at : at + 2]
            yield keyframe_recipe("0", rendition, at, start, stop)


def _segment(rendition: Rendition, number: int) -> Recipe:
    starts = rendition.segments.samples
    stop, until = stop_of(rendition, number)
    return segment_recipe("0", rendition, number, starts[number], stop, until=until)


async def check_tracks(presentation: Presentation, path: Path) -> None:
    """Raise `Wrong` if ffprobe sees a non-empty video or audio track that is neither offered nor omitted."""
    listed = Counter[str](rendition.kind for rendition in presentation.renditions)
    listed.update(omission.kind for omission in presentation.omitted)
    seen = await trio.to_thread.run_sync(tracks_in, path)
    for kind, count in seen.items():
        if count > listed[kind]:
            raise Wrong(f"of {count} tracks of {kind}, {listed[kind]} are offered or left out with a reason")
    if not all(omission.reason.strip() for omission in presentation.omitted):
        raise Wrong("a track is left out without a reason")


def tracks_in(path: Path) -> Counter[str]:
    """The number of tracks of each kind that ffprobe sees with packets and a codec, without covers.

    If there are programmes, only their tracks count: a packet that strayed to another number is not a track.
    """
    fields = "stream=index,codec_type,codec_name,nb_read_packets:stream_disposition=attached_pic"
    command = ["ffprobe", "-v", "quiet", "-count_packets", "-show_entries", fields]
    try:
        shown = subprocess.run(
            [*command, "-of", "json", path], capture_output=True, check=False, timeout=TIMEOUT
        ).stdout
        listed = json.loads(shown)
    except (subprocess.TimeoutExpired, ValueError):
        return Counter()
    within = [stream for programme in listed.get("programs", []) for stream in programme.get("streams", [])]
    streams = {stream["index"]: stream for stream in within or listed.get("streams", [])}
    return Counter(
        stream["codec_type"]
        for stream in streams.values()
        if stream.get("codec_type") in ("video", "audio")
        and int(stream.get("nb_read_packets", 0)) > 0
        and "codec_name" in stream
        and not stream.get("disposition", {}).get("attached_pic")
    )


def without_numbers(words: str) -> str:
    """A message without its numbers, so that the same fault has the same message."""
    return re.sub(r"\d+(\.\d+)?", "#", words)[:200]


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextmanager
def written(folder: Path, name: str, data: bytes) -> Iterator[Path]:
    """A file with this content, for the duration of the block."""
    path = folder / name
    path.write_bytes(data)
    try:
        yield path
    finally:
        path.unlink()
