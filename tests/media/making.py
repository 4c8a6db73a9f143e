"""Media for the tests of this room: small films made by ffmpeg, and a reply that keeps what it is given."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.kept import digest, kept, key
from trio_stream.media import wire
from trio_stream.media.jobs import Job, MediaFile, Reply


def make(path: Path, arguments: str, *more: str | Path) -> Path:
    """Write what ffmpeg makes with these arguments, split at spaces, and those to `path`.

    It is kept from run to run. Of a file that is read, the content belongs to the recipe, and not the name.
    """
    words = [*arguments.split(), *map(str, more)]
    recipe = [digest(Path(word)) if word.startswith("/") and Path(word).is_file() else word for word in words]

    def encode(made: Path) -> None:
        ended = subprocess.run(
            ["ffmpeg", "-v", "error", "-nostdin", "-y", *words, made],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr

    shutil.copyfile(kept(f"made/{key(*recipe)}{path.suffix}", encode), path)
    return path


def gray(path: Path, *more: str) -> bytes:
    """A picture file decoded by ffmpeg, a byte of brightness (0 to 255) a pixel."""
    command: list[str | Path] = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-i",
        path,
        *more,
        "-pix_fmt",
        "gray",
        "-f",
        "rawvideo",
        "-",
    ]
    return subprocess.run(command, capture_output=True, check=True).stdout


def size(path: Path) -> tuple[int, int]:
    """Width and height of a picture file, by ffprobe."""
    command: list[str | Path] = [
        "ffprobe",
        "-v",
        "error",
        "-show_entries",
        "stream=width,height",
        "-of",
        "json",
        path,
    ]
    stream = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["streams"][0]
    return stream["width"], stream["height"]


@contextmanager
def opened(path: Path) -> Iterator[MediaFile]:
    with path.open("rb") as file:
        yield MediaFile(file.fileno())


def run(job: Job, path: Path, **options: Any) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Run a job here, in this process, on the file at `path`; its result and what it made, both as they would arrive."""
    blobs: dict[str, bytes] = {}

    class Kept(Reply):
        def blob(self, name: str, data: bytes) -> None:
            assert name not in blobs, name
            blobs[name] = bytes(data)

    def send(_: bytes) -> None:
        raise AssertionError(wire.__name__)

    with opened(path) as file:
        result = job(file, options, Kept(send))
    sent: dict[str, Any] = json.loads(json.dumps(result))
    assert sent == result
    return sent, blobs
