"""The demo library: its films, and how to generate them."""

import hashlib
import os
import tempfile
from pathlib import Path

from own_ffmpeg import find_ffmpeg

from tests.browser import launched

from . import films, scenes
from .films import Film

OPENING = ("Opening", "Closer", "Later")

FILMS = [
    Film("The Keeper's Lamp.mp4", "lighthouse", (37, 18, 9), near=(0.95, 0.3), chapters=OPENING),
    Film("Two Coffees, One Sugar.mp4", "coffees", (27, 11, 7), near=(0.14, 0.3), languages=("eng", "por"),
         subtitles=("en", "pt-BR"), chapters=("The table", "The talk", "The way home")),
    Film("A Cat Named Tuesday.mp4", "cat", (15, 6, 6), near=(0.85, 0.7)),
    Film("North of Quiet.1080p.mp4", "mountains", (43, 12, 16), height=1080, near=(0.5, 0.95), chapters=OPENING),
    Film("North of Quiet.480p.mp4", "mountains", (43, 12, 16), height=480, near=(0.5, 0.95), chapters=OPENING),
    Film("Nine Million Windows.mp4", "city", (31, 13, 7), near=(0.5, 0.95), chapters=OPENING),
    Film("The 4:10 to Marrow.mp4", "train", (36, 15, 13), near=(0.3, 0.6)),
    Film("Low Orbit.mp4", "orbit", (41, 18, 9), near=(0.9, 0.7), chapters=OPENING),
    Film("Rust & Apples.mp4", "robot", (28, 10, 9), near=(0.85, 0.5)),
    Film("Balloon Season.mp4", "balloons", (22, 10, 6), near=(0.9, 0.4)),
    Film("Paper Lanterns.mkv", "lanterns", (32, 11, 11), near=(0.8, 0.6), languages=("eng", "por"), subtitles=("en", "pt-BR")),
    Film("Nonna's Last Waltz.mp4", "portrait", (25, 12, 7), near=(0.7, 0.3)),
    Film("Documentaries/Aurora Station.mp4", "aurora", (50, 15, 11), near=(0.85, 0.8)),
    Film("Documentaries/The Desert Remembers.mp4", "desert", (47, 18, 13), near=(0.5, 0.7)),
    Film("Documentaries/What the Whales Heard.mp4", "whale", (45, 17, 16), near=(0.6, 0.5), chapters=OPENING),
    *(
        Film(f"Series/Saltwater/{number} {name}.mp4", name, (34 + 3 * (number % 3), 13, 6 + number), near=(0.85, 0.5))
        for number, name in enumerate(scenes.SALTWATER, 1)
    ),
]  # fmt: skip


def make(folder: Path, chosen: list[Film] = FILMS) -> None:
    """Make films in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = scenes.all_scenes()
    with (
        tempfile.TemporaryDirectory(prefix="demo-library-") as work,
        launched("--hide-scrollbars") as browser,
    ):
        page = browser.new_page(viewport={"width": 1920, "height": 1440}, device_scale_factor=1)
        films.make(chosen, drawn, page, find_ffmpeg(), folder, Path(work), os.cpu_count() or 1)


def version() -> str:
    """A hash of all that decides what the films look like."""
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.blake2b(b"".join(path.read_bytes() for path in sources), digest_size=6).hexdigest()
