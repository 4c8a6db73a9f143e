"""What `scripts/bench segments` writes: figures -> segments.md."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from . import hls_viewers, report
from .bounds import Bound, about_machine, filled, table

PAGE = """\
# HLS: segments, playlists and viewers

What films cost as HLS, beside the same bytes of the same files by `Range`, through the same server in the same run.
Nothing is made in advance: a segment is a head that is computed and the bytes of a track, gathered from where they lie.
Written by `scripts/bench segments`; all figures are in [segments.json](segments.json). How bytes are best gathered is
measured [by itself](gather.md).

{bounds}

## Segments and ranges

{connections} connections ask for the segments of a film in a random order, and then for ranges of the same sizes
from anywhere in the file, in turn, {rounds} rounds of {seconds:g} s each. Figures are medians; a ratio is the median of
each round's. *All of it* are pictures and sound in the proportion in which players ask for them. *Joined* ranges are
as large as a segment of pictures and one of sound together: what somebody asks for who plays the file itself, in half
as many requests.

{segments}

## Playlists

The CPU of the server's process for the first playlists of a film after its start, ms: the master playlist, and that
of the pictures. *Nothing known*: the file has to be read for its index, and what was found out is kept in the
database. *In the database*: after a restart. Before them the master playlist of *another film*, of ten minutes, is
asked for, which pays for what a process does once, such as putting together its statements for the database. Medians
of {starts} starts.

{first}

A playlist of {playlist_kb:.0f} KB that somebody asked for before, and a file of that length:

{cached}

## Viewers

{viewers} viewers at {mbps:.1f} Mb/s who arrive over {arrive:g} s and are then watched for {hold:g} s, on one core.
Those of HLS ask for the playlists, the init segments and then the segments from a random place on, pictures over one
connection and sound over another, through a line of {line:g} Mb/s, and for the next one when they have less than
{ahead:g} s in hand; a segment counts when it is whole. The others play the file itself, as in [the comparison of
servers](README.md), which also says what a late second is. *CPU share* is of one core, from the first arrival to the
end.

{crowds}

## The machine

{machine}
"""


def milliseconds(value: float) -> str:
    return f"{value:.1f}"


def segment_rows(found: Mapping[str, Any]) -> list[list[str]]:
    rows = []
    for film in found["segments"].values():
        for kind, measured in film["kinds"].items():

            def median(what: str, figure: str, rounds: Mapping[str, Any] = measured["rounds"]) -> str:
                if what not in rounds:
                    return ""
                return report.shown(statistics.median(each[figure] for each in rounds[what]))

            joined = measured.get("ratio_joined")
            rows.append([
                f"{film['about']}: {kind}",
                f"{measured['mean_bytes'] / 1e6:.2f}",
                median("segments", "cpu_s_per_gb"),
                median("ranges", "cpu_s_per_gb"),
                f"{measured['ratio']:.2f}x",
                "" if joined is None else f"{joined:.2f}x",
                median("segments", "cpu_us_per_request"),
                median("ranges", "cpu_us_per_request"),
            ])  # fmt: skip
    return rows


def page(found: Mapping[str, Any], bounds: Sequence[Bound], run: Mapping[str, float]) -> str:
    segments = report.table(
        [
            "",
            "MB each",
            "segments, CPU s/GB",
            "ranges",
            "ratio",
            "to joined ranges",
            "µs a segment",
            "a range",
        ],
        segment_rows(found),
    )
    first = report.table(
        ["", "another film", "master", "pictures", "both"],
        [
            [
                f"{film['film']}: {what}",
                *(milliseconds(film[what][name]) for name in ("another film", "master", "pictures", "both")),
            ]
            for film in found["first"].values()
            for what in ("nothing known", "in the database")
        ],
    )
    known = found["cached"]
    spent = {
        each: statistics.median(figures["cpu_us_per_request"] for figures in known["rounds"][each])
        for each in ("playlist", "file")
    }
    cached = report.table(
        ["", "CPU µs a request", "to the file"],
        [
            ["playlist", report.shown(spent["playlist"]), f"{known['ratio']:.2f}x"],
            ["file", report.shown(spent["file"]), "1x"],
        ],
    )
    shown = {
        "late_seconds": "late seconds",
        "late_viewers": "viewers with any",
        "lost": "lost",
        "unanswered": "never answered",
        "first_byte_p50_ms": "first byte p50, ms",
        "first_byte_p99_ms": "first byte p99, ms",
        "cpu_share": "CPU share of a core",
        "cpu_s_per_gb": "CPU s/GB",
        "gb_per_s": "GB/s taken",
        "client_cpu_share": "the client's share of its core",
    }
    crowds = report.table(
        ["", *shown.values()],
        [
            [f"by {what}", *(report.shown(found["viewers"][what][name]) for name in shown)]
            for what in ("HLS", "Range")
        ],
    )
    return filled(
        PAGE.format(
            bounds=table(bounds),
            connections=4,
            segments=segments,
            first=first,
            cached=cached,
            playlist_kb=known["bytes"] / 1000,
            mbps=found["viewers"]["mbps"],
            crowds=crowds,
            line=hls_viewers.LINE,
            ahead=hls_viewers.AHEAD,
            machine=about_machine(found, "The server has"),
            **run,
        )
    )
