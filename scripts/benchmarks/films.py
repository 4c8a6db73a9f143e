"""Films to package, like those that users have. Each one repeats a short clip without encoding it again, which takes a
minute.

They have 24 frames per second, three B-frames in a row, a keyframe every 2 to 3.5 seconds, and AAC interleaved with the
video as FFmpeg writes it.
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
AUDIO_RATE = 160  # kbit/s
FIRST, LAST = ("-movflags", "+faststart"), ()  # where the index is
FRAGMENTS = ("-movflags", "+empty_moov+default_base_moof", "-frag_duration", "10000000")


@dataclass(frozen=True, slots=True)
class Clip:
    """The clip that a film repeats; `rate` is that of the video, in kbit/s."""

    name: str
    size: str
    rate: int


@dataclass(frozen=True, slots=True)
class Film:
    """`minutes` of a repeated clip."""

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
    """Generate missing films, and read all films, so that they are in the page cache."""
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
    """Encode moving shapes under noise, which uses the whole bit rate."""
    video = f"testsrc2=s={clip.size}:r=24:d={CLIP},noise=alls=16:allf=t,format=yuv420p"
    rate = f"-b:v {clip.rate}k -maxrate {clip.rate * 5 // 4}k -bufsize {clip.rate * 2}k".split()
    order = ["-preset", "veryfast", "-bf", "3", "-g", "84", "-keyint_min", "48"]
    audio = ("-f", "lavfi", "-i", f"anoisesrc=a=0.1:r=48000:d={CLIP}")
    coding = ("-c:v", "libx264", *order, *rate, "-c:a", "aac", "-ac", "2", "-b:a", f"{AUDIO_RATE}k")
    ffmpeg(("-f", "lavfi", "-i", video, *audio, *coding, "-shortest"), path)


def ffmpeg(arguments: Sequence[str], path: Path) -> None:
    """Run FFmpeg; afterwards the file is complete or missing."""
    unfinished = path.with_name(f".{path.name}.making")
    command = (find_ffmpeg(), "-nostdin", "-v", "error", "-y", *arguments, "-f", "mp4", str(unfinished))
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        unfinished.unlink(missing_ok=True)
        raise BenchError(f"FFmpeg could not generate {path.name}:\n{ended.stderr}")
    unfinished.rename(path)


def find_ffmpeg() -> str:
    """The FFmpeg that the environment names, else the system's, else the one that comes with Trio Stream."""
    path = os.environ.get("TRIO_STREAM_FFMPEG") or shutil.which("ffmpeg")
    return path or machine.output_of(
        machine.own_python(), "-c", "import imageio_ffmpeg as i; print(i.get_ffmpeg_exe())"
    )
