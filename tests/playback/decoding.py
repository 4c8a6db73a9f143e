"""What ffmpeg decodes from a source: every video and audio frame, its presentation time and a hash."""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import m3u8

VIDEO = "-enc_time_base -1 -fps_mode passthrough"
AUDIO = "-af atrim=start=0"

HIDDEN_SECONDS = 0.0001
"""Seconds: frames presented for less are there only to be decoded."""


@dataclass(frozen=True)
class Frames:
    """Frames of one track: presentation times in seconds, and hashes of the decoded data."""

    times: tuple[float, ...]
    hashes: tuple[str, ...]


def renditions(master: str) -> dict[str, str]:
    """The names of the renditions in a master playlist, by ffmpeg's track specifier."""
    read = m3u8.loads(master)
    video = [playlist.uri for playlist in read.playlists if playlist.stream_info.resolution]
    audio_tracks = [entry.uri for entry in read.media if entry.type == "AUDIO"]
    if not (video or audio_tracks):
        audio_tracks = [playlist.uri for playlist in read.playlists]
    tracks = {"v:0": video[0]} if video else {}
    tracks |= {f"a:{number}": uri for number, uri in enumerate(audio_tracks)}
    return {track: uri.removesuffix(".m3u8") for track, uri in tracks.items()}


def decode(
    source: str | Path | bytes, tracks: Sequence[str], *, apart: bool = False, zero: bool = False
) -> tuple[Frames, ...]:
    """All frames of a file, a URL, or bytes; `tracks` as in "v:0", "a:1".

    Frames before 0 are not presented, and are left out. `apart` decodes each track separately, because FFmpeg takes the
    end of the first track for that of all, as it does in DASH. `zero`: timestamps may begin anywhere (MPEG-TS), and are
    shifted to 0.
    """
    if apart:
        with ThreadPoolExecutor(len(tracks)) as pool:
            return tuple(frames for [frames] in pool.map(lambda track: decode(source, [track]), tracks))
    inputs, data = ("pipe:0", source) if isinstance(source, bytes) else (str(source), None)
    with tempfile.TemporaryDirectory() as folder:
        outputs: list[str] = []
        paths = [f"{folder}/{number}" for number in range(len(tracks))]
        for track, path in zip(tracks, paths, strict=True):
            how = VIDEO if track.startswith("v") else AUDIO
            outputs += ["-map", f"0:{track}", *how.split(), "-f", "framemd5", path]
        clock = ("-copyts", "-start_at_zero") if zero else ("-copyts",)
        command = ["ffmpeg", "-v", "error", "-nostdin", *clock, "-threads", "1", "-i", inputs, *outputs]
        done = subprocess.run(command, input=data, capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[:2000].decode(errors="replace")
        return tuple(_read(Path(path).read_text()) for path in paths)


def _read(text: str) -> Frames:
    found = re.search(r"^#tb 0: (\S+)$", text, re.MULTILINE)
    assert found is not None
    base = Fraction(found[1])
    rows = [line.split(",") for line in text.splitlines() if line and not line.startswith("#")]
    shown = sorted((int(pts), hashed.strip()) for _, _, pts, _, _, hashed in rows if int(pts) >= 0)
    seen = [
        one
        for one, other in zip_longest(shown, shown[1:])
        if other is None or (other[0] - one[0]) * base > HIDDEN_SECONDS
    ]
    return Frames(tuple(float(pts * base) for pts, _ in seen), tuple(hashed for _, hashed in seen))
