"""The fuzzer finds nothing in our parser, and finds planted errors."""

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import Fuzzer, Runner, Target, TooSlowError, save
from tests.mp4 import mutating
from tests.mp4.making import Sample, TrackSpec, film
from tests.mp4.mutating import Sparse, mutate, parse, walk, write
from tests.playback.hostile import package, seeds
from tests.playback.specimens import specimens
from trio_stream.mp4 import boxes
from trio_stream.mp4.boxes import Malformed, read_boxes
from trio_stream.mp4.reading import movie

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "fuzz-mp4"


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Return the exit status, standard output and standard error."""
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stdout, done.stderr


def test_five_seconds_find_nothing(tmp_path: Path) -> None:
    status, stdout, stderr = run("--minutes", str(5 / 60), "--seed", "6", "--by-hand", "--keep", tmp_path)
    assert status == 0, stdout + stderr
    found = re.search(r"(\d+) inputs  (\d+) places  (\d+) outcomes  (\d+) in the corpus  0 findings", stdout)
    assert found is not None, stdout
    inputs, places, outcomes, corpus = map(int, found.groups())
    assert inputs > 50
    assert places > 1000
    assert outcomes > 10
    assert corpus > 10
    assert not list(tmp_path.iterdir())


def test_all_seeds_are_packaged() -> None:
    outcomes = [Runner(package).run(write(each)) for each in seeds()]
    assert not [each for each in outcomes if isinstance(each, tuple) and each[0] == "refused"]


@pytest.mark.parametrize("arguments", [("--minutes", "0"), ("--seed", "x")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2


def test_check_reads_files_once(tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    status, stdout, _ = run("--check", bad, specimens() / "b-frames.mp4")
    assert status == 0
    assert "('refused', 'it has no index (moov)')" in stdout
    assert "('video', 'avc1', " in stdout


# --- Planted errors are found ---------------------------------------------------------------------------


def contents(fd: int, size: int) -> bytes:
    return os.pread(fd, size, 0)


def dividing(fd: int, size: int) -> object:
    data = contents(fd, size)
    at = data.find(b"mvhd")
    return 1000 // int.from_bytes(data[at + 16 : at + 20]) if 0 < at < len(data) - 20 else None


def slow(fd: int, size: int) -> object:
    data = contents(fd, size)
    at = data.find(b"stts")
    count = int.from_bytes(data[at + 8 : at + 12]) if at > 0 else 0
    return sum(1 for _ in range(count))


def greedy(fd: int, size: int) -> object:
    data = contents(fd, size)
    at = data.find(b"stsz")
    count = int.from_bytes(data[at + 12 : at + 16]) if at > 0 else 0
    return len(bytearray(count))


@pytest.mark.parametrize(
    ("target", "title", "error"),
    [
        (dividing, "ZeroDivisionError: ", ZeroDivisionError),
        (slow, "more than 1 s of the processor", TooSlowError),
        (greedy, "more than 64 MiB and 16 times its size of memory", MemoryError),
    ],
)
def test_planted_errors_are_found(
    target: Target, title: str, error: type[BaseException], tmp_path: Path
) -> None:
    films = [parse(film(TrackSpec((Sample(9, 3000),) * 8, (4, 4))))]
    fuzzer = Fuzzer(target, [movie], films, 3)
    figures = fuzzer.run(60, max_findings=1)
    [finding] = figures.findings
    assert title in finding.title
    path = save(finding.sparse, tmp_path)
    assert path.stat().st_size == finding.sparse.size
    with pytest.raises(error):
        Runner(target).run(Sparse([(0, path.read_bytes())], finding.sparse.size))


def test_coverage_leads_to_what_random_inputs_do_not_reach() -> None:
    """Three conditions must be met, one after the other; each is a separate branch."""

    def narrow(fd: int, size: int) -> object:
        for each in read_boxes(contents(fd, size)):
            if each.kind == "moov":
                depth = 0
                for inner in each.children():
                    depth += inner.kind == "free"
                if depth > 2:
                    raise IndexError
                return depth
        return None

    figures = Fuzzer(
        lambda fd, size: _quiet(narrow, fd, size),
        [boxes],
        [parse(film(TrackSpec((Sample(9, 3000),), (1,))))],
        1,
    ).run(60, max_findings=1)
    assert [each.title.partition(" (")[0] for each in figures.findings] == ["IndexError: "]


def _quiet(target: Callable[[int, int], object], fd: int, size: int) -> object:
    try:
        return target(fd, size)
    except Malformed:
        return "malformed"


def test_the_same_seed_creates_the_same_inputs() -> None:
    def inputs(seed: int) -> list[int]:
        hashes: list[int] = []

        def keep(fd: int, size: int) -> object:
            hashes.append(hash(contents(fd, size)))
            return None

        fuzzer = Fuzzer(keep, [boxes], seeds(made_by_ffmpeg=False), seed)
        for _ in range(50):
            fuzzer._try(fuzzer._mutated() if fuzzer._corpus else fuzzer._seeds[0], always=True)
        return hashes

    assert inputs(1) == inputs(1)
    assert inputs(1) != inputs(2)


# --- Trees of boxes -------------------------------------------------------------------------------------


def whole(sparse: Sparse) -> bytes:
    data = bytearray(sparse.size)
    for at, piece in sparse.parts:
        data[at : at + len(piece)] = piece
    return bytes(data)


def test_unchanged_boxes_are_written_as_before() -> None:
    data = film(TrackSpec((Sample(9, 3000),) * 8, (4, 4)))
    written = whole(write(parse(data)))
    begin = data.index(b"mdat") + 4
    assert written[:begin] == data[:begin]
    assert written[begin : begin + 72] == bytes(72)  # the content of mdat does not matter
    assert written[begin + 72 :] == data[begin + 72 :]


@given(st.integers(0, 1 << 32))
def test_changed_files_can_be_written(seed: int) -> None:
    chance = random.Random(seed)
    films = seeds(made_by_ffmpeg=False)
    nodes = [each.copy() for each in films[seed % len(films)]]
    mutate(nodes, films, chance)
    sparse = write(nodes)
    assert sparse.size == sum(each.size for each in nodes) >= sparse.stored
    assert all(at + len(data) <= sparse.size for at, data in sparse.parts)


def test_every_change_has_different_results() -> None:
    """Each kind of change changes something, and not always in the same way."""
    films = seeds(made_by_ffmpeg=False)
    chance = random.Random(1)
    for change in mutating.CHANGES:
        results = set()
        for _ in range(60):
            nodes = [each.copy() for each in films[0]]
            siblings, number = chance.choice(list(walk(nodes)))
            change(siblings, number, films, chance)
            results.add(repr(nodes))
        assert len(results) > 5, change
