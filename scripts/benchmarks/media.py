"""The files to serve: incompressible bytes, the same on every machine, warm in the page cache."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
BLOCK = MIB


@dataclass(frozen=True, slots=True)
class File:
    name: str
    size: int


KB1 = File("1kb.mp4", 1024)
KB256 = File("256kb.mp4", 256 * 1024)
MB4 = File("4mb.mp4", 4 * MIB)
MB256 = File("256mb.mp4", 256 * MIB)
GB4 = File("4gb.mp4", 4096 * MIB)
FILES = (KB1, KB256, MB4, MB256, GB4)


def block(file: File, number: int) -> bytes:
    """The `number`th MiB of a file."""
    return random.Random(f"{file.name} {number}").randbytes(min(BLOCK, file.size - number * BLOCK))


def prepare(folder: Path, files: Sequence[File] = FILES) -> None:
    """Write missing files, and read all files, so that they are in the page cache."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        path = folder / file.name
        if not path.exists() or path.stat().st_size != file.size:
            unfinished = path.with_suffix(".making")
            with unfinished.open("wb") as output:
                for number in range(-(-file.size // BLOCK)):
                    output.write(block(file, number))
            unfinished.rename(path)
        warm(path)


def warm(path: Path) -> None:
    with path.open("rb", buffering=0) as source:
        buffer = bytearray(4 * MIB)
        while source.readinto(buffer):
            pass
