"""Films to be packaged: as people have them, and made in a minute, of a short clip that is repeated without encoding it
again.

24 pictures a second, three B-frames in a row, a keyframe after two to three and a half seconds, and AAC between the
pictures, as FFmpeg lays it.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import machine, media
from .machine import BenchError
from .media import File

CLIP = 60  # seconds
SOUND = 160  # kbit/s
FIRST, LAST = ("-movflags", "+faststart"), ()  # where the index is
FRAGMENTS = ("-movflags", "+empty_moov+default_base_moof", "-frag_duration", "10000000")


@dataclass(frozen=True, slots=True)
class Clip:
    """What films are made of; `rate` is of the pictures, kbit/s."""

    name: str
    size: str
    rate: int


@dataclass(frozen=True, slots=True)
class Film:
    """`minutes` of a clip."""

    name: str
    about: str
    clip: Clip
    minutes: int
    options: Sequence[str] = FIRST


LARGE, MIDDLE, SMALL = (
    Clip("1080p", "1920x1080", 8000),
    Clip("720p", "1280x720", 4840),
    Clip("360p", "640x360", 1300),
)
FULL_HD = Film("1080p.mp4", "1080p, 8 Mb/s, audio and video interleaved", LARGE, 10)
SMALL_ONE = Film("360p.mp4", "360p, 1.3 Mb/s, interleaved too", SMALL, 10)
FRAGMENTED = Film("fragmented.mp4", "the 1080p film, fragmented every 10 s", LARGE, 10, FRAGMENTS)
TWO_HOURS = Film("two-hours.mp4", "two hours of 720p, 5 Mb/s with audio, index at the start", MIDDLE, 120)
TWO_HOURS_LAST = Film("two-hours-last.mp4", "two hours of 360p, index at the end", SMALL, 120, LAST)
FILMS = (FULL_HD, SMALL_ONE, FRAGMENTED, TWO_HOURS, TWO_HOURS_LAST)


def prepare(folder: Path, clips: Path, films: Sequence[Film] = FILMS) -> dict[str, File]:
    """Make the films that are not there, and read them all, so that they are in the page cache."""
    folder.mkdir(parents=True, exist_ok=True)
    clips.mkdir(parents=True, exist_ok=True)
    for film in films:
        clip, path = clips / f"{film.clip.name}.mp4", folder / film.name
        if not path.exists():
            if not clip.exists():
                encode(film.clip, clip)
            times = film.minutes * 60 // CLIP - 1
            repeated = ("-stream_loop", str(times), "-i", str(clip), "-c", "copy", *film.options)
            ffmpeg(repeated, path)
        media.warm(path)
    return {film.name: File(film.name, (folder / film.name).stat().st_size) for film in films}


def encode(clip: Clip, path: Path) -> None:
    """Moving shapes under noise, which takes the bits that are given to it."""
    pictures = f"testsrc2=s={clip.size}:r=24:d={CLIP},noise=alls=16:allf=t,format=yuv420p"
    rate = f"-b:v {clip.rate}k -maxrate {clip.rate * 5 // 4}k -bufsize {clip.rate * 2}k".split()
    order = ["-preset", "veryfast", "-bf", "3", "-g", "84", "-keyint_min", "48"]
    sound = ("-f", "lavfi", "-i", f"anoisesrc=a=0.1:r=48000:d={CLIP}")
    coding = ("-c:v", "libx264", *order, *rate, "-c:a", "aac", "-ac", "2", "-b:a", f"{SOUND}k")
    ffmpeg(("-f", "lavfi", "-i", pictures, *sound, *coding, "-shortest"), path)


def ffmpeg(arguments: Sequence[str], path: Path) -> None:
    """Run FFmpeg; the file is whole or not there."""
    making = path.with_name(f".{path.name}.making")
    command = (found(), "-nostdin", "-v", "error", "-y", *arguments, "-f", "mp4", str(making))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        making.unlink(missing_ok=True)
        raise BenchError(f"FFmpeg could not make {path.name}:\n{done.stderr}")
    making.rename(path)


def found() -> str:
    """The FFmpeg that was asked for, else the system's, else the one that comes with Trio Stream."""
    known = os.environ.get("TRIO_STREAM_FFMPEG") or shutil.which("ffmpeg")
    return known or machine.said(
        machine.own_python(), "-c", "import imageio_ffmpeg as i; print(i.get_ffmpeg_exe())"
    )
