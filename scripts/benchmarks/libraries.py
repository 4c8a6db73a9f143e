"""Libraries to measure with: hard links to the menagerie's files under realistic names, the same in every run.

The word `EVERYWHERE` is in every name, `FEW` in three names, `SOME` in hundreds, and `MANY` in thousands if the library
is that large. `LAST` is in the names that come last in order; they are more than a search sorts at once.
"""

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from . import machine

EVERYWHERE, FEW, SOME, MANY, LAST = "1080p", "zanzibar", "lisbon", "harbour", "zurich"
MIN_NAMES = 60  # at least this many names have a word, so that a page of 50 is full in a small library too

FIRST = (
    "Silent Broken Golden Northern Hidden Crimson Paper Distant Electric Hollow Winter Burning Gentle Restless Velvet "
    "Lonely Marble Wandering Copper Midnight Quiet Savage Borrowed Endless Frozen Little Strange Second Amber Iron"
)
SECOND = (
    "River Garden Letter Engine Lighthouse Mountain Orchard Stranger Kingdom Mirror Station Summer Machine Sister "
    "Island Forest Window Promise Bridge Shadow Circus Voyage Kitchen Signal Harvest Theatre Métro Größe Señal Œuvre"
)


def names(count: int, suffixes: Sequence[str]) -> list[str]:
    """`count` different names, in folders of one, ten and a hundred videos; one folder has a fifth of all videos."""
    chance = random.Random(7)
    last = max(MIN_NAMES * count // 100 if count < 1000 else 0, count * 6 // 100)
    order = chance.sample(range(count - last), count - last)
    few = set(order[:3])
    some = set(chance.sample(range(count), max(min(MIN_NAMES, count), count * 4 // 100)))
    many = set(chance.sample(range(count), max(min(MIN_NAMES, count), count // 5)))

    def title() -> str:
        return f"{chance.choice(FIRST.split())} {chance.choice(SECOND.split())}"

    paths = []
    show, year = title(), 1990
    for number in range(count):
        words = [title()]
        words += [f"in {SOME.title()}"] if number in some else []
        words += [MANY.title()] if number in many else []
        words += [FEW.title()] if number in few else []
        title_words = " ".join(words)
        ending = f"{EVERYWHERE}{suffixes[number % len(suffixes)]}"
        if number % 400 == 0:
            show, year = title(), chance.randrange(1960, 2026)
        if number >= count - last:
            paths.append(f"Zürich archive/{number // 100}/{number:05} {title_words} {ending}")
            continue
        match number % 20:
            case 0 | 1 | 2:
                film = f"{title_words} ({chance.randrange(1950, 2026)}) {number}"
                paths.append(f"Films/{film}/{film} {ending}")
            case 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10:
                season, episode = number % 400 // 25 + 1, number % 25 + 1
                where = f"Series/{show} {number // 400}/Season {season:02}"
                paths.append(f"{where}/{show} S{season:02}E{episode:02} {title_words} {ending}")
            case 11 | 12 | 13 | 14 | 15:
                paths.append(
                    f"Home/{year}/{year}-{number // 400 % 12 + 1:02}/IMG_{number:05} {title_words} {ending}"
                )
            case _:
                paths.append(f"Clips/{title_words.replace(' ', '.')}.{number}.{ending}")
    return paths


def menagerie() -> list[Path]:
    """The menagerie's files, the damaged ones too; they are generated if they are missing."""
    folder = machine.REPO / ".cache" / "menagerie"
    if not (folder / "menagerie.json").exists():
        subprocess.run([machine.own_python(), machine.REPO / "scripts" / "menagerie"], check=True)
    entries = json.loads((folder / "menagerie.json").read_text("utf-8"))
    return [path for each in entries if (path := folder / each["name"]).is_file()]


def fill(folder: Path, count: int) -> Path:
    """Create a library of `count` videos in `folder`."""
    sources = menagerie()
    suffixes = [path.suffix for path in sources]
    copies = folder.with_name(folder.name + "-sources")
    copies.mkdir(parents=True)
    copied = []
    for number, source in enumerate(
        sources
    ):  # so they settle before the scan, on the file system of the links
        copied.append(copies / f"{number}{source.suffix}")
        shutil.copyfile(source, copied[-1])
    for number, name in enumerate(names(count, suffixes)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(copied[number % len(copied)], path)
    return folder


def add(folder: Path, rate: float, seconds: float) -> int:
    """Add `rate` new contents per second for `seconds`, and return how many; each has its own modification time."""
    sources = [path for path in menagerie() if path.parent.name != "damaged"]
    began, number = time.monotonic(), 0
    while (now := time.monotonic()) < began + seconds:
        if number >= rate * (now - began):
            time.sleep(0.01)
            continue
        source = sources[number % len(sources)]
        path = folder / "Added" / f"{number // 50}" / f"New {number} {EVERYWHERE}{source.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path.with_name("." + path.name))
        os.utime(path.with_name("." + path.name), ns=(10**18 + number, 10**18 + number))
        path.with_name("." + path.name).rename(path)
        number += 1
    return number
