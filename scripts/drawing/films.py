"""Films from scenes: Chromium draws the layers of a scene, and FFmpeg animates them."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from .scenes import PERIOD, Box, Layer
from .shapes import HEIGHT

RATE = 24
CODEC = (
    f"-r {RATE} -c:v libx264 -preset veryfast -crf {{crf}} -bf 0 -pix_fmt yuv420p "
    f"-g {2 * RATE} -keyint_min {2 * RATE} -sc_threshold 0 -colorspace bt709 -color_primaries bt709 -color_trc bt709 "
    "-color_range tv -fflags +bitexact -an"
)
CHORDS = ((196.0, 246.94, 293.66), (164.81, 196.0, 246.94), (130.81, 196.0, 261.63), (146.83, 220.0, 293.66))
"""G, E minor, C, D. Each lasts a quarter of a period."""


@dataclass(frozen=True)
class Film:
    """One file: its scene, how often each of its three parts is repeated, and its other tracks."""

    name: str
    scene: str
    parts: tuple[int, int, int]
    """The scene with its title, as a close-up, and at another time of day."""
    height: int = HEIGHT
    near: tuple[float, float] = (0.5, 0.5)
    """The centre of the close-up, as fractions of the width and height."""
    languages: tuple[str, ...] = ("eng",)
    """The languages of the audio tracks."""
    subtitles: tuple[str, ...] = ()
    """The languages of its subtitle files; in Matroska, of its subtitle tracks."""
    chapters: tuple[str, ...] = ()

    @property
    def seconds(self) -> int:
        return sum(self.parts) * PERIOD

    @property
    def width(self) -> int:
        return self.height * 16 // 9 // 2 * 2


class Drawing:
    """Draws layers as PNG files, each only once."""

    def __init__(self, page: Page, folder: Path, scale: float) -> None:
        self._page, self._folder, self._scale = page, folder, scale
        self._drawn: dict[tuple[str, Box], Path] = {}

    def draw(self, layer: Layer) -> Path:
        key = (layer.svg, layer.box)
        if key not in self._drawn:
            x, y, width, height = layer.box
            wide, high = int(width * self._scale), int(height * self._scale)
            self._page.set_content(
                f'<body style="margin:0;background:transparent"><svg xmlns="http://www.w3.org/2000/svg" width="{wide}" '
                f'height="{high}" viewBox="{x} {y} {width} {height}" style="display:block">{layer.svg}</svg>'
            )
            path = self._folder / f"{len(self._drawn)}.png"
            self._page.screenshot(
                path=path,
                clip={"x": 0, "y": 0, "width": wide, "height": high},
                omit_background=True,
                full_page=True,
            )
            self._drawn[key] = path
        return self._drawn[key]


def graph(layers: list[Layer], film: Film, scale: float) -> str:
    """The filter graph that puts layers over each other and makes three parts of that."""
    steps = [f"color=black:s={film.width}x{film.height}:r={RATE}:d={PERIOD},format=yuv420p[v0]"]
    count = 0

    def over(number: int, layer: Layer, base: str, into: str) -> str:
        x, y = (f"'({layer.box[axis]}+{each})*{scale}'" for axis, each in enumerate((layer.x, layer.y)))
        when = f":enable='{layer.when}'" if layer.when else ""
        return f"[{base}][{number}:v]overlay=x={x}:y={y}{when}[{into}]"

    for number, layer in enumerate(layers[:-1]):
        if not layer.title:
            steps.append(over(number, layer, f"v{count}", f"v{count + 1}"))
            count += 1
    (title,) = (number for number, layer in enumerate(layers) if layer.title)
    last = len(layers) - 1
    x, y = film.near
    zoom = (
        f"crop=w=iw*0.62:h=ih*0.62:x='(iw-ow)*({x}+0.12*sin(2*PI*t/{PERIOD}))':y='(ih-oh)*{y}',"
        f"scale={film.width}:{film.height}:flags=bicubic"
    )
    other = (
        "eq=brightness=-0.03:saturation=0.75,colorbalance=rs=-0.12:gs=-0.04:bs=0.16:rm=-0.14:bm=0.1:bh=0.06"
    )
    steps += [
        f"[v{count}]split=3[a0][b0][c0]",
        over(title, layers[title], "a0", "a1"),
        f"[{last}:v]split=3[f1][f2][f3]",
        "[a1][f1]overlay,format=yuv420p[a]",
        f"[b0]{zoom}[b1];[b1][f2]overlay,format=yuv420p[b]",
        f"[c0]{other}[c1];[c1][f3]overlay,format=yuv420p[c]",
    ]
    return ";".join(steps)


def run(command: list[str]) -> None:
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"FFmpeg failed ({ended.returncode}): {ended.stderr[-2000:]}")


def compose(ffmpeg: str, layers: list[Layer], drawn: list[Path], film: Film, work: Path) -> None:
    """The three parts of a film, as files of their own."""
    scale = film.height / HEIGHT
    command = [ffmpeg, "-v", "error", "-y", "-filter_threads", "1"]
    for path in drawn:
        command += ["-i", str(path)]
    command += ["-filter_complex", graph(layers, film, scale)]
    for part in "abc":
        command += ["-map", f"[{part}]", *CODEC.format(crf=28).split(), str(work / f"{part}.mp4")]
    run(command)


def music(ffmpeg: str, path: Path, key: float) -> None:
    """Soft chords, a period long."""
    bar = PERIOD / len(CHORDS)
    voices = []
    for voice in range(3):
        hertz = "+".join(f"{chord[voice] * key:.3f}*eq(ld(0),{index})" for index, chord in enumerate(CHORDS))
        voices.append(f"st({voice + 1},2*PI*t*({hertz}))*0+sin(ld({voice + 1}))+0.3*sin(2*ld({voice + 1}))")
    one = f"st(0,floor(t/{bar}))*0+0.035*pow(sin(PI*mod(t,{bar})/{bar}),0.7)*({'+'.join(voices)})"
    source = f"aevalsrc=exprs='{one}|{one}':s=48000:c=stereo:d={PERIOD}"
    run([ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", source, "-c:a", "aac", "-b:a", "96k", str(path)])


def describe(film: Film) -> str:
    """Title and chapters, as FFmpeg reads them."""
    lines = [";FFMETADATA1", f"title={re.sub(r'[.]\d+p$', '', Path(film.name).stem)}"]
    start = 0
    for name, times in zip(film.chapters, film.parts, strict=False):
        end = start + times * PERIOD
        lines += ["[CHAPTER]", "TIMEBASE=1/1", f"START={start}", f"END={end}", f"title={name}"]
        start = end
    return "\n".join(lines) + "\n"


LINES = {
    ("coffees", "en"): (
        "You came.",
        "I said I would.",
        "Two coffees, one sugar?",
        "You remembered.",
        "I never forgot.",
    ),
    ("coffees", "pt-BR"): (
        "Você veio.",
        "Eu disse que vinha.",
        "Dois cafés, um com açúcar?",
        "Você lembrou.",
        "Eu nunca esqueci.",
    ),
    ("lanterns", "en"): (
        "Hold it higher.",
        "It is only a lantern.",
        "No. It is a star that got lost.",
        "Then we should take it home.",
        "And which way is home?",
    ),
    ("lanterns", "pt-BR"): (
        "Levanta mais.",
        "É só uma lanterna.",
        "Não. É uma estrela que se perdeu.",
        "Então vamos levar ela para casa.",
        "E para que lado fica a casa?",
    ),
}
"""What is said, by scene and language."""

CODES = {"en": "eng", "pt-BR": "por"}


def subtitles(film: Film, language: str) -> str:
    """SubRip: a line every four seconds."""

    def stamp(milliseconds: int) -> str:
        seconds = milliseconds // 1000
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{milliseconds % 1000:03}"

    spoken = LINES[film.scene, language]
    return "\n".join(
        f"{number + 1}\n{stamp(4000 * number + 400)} --> {stamp(4000 * number + 3400)}\n{spoken[number % len(spoken)]}\n"
        for number in range(film.seconds // 4)
    )


def join(ffmpeg: str, film: Film, work: Path, music_of: dict[str, Path], target: Path) -> None:
    """Repeat the parts, and add audio, chapters and subtitles, without encoding again."""
    listed = "".join(f"file '{part}.mp4'\n" * times for part, times in zip("abc", film.parts, strict=True))
    (work / "parts.txt").write_text(listed)
    (work / "about.txt").write_text(describe(film))
    command = [ffmpeg, "-v", "error", "-y", "-f", "concat", "-i", str(work / "parts.txt")]
    for language in film.languages:
        command += ["-stream_loop", "-1", "-i", str(music_of[language])]
    command += ["-i", str(work / "about.txt")]
    texts: list[tuple[str, int]] = []
    for language in film.subtitles:
        text = subtitles(film, language)
        if target.suffix == ".mkv":
            path = work / f"{language}.srt"
            texts.append((language, 2 + len(film.languages) + len(texts)))
            command += ["-i", str(path)]
        else:
            path = target.with_name(f"{target.stem}.{language}.srt")
        path.write_text(text, "utf-8")
    command += [
        "-map",
        "0:v",
        "-map_metadata",
        str(1 + len(film.languages)),
        "-map_chapters",
        str(1 + len(film.languages)),
    ]
    for number, language in enumerate(film.languages):
        command += ["-map", f"{number + 1}:a", f"-metadata:s:a:{number}", f"language={language}"]
    for number, (language, place) in enumerate(texts):
        command += ["-map", f"{place}:s", f"-metadata:s:s:{number}", f"language={CODES[language]}"]
    command += ["-c", "copy", "-t", str(film.seconds), "-fflags", "+bitexact"]
    if target.suffix == ".mp4":
        command += ["-movflags", "+faststart"]
    run([*command, str(target)])


def make(
    films: list[Film],
    scenes: dict[str, list[Layer]],
    page: Page,
    ffmpeg: str,
    folder: Path,
    work: Path,
    workers: int,
) -> None:
    """Make all films of a library; while the layers of one are drawn, others are encoded."""
    music_of = {}
    for language, key in (("eng", 1.0), ("por", 1.1225)):
        music_of[language] = work / f"{language}.m4a"
        music(ffmpeg, music_of[language], key)
    drawings: dict[int, Drawing] = {}

    def finish(film: Film, layers: list[Layer], drawn: list[Path], own: Path) -> None:
        compose(ffmpeg, layers, drawn, film, own)
        target = folder / film.name
        target.parent.mkdir(parents=True, exist_ok=True)
        join(ffmpeg, film, own, music_of, target)

    pool: AbstractContextManager[ThreadPoolExecutor] = ThreadPoolExecutor(workers)
    with pool as running:
        jobs = []
        for number, film in enumerate(films):
            own = work / str(number)
            own.mkdir()
            if film.height not in drawings:
                layers_of = work / f"layers-{film.height}"
                layers_of.mkdir()
                drawings[film.height] = Drawing(page, layers_of, film.height / HEIGHT)
            layers = scenes[film.scene]
            drawn = [drawings[film.height].draw(layer) for layer in layers]
            jobs.append(running.submit(finish, film, layers, drawn, own))
        for job in jobs:
            job.result()
