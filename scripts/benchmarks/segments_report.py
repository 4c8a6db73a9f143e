"""Writes segments.md, the page of `scripts/bench segments`, from the figures."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from . import hls_viewers, report
from .bounds import Bound, about_machine, filled, table

PAGE = """\
# HLS: segments, playlists and viewers

What films cost over HLS, compared with the same bytes of the same files by `Range`, through the same server in the
same run. Nothing is generated in advance. A segment is a computed header and the bytes of a track, gathered from the
file. `scripts/bench segments` wrote this page; all figures are in [segments.json](segments.json). [Another
page](gather.md) compares ways to gather bytes.

{bounds}

## Segments and ranges

{connections} connections request the segments of a film in a random order, and then ranges of the same sizes from
anywhere in the file. They do both in turn, {rounds} rounds of {seconds:g} s each. Figures are medians, and a ratio is
the median of the ratios of the rounds. *All of it* is video and audio in the proportion in which players request
them. *Joined* ranges are as large as a video segment and an audio segment together. A client that plays the file
itself requests such ranges, and needs half as many requests.

{segments}

## Playlists

This is the CPU time of the server's process for the first playlists of a film after its start, in ms: for the master
playlist, and for the playlist of the video track. *Nothing stored* means that the server must read the index of the
file, and stores the result in the database. *In the database* means after a restart. Before each measurement, the
master playlist of *another film*, of ten minutes, is requested. That request bears the cost of work that a process
does only once, such as compiling its database statements. The figures are medians of {starts} starts.

{first}

A playlist of {playlist_kb:.0f} KB that was requested before, and a file of the same size:

{cached}

## Viewers

{viewers} viewers at {mbps:.1f} Mb/s arrive over {arrive:g} s and are then observed for {hold:g} s, on one core. HLS
viewers request the playlists, the init segments, and then the segments from a random position on. They use one
connection for video and one for audio, at {line:g} Mb/s. They request the next segment when they have less than
{ahead:g} s buffered, and a segment counts when it is complete. The other viewers play the file itself, as in [the
comparison of servers](README.md), which also explains late seconds. *CPU share* is the share of one core, from the
first arrival to the end.

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
                return report.format_value(statistics.median(each[figure] for each in rounds[what]))

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
            "ratio to joined ranges",
            "µs per segment",
            "per range",
        ],
        segment_rows(found),
    )
    first = report.table(
        ["", "another film", "master", "video", "both"],
        [
            [
                f"{film['film']}: {what}",
                *(milliseconds(film[what][name]) for name in ("another film", "master", "video", "both")),
            ]
            for film in found["first"].values()
            for what in ("nothing stored", "in the database")
        ],
    )
    cached_figures = found["cached"]
    spent = {
        each: statistics.median(figures["cpu_us_per_request"] for figures in cached_figures["rounds"][each])
        for each in ("playlist", "file")
    }
    cached = report.table(
        ["", "CPU µs per request", "ratio to the file"],
        [
            ["playlist", report.format_value(spent["playlist"]), f"{cached_figures['ratio']:.2f}x"],
            ["file", report.format_value(spent["file"]), "1x"],
        ],
    )
    figures_shown = {
        "late_seconds": "late seconds",
        "late_viewers": "viewers with late seconds",
        "lost": "lost",
        "unanswered": "no response",
        "first_byte_p50_ms": "first byte p50, ms",
        "first_byte_p99_ms": "first byte p99, ms",
        "cpu_share": "CPU share of a core",
        "cpu_s_per_gb": "CPU s/GB",
        "gb_per_s": "GB/s received",
        "client_cpu_share": "share of its core that the client used",
    }
    crowds = report.table(
        ["", *figures_shown.values()],
        [
            [f"by {what}", *(report.format_value(found["viewers"][what][name]) for name in figures_shown)]
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
            playlist_kb=cached_figures["bytes"] / 1000,
            mbps=found["viewers"]["mbps"],
            crowds=crowds,
            line=hls_viewers.LINE,
            ahead=hls_viewers.AHEAD,
            machine=about_machine(found, "The server has"),
            **run,
        )
    )
