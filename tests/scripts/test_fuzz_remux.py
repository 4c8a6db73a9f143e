"""The fuzzer finds nothing in the remuxer, and finds planted errors."""

import random
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.depth import large
from tests.media.mutating import BYTE_CHANGES, ELEMENT_CHANGES, PACKET_CHANGES, Film, mutate, seeds
from tests.playback.hostile_remuxed import Examiner, Wrong, check_tracks, tracks_in
from trio_stream.media.sandbox.sandbox import WORKER, Sandbox
from trio_stream.packaging.presentation import Omission, Presentation

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "fuzz-remux"


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Return the exit status, standard output and standard error."""
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Film]:
    return seeds(tmp_path_factory.mktemp("seeds"))


@pytest.mark.parametrize("seconds", [5, large(60)])
def test_some_seconds_find_nothing(tmp_path: Path, seconds: int) -> None:
    status, stdout, stderr = run("--minutes", str(seconds / 60), "--seed", "6", "--keep", tmp_path)
    assert status == 0, stdout + stderr
    found = re.search(r"(\d+) inputs  (\d+) refused  (\d+) segments  .* 0 findings", stdout)
    assert found is not None, stdout
    inputs, _, segments = map(int, found.groups())
    assert inputs >= 1
    assert segments >= 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [("--minutes", "0"), ("--seed", "x")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2


@asynccontextmanager
async def running_examiner(command: Sequence[str] = WORKER) -> AsyncIterator[Examiner]:
    async with trio.open_nursery() as nursery:
        sandbox = Sandbox(command)
        await nursery.start(sandbox.serve)
        yield Examiner(sandbox)
        nursery.cancel_scope.cancel()


async def test_all_seeds_are_remuxed(films: list[Film], tmp_path: Path) -> None:
    async with running_examiner() as examiner:
        for film in films:
            path = tmp_path / film.name
            path.write_bytes(film.data)
            outcome = await examiner.examine(path)
            assert outcome.refused is None, film.name
            assert outcome.unmade == (), film.name
            assert outcome.offered + outcome.omitted == tracks_in(path).total(), film.name


# --- Planted errors are found ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "title"),
    [
        ("tests.playback.lying", "the outline makes no sense"),
        ("tests.playback.planted", "the media parser failed (IndexError: #)"),
    ],
)
async def test_planted_errors_are_found(films: list[Film], tmp_path: Path, module: str, title: str) -> None:
    path = tmp_path / films[0].name
    path.write_bytes(films[0].data)
    async with running_examiner((sys.executable, "-m", module)) as examiner:
        with pytest.raises(Wrong, match=re.escape(title)):
            await examiner.examine(path)


async def test_a_track_without_a_reason_is_found(films: list[Film], tmp_path: Path) -> None:
    path = tmp_path / films[0].name
    path.write_bytes(films[0].data)
    video = Omission("video", 0, "h264", "the codec is not supported")
    with pytest.raises(Wrong, match="of 1 tracks of audio, 0 are offered"):
        await check_tracks(Presentation((), omitted=(video,)), path)
    await check_tracks(Presentation((), omitted=(video, Omission("audio", 1, "aac", "it is empty"))), path)
    with pytest.raises(Wrong, match="without a reason"):
        await check_tracks(Presentation((), omitted=(video, Omission("audio", 1, "aac", " "))), path)


# --- Changes --------------------------------------------------------------------------------------------


def test_the_same_seed_creates_the_same_films(films: list[Film]) -> None:
    def inputs(seed: int) -> list[bytes]:
        chance = random.Random(seed)
        return [mutate(chance.choice(films), films, chance).data for _ in range(30)]

    assert inputs(1) == inputs(1)
    assert inputs(1) != inputs(2)


def test_every_change_has_different_results(films: list[Film]) -> None:
    """Each kind of change changes something, and not always in the same way."""
    chance = random.Random(1)
    by_suffix = {film.name.rpartition(".")[2]: film.data for film in films}
    for changes, suffix in ((BYTE_CHANGES, "avi"), (PACKET_CHANGES, "ts"), (ELEMENT_CHANGES, "mkv")):
        for change in changes:
            results = set()
            for _ in range(20):
                data = bytearray(by_suffix[suffix])
                change(data, chance)
                results.add(bytes(data))
            assert len(results) > 5, change
