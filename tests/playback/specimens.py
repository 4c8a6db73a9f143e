"""Films that are packaged in the tests: small and short, and each is awkward in a way of its own.

One lasts for two hours, with few pictures a second. They are made by ffmpeg once and kept from run to run.
"""

import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.kept import kept_folder, key

SECONDS = 13
"""Three segments of pictures: two seconds, four, and the rest."""


def picture(rate: str = "24", seconds: float = SECONDS) -> str:
    return f"-f lavfi -i testsrc2=size=128x72:rate={rate}:duration={seconds} "


def tone(hertz: int = 440, rate: int = 48_000, seconds: float = SECONDS) -> str:
    return f"-f lavfi -i sine=frequency={hertz}:sample_rate={rate}:duration={seconds} "


def lasting(seconds: float) -> str:
    """A long film of few pictures."""
    coded = f"{X264} -s 64x36 -bf 3 -b_strategy 0 -g 12 -c:a aac -b:a 8k"
    return f"{picture('3', seconds)} {tone(rate=8000, seconds=seconds)} {coded}"


X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p "
B_FRAMES = f"{X264} -bf 3 -b_strategy 0 -g 48 "
AAC = "-c:a aac -b:a 48k "
BOTH = picture() + tone()


@dataclass(frozen=True)
class Specimen:
    """A film: what ffmpeg is told, behind `base`, another one, if it has one. What is no MP4 is remuxed.

    `open`: groups of pictures are open, so that a segment fetched alone lacks those that lead its keyframe.
    """

    name: str
    arguments: str
    base: str | None = None
    open: bool = False
    suffix: str = "mp4"

    @property
    def file(self) -> str:
        return f"{self.name}.{self.suffix}"


SPECIMENS = (
    Specimen("b-frames", f"{BOTH} {B_FRAMES} {AAC}"),
    Specimen(
        "open-gops",
        # 13 references a group, so that no keyframe but the first has the frame_num 0, which is counted modulo 16: where
        # one has, Chromium's decoder does not begin, as it is told to forget a picture that it has not seen.
        f"{BOTH} {X264} -bf 3 -g 52 -x264-params open-gop=1:scenecut=0:b-pyramid=none {AAC}",
        open=True,
    ),
    Specimen("odd-keyframes", f"{BOTH} {X264} -bf 2 -g 1000 -force_key_frames 0,0.5,1,3.5,4,8,9,12.5 {AAC}"),
    Specimen("index-first", f"{BOTH} {X264} -bf 2 -g 48 {AAC} -movflags +faststart"),
    Specimen("fragmented", f"{BOTH} {X264} -bf 2 -g 48 {AAC} -movflags frag_keyframe+empty_moov"),
    Specimen(
        "fragmented-by-time",
        f"{BOTH} {X264} -bf 2 -g 48 {AAC} -frag_duration 700000"
        " -movflags frag_keyframe+default_base_moof+delay_moov+negative_cts_offsets",
    ),
    Specimen("fragmented-from-its-index", f"{BOTH} {X264} -bf 2 -g 48 {AAC} -movflags frag_keyframe"),
    Specimen(
        "two-sounds",
        f"{BOTH} {tone(880, 44_100)} -map 0 -map 1 -map 2 {X264} -g 60 {AAC}"
        " -metadata:s:a:0 language=eng -metadata:s:a:1 language=por -metadata:s:a:1 title=Dublado",
    ),
    Specimen("ntsc", f"{picture('30000/1001')} {tone()} {X264} -bf 2 -g 45 {AAC}"),
    Specimen(
        "variable-rate",
        f"{picture('30')} {tone()} -vf select='not(mod(n\\,5)*lt(mod(n\\,7)\\,3))' -fps_mode vfr {X264} -bf 2 -g 40 {AAC}",
    ),
    Specimen("late-sound", f"{picture()} -itsoffset 0.7 {tone()} -map 0 -map 1 {X264} -bf 2 -g 48 {AAC}"),
    Specimen(
        "late-pictures",
        f"-itsoffset 0.4 {picture()} {tone()} -map 0 -map 1 -fps_mode passthrough {X264} -bf 2 -g 48 {AAC}",
    ),
    Specimen("cut-by-copying", "-ss 3.3 -i base -c copy", base="b-frames"),
    Specimen("pictures-only", f"{picture()} {X264} -bf 2 -g 48"),
    Specimen("sound-only", f"{tone()} {AAC}"),
    Specimen("keyframes-only", f"{BOTH} {X264} -g 1 {AAC}"),
    Specimen("one-keyframe", f"{BOTH} {X264} -bf 2 -g 9999 -sc_threshold 0 {AAC}"),
    Specimen("long-sound", f"{picture(seconds=5)} {tone(seconds=20)} {X264} -g 48 {AAC}"),
    Specimen("short-sound", f"{picture()} {tone(seconds=5)} {X264} -bf 2 -g 48 {AAC}"),
    Specimen("short", f"{picture(seconds=0.5)} {tone(seconds=0.5)} {X264} -bf 2 {AAC}"),
    Specimen(
        "hevc",
        f"{BOTH} -c:v libx265 -preset ultrafast -tag:v hvc1 -pix_fmt yuv420p"
        " -x265-params log-level=error:open-gop=1:keyint=48:min-keyint=48:scenecut=0:bframes=4:pools=none:frame-threads=1"
        " -c:a ac3 -b:a 96k",
        open=True,
    ),
    Specimen(
        "av1-opus",
        f"{picture(seconds=9)} {tone(seconds=9)} -c:v libaom-av1 -cpu-used 8 -row-mt 0 -g 48 -lag-in-frames 8 -crf 50 -b:v 0"
        " -c:a libopus -b:a 48k",
    ),
    Specimen(
        "vp9-opus",
        f"{picture(seconds=9)} {tone(seconds=9)} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 48 -b:v 100k"
        " -c:a libopus -b:a 48k",
    ),
    Specimen("two-hours", lasting(7200)),
    Specimen("ten-minutes", lasting(600)),
    Specimen("flac", f"{BOTH} {X264} -bf 2 -g 48 -c:a flac -strict -2"),
    Specimen("mp3", f"{BOTH} {X264} -bf 2 -g 48 -c:a libmp3lame -b:a 64k"),
    Specimen("mkv-b-frames", "-i base -c copy", base="b-frames", suffix="mkv"),
    Specimen("mkv-two-sounds", "-i base -map 0 -c copy", base="two-sounds", suffix="mkv"),
    Specimen("mkv-hevc", "-i base -c copy", base="hevc", open=True, suffix="mkv"),
    Specimen("mkv-flac", "-i base -c copy", base="flac", suffix="mkv"),
    Specimen("webm-av1-opus", "-i base -c:v copy -c:a libopus -b:a 48k", base="av1-opus", suffix="webm"),
    Specimen("webm-vp9-opus", "-i base -c:v copy -c:a libopus -b:a 48k", base="vp9-opus", suffix="webm"),
    Specimen("ts-b-frames", "-i base -c copy", base="b-frames", suffix="ts"),
    Specimen("mov-late-pictures", "-i base -c copy", base="late-pictures", suffix="mov"),
    Specimen("mov-mp3", "-i base -c copy", base="mp3", suffix="mov"),
    Specimen("mov-ac3", f"{BOTH} {X264} -bf 2 -g 48 -c:a ac3 -b:a 96k", suffix="mov"),
    Specimen("mov-alac-mono", f"{BOTH} {X264} -bf 2 -g 48 -c:a alac", suffix="mov"),
    Specimen("quicktime-96k", f"{picture()} {tone(rate=96_000)} {X264} -g 48 {AAC} -f mov -brand mp42"),
    Specimen(
        "quicktime-22k", f"{picture()} {tone(rate=22_050)} {X264} -g 48 -c:a libmp3lame -f mov -brand mp42"
    ),
)
"""Opus is coded anew for WebM: only so it says how much of its last packet is padding."""

FORMATS = {"mkv": "matroska", "ts": "mpegts"}
"""Of suffixes that are not called like their containers."""

REMUXED = tuple(specimen for specimen in SPECIMENS if specimen.suffix not in ("mp4", "mov"))
COPIED = tuple(specimen for specimen in SPECIMENS if specimen.suffix in ("mp4", "mov"))


def specimens() -> Path:
    """The folder of them all; whoever comes first makes what is not there, and others wait for it."""
    recipes = repr([(specimen.file, specimen.arguments, specimen.base) for specimen in SPECIMENS])
    with kept_folder(f"specimens-{key(recipes)}") as folder:
        missing = [specimen for specimen in SPECIMENS if not (folder / specimen.file).exists()]
        for derived in (False, True):
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                list(
                    pool.map(
                        lambda item: _make(folder, item),
                        [specimen for specimen in missing if bool(specimen.base) is derived],
                    )
                )
    return folder


def _make(folder: Path, specimen: Specimen) -> None:
    words = shlex.split(specimen.arguments)
    if specimen.base is not None:
        words[words.index("base")] = str(folder / f"{specimen.base}.mp4")
    unfinished = folder / f".{specimen.file}"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-y",
        "-threads",
        "1",
        *words,
        *(() if " -f mov " in specimen.arguments else ("-f", FORMATS.get(specimen.suffix, specimen.suffix))),
        str(unfinished),
    ]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, f"{specimen.name}: {made.stderr}"
    unfinished.rename(folder / specimen.file)
