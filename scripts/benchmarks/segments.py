"""`scripts/bench segments`: what HLS costs, beside the same bytes of the same files by Range."""

import argparse
import contextlib
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from . import bodies, films, hls, hls_viewers, machine, report, servers, viewers
from .bodies import Wanted
from .bounds import Bound, own_versions, write
from .films import Film
from .hls import Packaged, Piece, asking
from .media import File
from .segments_report import page
from .servers import Running
from .shelf import Shelf

CONNECTIONS = 4
KEEP_ALIVE = ("--keep-alive", "60")  # seconds; viewers of HLS ask every six or so

MOST_RATIO = 1.5  # times what the same bytes cost by Range
MOST_FIRST_MS = 50.0  # CPU of the first playlist of two hours
MOST_CACHED = 2.0  # times a static file

STATIC = File("static.mp4", 0)  # as large as the playlist it is compared with
KINDS = ("video", "audio", "all of it")


@contextlib.contextmanager
def shelf_of(folder: Path, data: Path, cpu: int) -> Iterator[Shelf]:
    """A server of the films in `folder`, with what is known of them in `data`, at rest."""
    environment = {"TRIO_STREAM_DATA": str(data), "TRIO_STREAM_ARTWORK_SHARE": "0"}
    kind = servers.Server("trio-stream", "trio-stream", "", "/api/stream/{name}", environment, KEEP_ALIVE)
    with servers.serving(kind, folder, cpu) as running:
        shelf = Shelf(running, folder, 0)
        servers.wait_settled(running)
        yield shelf


def pieces_of(film: Packaged, kind: str) -> list[Piece]:
    """The segments of a kind, in an order that is always the same and none of a film."""
    tracks = {"video": [film.pictures], "audio": [film.sound]}.get(kind, [film.pictures, film.sound])
    found = [piece for track in tracks for piece in track.segments]
    random.Random(kind).shuffle(found)
    return found


def as_segments(pieces: Sequence[Piece], running: Running) -> Iterator[Wanted]:
    for piece in cycle(pieces):
        yield asking(running, piece.path), piece.size, 200


def as_ranges(sizes: Sequence[int], file: File, running: Running) -> Iterator[Wanted]:
    """Ranges of these sizes, from anywhere in the file."""
    chance = random.Random(file.name)
    for size in cycle(sizes):
        start = chance.randrange(file.size - size)
        yield asking(running, running.path(file.name), f"bytes={start}-{start + size - 1}"), size, 206


def joined(film: Packaged) -> list[int]:
    """The sizes of a segment of pictures and the one of sound together: what a player of the file itself asks for."""
    both = zip(film.pictures.segments, film.sound.segments, strict=False)
    return [one.size + other.size for one, other in both]


def compare(
    shelf: Shelf, film: Packaged, file: File, cpu: int, options: argparse.Namespace
) -> dict[str, Any]:
    """Segments of each kind and ranges of the same sizes, in turn."""
    found: dict[str, Any] = {}
    running = shelf.running
    for kind in KINDS:
        pieces = pieces_of(film, kind)
        asked = {
            "segments": lambda pieces=pieces: as_segments(pieces, running),
            "ranges": lambda pieces=pieces: as_ranges([each.size for each in pieces], file, running),
        }
        if kind == KINDS[-1]:
            asked["joined ranges"] = lambda: as_ranges(joined(film), file, running)
        rounds: dict[str, list[dict[str, float]]] = {each: [] for each in asked}
        for _ in range(options.rounds):
            for each, requests in asked.items():
                load = bodies.Load(running.port, CONNECTIONS, requests())
                figures = bodies.measure_load(load, running, cpu, options.seconds)
                rounds[each].append(figures.as_dict())
        found[kind] = {
            "segments": len(pieces),
            "mean_bytes": statistics.mean(each.size for each in pieces),
            "rounds": rounds,
            "ratio": ratio(rounds, "segments", "ranges"),
        } | ({"ratio_joined": ratio(rounds, "segments", "joined ranges")} if len(asked) > 2 else {})
    return found


def ratio(
    rounds: dict[str, list[dict[str, float]]], one: str, other: str, figure: str = "cpu_s_per_gb"
) -> float:
    """The median of each round's ratio: what the machine did meanwhile cancels out."""
    pairs = zip(rounds[one], rounds[other], strict=True)
    return statistics.median(mine[figure] / theirs[figure] for mine, theirs in pairs)


def cached(shelf: Shelf, film: Packaged, cpu: int, options: argparse.Namespace) -> dict[str, Any]:
    """A playlist that was asked for before, and a file of the same length."""
    playlist = film.pictures.lead[0]
    running = shelf.running
    asked = {
        "playlist": (asking(running, playlist.path), playlist.size, 200),
        "file": (asking(running, running.path(STATIC.name)), playlist.size, 200),
    }
    rounds: dict[str, list[dict[str, float]]] = {each: [] for each in asked}
    for _ in range(options.rounds):
        for each, wanted in asked.items():
            load = bodies.Load(running.port, CONNECTIONS, cycle([wanted]))
            figures = bodies.measure_load(load, running, cpu, options.seconds)
            rounds[each].append(figures.as_dict())
    return {
        "bytes": playlist.size,
        "rounds": rounds,
        "ratio": ratio(rounds, "playlist", "file", "cpu_us_per_request"),
    }


def first(
    folder: Path, data: Path, film: Film, packaged: Packaged, other: Packaged, cpu: int, rounds: int
) -> dict[str, Any]:
    """The first playlists of a film that are asked of a server after its start, with nothing of them in its database or
    with all of it; ms of CPU of the server's process. Before them it is asked for those of another film."""
    found: dict[str, Any] = {}
    for what in ("nothing stored", "in the database"):
        taken: list[dict[str, float]] = []
        for _ in range(rounds):
            if what == "nothing stored":
                forget(data)
            with shelf_of(folder, data, cpu) as shelf:
                time.sleep(0.5)
                spent = {}
                for name, path in (
                    ("another film", other.master),
                    ("master", packaged.master),
                    ("video", packaged.pictures.lead[0].path),
                ):
                    before = shelf.cpu()
                    shelf.raw(path)
                    spent[name] = (shelf.cpu() - before) * 1000
                taken.append(spent | {"both": spent["master"] + spent["video"]})
        found[what] = {"rounds": taken} | {
            name: statistics.median(each[name] for each in taken) for name in taken[0]
        }
    return found | {"film": film.about}


def forget(data: Path) -> None:
    """Take what is known of how films are presented from the database of a server that does not run."""
    with contextlib.closing(sqlite3.connect(data / "library.db")) as database, database:
        database.execute("DELETE FROM presentations")


def crowds(shelf: Shelf, film: Packaged, file: File, cpu: int, options: argparse.Namespace) -> dict[str, Any]:
    """Viewers of HLS, and as many who play the file itself, in the same rates."""
    tracks = (film.pictures, film.sound)
    rates = [
        sum(each.size for each in track.segments) / sum(each.seconds for each in track.segments)
        for track in tracks
    ]
    mbps = sum(rates) / 125_000
    scenario = viewers.Scenario("", "", options.viewers, mbps, options.arrive, options.hold)
    found: dict[str, Any] = {"mbps": mbps}
    for what, crowd in (
        ("HLS", lambda: hls_viewers.measure(scenario, shelf.running, cpu, film)),
        ("Range", lambda: viewers.measure(scenario, shelf.running, cpu, file)),
    ):
        say(f"{options.viewers} viewers, {what}")
        before = shelf.cpu()
        seen = crowd()
        spent = shelf.cpu() - before
        found[what] = seen.as_dict() | {"cpu_s_per_gb": spent / (seen.watched.received / 1e9)}
        time.sleep(1)
    return found


def measure(options: argparse.Namespace, folder: Path, made: dict[str, File], cpu: int) -> dict[str, Any]:
    """Everything, with one server, and then with one for each first playlist."""
    found: dict[str, Any] = {"segments": {}, "first": {}}
    with tempfile.TemporaryDirectory(prefix="segments-", dir=machine.CACHE) as temporary:
        data = Path(temporary) / "data"
        with shelf_of(folder, data, cpu) as shelf:
            packaged = {film.name: hls.learn(shelf, film.name) for film in films.FILMS}
            long = packaged[films.TWO_HOURS.name]
            (folder / STATIC.name).write_bytes(random.Random(1).randbytes(long.pictures.lead[0].size))
            for film in (films.FULL_HD, films.SMALL_ONE, films.FRAGMENTED):
                say(f"segments and ranges: {film.about}")
                figures = compare(shelf, packaged[film.name], made[film.name], cpu, options)
                found["segments"][film.name] = {"about": film.about, "kinds": figures}
            say("a playlist that is known, and a file")
            time.sleep(3)  # until the file is no news
            servers.wait_settled(shelf.running)
            found["cached"] = cached(shelf, long, cpu, options)
            found["viewers"] = crowds(shelf, long, made[films.TWO_HOURS.name], cpu, options)
        for film in (films.TWO_HOURS, films.TWO_HOURS_LAST):
            say(f"the first playlist: {film.about}")
            other = packaged[films.SMALL_ONE.name]
            figures = first(folder, data, film, packaged[film.name], other, cpu, options.starts)
            found["first"][film.name] = figures
    return found


def bounds(found: dict[str, Any]) -> list[Bound]:
    """What is wanted, and whether it is so."""
    kept = [
        Bound(
            f"CPU of segments, ratio to ranges, {film['about']}",
            film["kinds"][KINDS[-1]]["ratio"],
            MOST_RATIO,
            "x",
        )
        for film in found["segments"].values()
    ]
    for film in found["first"].values():
        spent = film["nothing stored"]["both"]
        kept.append(Bound(f"CPU of the first playlists, {film['film']}", spent, MOST_FIRST_MS, "ms"))
    crowd = found["viewers"]["HLS"]
    return [
        *kept,
        Bound("CPU of a cached playlist, ratio to a file", found["cached"]["ratio"], MOST_CACHED, "x"),
        Bound("late seconds of viewers of HLS", crowd["late_seconds"], 0, ""),
        Bound("... lost, refused, or without a response", crowd["lost"] + crowd["unanswered"], 0, ""),
    ]


DEFAULTS: dict[str, tuple[float, float, str]] = {
    "rounds": (5, 2, "of segments, ranges and so on"),
    "seconds": (1.5, 1, "for which each is asked for"),
    "starts": (3, 2, "of the server, for first playlists"),
    "viewers": (500, 100, "of HLS, and of the file itself"),
    "arrive": (10, 4, "seconds over which they come"),
    "hold": (30, 10, "seconds for which they all watch"),
}
"""Each argument: what it is by default, what it is with --quick, and what it is about."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench segments", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="see that it works, in two minutes")
    for name, (usual, _, about) in DEFAULTS.items():
        add(f"--{name}", type=type(usual), metavar="N", help=f"{about}; {usual:g}")
    report.add_out(parser)
    options = parser.parse_args(arguments)
    for name, (usual, quick, _) in DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)
    return options


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    (cpu, client_cpu), facts, versions = machine.two_cpus(), machine.facts(), machine.versions()
    folder = machine.CACHE / "films"
    say("preparing the films")
    made = films.prepare(folder, machine.CACHE / "clips")
    os.sched_setaffinity(0, {client_cpu})
    machine.raise_open_files()
    found = measure(options, folder, made, cpu)
    found["machine"] = facts
    found["versions"] = own_versions(versions)
    kept = bounds(found)
    run = {name: getattr(options, name) for name in DEFAULTS}
    return write(options.out, "segments", found, page(found, kept, run), kept)
