"""`scripts/bench segments`: the cost of HLS, compared with the same bytes of the same files by Range."""

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
from .bodies import Exchange
from .bounds import Bound, own_versions, write
from .films import Film
from .hls import HlsFilm, Resource, request_for
from .library_server import LibraryServer
from .media import File
from .segments_report import page
from .servers import Running

CONNECTIONS = 4
KEEP_ALIVE = ("--keep-alive", "60")  # seconds; viewers of HLS send a request about every six

MAX_RATIO = 1.5  # times the cost of the same bytes by Range
MAX_FIRST_MS = 50.0  # CPU time of the first playlists of two hours
MAX_CACHED = 2.0  # times the cost of a static file

STATIC = File("static.mp4", 0)  # as large as the playlist it is compared with
KINDS = ("video", "audio", "all of it")


@contextlib.contextmanager
def serving_library(folder: Path, data: Path, cpu: int) -> Iterator[LibraryServer]:
    """Run a server of the films in `folder`, with the data folder `data`, and wait until it is idle."""
    environment = {"TRIO_STREAM_DATA": str(data), "TRIO_STREAM_ARTWORK_SHARE": "0"}
    kind = servers.Server("trio-stream", "trio-stream", "", "/api/stream/{name}", environment, KEEP_ALIVE)
    with servers.serving(kind, folder, cpu) as running:
        library = LibraryServer(running, folder, 0)
        servers.wait_settled(running)
        yield library


def segments_of(film: HlsFilm, kind: str) -> list[Resource]:
    """The segments of a kind, in a random order that is the same in every run."""
    tracks = {"video": [film.video], "audio": [film.audio]}.get(kind, [film.video, film.audio])
    found = [resource for track in tracks for resource in track.segments]
    random.Random(kind).shuffle(found)
    return found


def as_segments(resources: Sequence[Resource], running: Running) -> Iterator[Exchange]:
    for resource in cycle(resources):
        yield request_for(running, resource.path), resource.size, 200


def as_ranges(sizes: Sequence[int], file: File, running: Running) -> Iterator[Exchange]:
    """Ranges of these sizes, from anywhere in the file."""
    chance = random.Random(file.name)
    for size in cycle(sizes):
        start = chance.randrange(file.size - size)
        yield request_for(running, running.path(file.name), f"bytes={start}-{start + size - 1}"), size, 206


def joined(film: HlsFilm) -> list[int]:
    """The sizes of a video segment and its audio segment together, as a player of the file itself requests them."""
    both = zip(film.video.segments, film.audio.segments, strict=False)
    return [one.size + other.size for one, other in both]


def compare(
    library: LibraryServer, film: HlsFilm, file: File, cpu: int, options: argparse.Namespace
) -> dict[str, Any]:
    """Measure segments of each kind and ranges of the same sizes, in turn."""
    found: dict[str, Any] = {}
    running = library.running
    for kind in KINDS:
        resources = segments_of(film, kind)
        requests = {
            "segments": lambda resources=resources: as_segments(resources, running),
            "ranges": lambda resources=resources: as_ranges([each.size for each in resources], file, running),
        }
        if kind == KINDS[-1]:
            requests["joined ranges"] = lambda: as_ranges(joined(film), file, running)
        rounds: dict[str, list[dict[str, float]]] = {each: [] for each in requests}
        for _ in range(options.rounds):
            for each, new_requests in requests.items():
                load = bodies.Load(running.port, CONNECTIONS, new_requests())
                figures = bodies.measure_load(load, running, cpu, options.seconds)
                rounds[each].append(figures.as_dict())
        found[kind] = {
            "segments": len(resources),
            "mean_bytes": statistics.mean(each.size for each in resources),
            "rounds": rounds,
            "ratio": ratio(rounds, "segments", "ranges"),
        } | ({"ratio_joined": ratio(rounds, "segments", "joined ranges")} if len(requests) > 2 else {})
    return found


def ratio(
    rounds: dict[str, list[dict[str, float]]], one: str, other: str, figure: str = "cpu_s_per_gb"
) -> float:
    """The median of the ratios of the rounds, which cancels out other work of the machine."""
    pairs = zip(rounds[one], rounds[other], strict=True)
    return statistics.median(mine[figure] / theirs[figure] for mine, theirs in pairs)


def compare_cached(
    library: LibraryServer, film: HlsFilm, cpu: int, options: argparse.Namespace
) -> dict[str, Any]:
    """Measure a playlist that was requested before, and a file of the same length."""
    playlist = film.video.lead[0]
    running = library.running
    requests = {
        "playlist": (request_for(running, playlist.path), playlist.size, 200),
        "file": (request_for(running, running.path(STATIC.name)), playlist.size, 200),
    }
    rounds: dict[str, list[dict[str, float]]] = {each: [] for each in requests}
    for _ in range(options.rounds):
        for each, wanted in requests.items():
            load = bodies.Load(running.port, CONNECTIONS, cycle([wanted]))
            figures = bodies.measure_load(load, running, cpu, options.seconds)
            rounds[each].append(figures.as_dict())
    return {
        "bytes": playlist.size,
        "rounds": rounds,
        "ratio": ratio(rounds, "playlist", "file", "cpu_us_per_request"),
    }


def measure_first(
    folder: Path, data: Path, film: Film, packaged: HlsFilm, other: HlsFilm, cpu: int, rounds: int
) -> dict[str, Any]:
    """Measure the first playlists of a film after the start of a server, in ms of CPU time of its process.

    The database has nothing or everything about the film. The master playlist of another film is requested first.
    """
    found: dict[str, Any] = {}
    for what in ("nothing stored", "in the database"):
        taken: list[dict[str, float]] = []
        for _ in range(rounds):
            if what == "nothing stored":
                delete_presentations(data)
            with serving_library(folder, data, cpu) as library:
                time.sleep(0.5)
                spent = {}
                for name, path in (
                    ("another film", other.master),
                    ("master", packaged.master),
                    ("video", packaged.video.lead[0].path),
                ):
                    before = library.cpu()
                    library.request(path)
                    spent[name] = (library.cpu() - before) * 1000
                taken.append(spent | {"both": spent["master"] + spent["video"]})
        found[what] = {"rounds": taken} | {
            name: statistics.median(each[name] for each in taken) for name in taken[0]
        }
    return found | {"film": film.about}


def delete_presentations(data: Path) -> None:
    """Delete the stored presentations from the database of a server that does not run."""
    with contextlib.closing(sqlite3.connect(data / "library.db")) as database, database:
        database.execute("DELETE FROM presentations")


def compare_viewers(
    library: LibraryServer, film: HlsFilm, file: File, cpu: int, options: argparse.Namespace
) -> dict[str, Any]:
    """Measure viewers of HLS, and as many viewers of the file itself at the same rate."""
    tracks = (film.video, film.audio)
    rates = [
        sum(each.size for each in track.segments) / sum(each.seconds for each in track.segments)
        for track in tracks
    ]
    mbps = sum(rates) / 125_000
    scenario = viewers.Scenario("", "", options.viewers, mbps, options.arrive, options.hold)
    found: dict[str, Any] = {"mbps": mbps}
    for what, crowd in (
        ("HLS", lambda: hls_viewers.measure(scenario, library.running, cpu, film)),
        ("Range", lambda: viewers.measure(scenario, library.running, cpu, file)),
    ):
        say(f"{options.viewers} viewers, {what}")
        before = library.cpu()
        result = crowd()
        spent = library.cpu() - before
        found[what] = result.as_dict() | {"cpu_s_per_gb": spent / (result.watched.received / 1e9)}
        time.sleep(1)
    return found


def measure(options: argparse.Namespace, folder: Path, files: dict[str, File], cpu: int) -> dict[str, Any]:
    """Measure everything with one server, and the first playlists with a new server each."""
    found: dict[str, Any] = {"segments": {}, "first": {}}
    with tempfile.TemporaryDirectory(prefix="segments-", dir=machine.CACHE) as temporary:
        data = Path(temporary) / "data"
        with serving_library(folder, data, cpu) as library:
            packaged = {film.name: hls.read_film(library, film.name) for film in films.FILMS}
            long = packaged[films.TWO_HOURS.name]
            (folder / STATIC.name).write_bytes(random.Random(1).randbytes(long.video.lead[0].size))
            for film in (films.FULL_HD, films.SMALL_ONE, films.FRAGMENTED):
                say(f"segments and ranges: {film.about}")
                figures = compare(library, packaged[film.name], files[film.name], cpu, options)
                found["segments"][film.name] = {"about": film.about, "kinds": figures}
            say("a cached playlist, and a file")
            time.sleep(3)  # until the new file has settled
            servers.wait_settled(library.running)
            found["cached"] = compare_cached(library, long, cpu, options)
            found["viewers"] = compare_viewers(library, long, files[films.TWO_HOURS.name], cpu, options)
        for film in (films.TWO_HOURS, films.TWO_HOURS_LAST):
            say(f"the first playlist: {film.about}")
            other = packaged[films.SMALL_ONE.name]
            figures = measure_first(folder, data, film, packaged[film.name], other, cpu, options.starts)
            found["first"][film.name] = figures
    return found


def bounds_of(found: dict[str, Any]) -> list[Bound]:
    """The bounds and whether the figures are within them."""
    bounds = [
        Bound(
            f"CPU of segments, ratio to ranges, {film['about']}",
            film["kinds"][KINDS[-1]]["ratio"],
            MAX_RATIO,
            "x",
        )
        for film in found["segments"].values()
    ]
    for film in found["first"].values():
        spent = film["nothing stored"]["both"]
        bounds.append(Bound(f"CPU of the first playlists, {film['film']}", spent, MAX_FIRST_MS, "ms"))
    crowd = found["viewers"]["HLS"]
    return [
        *bounds,
        Bound("CPU of a cached playlist, ratio to a file", found["cached"]["ratio"], MAX_CACHED, "x"),
        Bound("late seconds of viewers of HLS", crowd["late_seconds"], 0, ""),
        Bound("... lost, refused, or without a response", crowd["lost"] + crowd["unanswered"], 0, ""),
    ]


DEFAULTS: dict[str, tuple[float, float, str]] = {
    "rounds": (5, 2, "of segments, ranges and so on"),
    "seconds": (1.5, 1, "for which each kind is requested"),
    "starts": (3, 2, "of the server, for first playlists"),
    "viewers": (500, 100, "of HLS, and of the file itself"),
    "arrive": (10, 4, "seconds over which the viewers arrive"),
    "hold": (30, 10, "seconds for which all viewers watch"),
}
"""Each argument with its default, its value with --quick, and its help."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench segments", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="a short run of two minutes, to see that it works")
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
    (cpu, client_cpu), info, versions = machine.two_cpus(), machine.describe(), machine.versions()
    folder = machine.CACHE / "films"
    say("preparing the films")
    files = films.prepare(folder, machine.CACHE / "clips")
    os.sched_setaffinity(0, {client_cpu})
    machine.raise_open_files()
    found = measure(options, folder, files, cpu)
    found["machine"] = info
    found["versions"] = own_versions(versions)
    checked = bounds_of(found)
    run = {name: getattr(options, name) for name in DEFAULTS}
    return write(options.out, "segments", found, page(found, checked, run), checked)
