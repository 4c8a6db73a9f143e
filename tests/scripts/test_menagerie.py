"""The menagerie is as described: every specimen exists, and the file really has the unusual property.

Boxes are parsed here by separate code, so that neither the script nor the product checks itself.
"""

import functools
import hashlib
import itertools
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests import menagerie as animals
from tests.support import SLOWER, wait_for

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "menagerie"
BASE = "codecs/h264-baseline.mp4"


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"} | environment,
        check=False,
    )


@pytest.fixture(scope="session")
def menagerie() -> Path:
    """The folder of unusual files, created once and kept between runs."""
    return animals.menagerie()


@pytest.fixture(scope="session")
def entries(menagerie: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads((menagerie / "menagerie.json").read_text("utf-8"))
    return listed


# --- Reading files ------------------------------------------------------------------------------------


def walk(data: bytes) -> Iterator[tuple[str, bytes, int]]:
    """The boxes in some bytes: type, body, and size of the header."""
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        header = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            header = 16
        yield kind.decode("latin-1"), data[at + header : at + size], header
        at += size


def find(data: bytes, path: str) -> list[bytes]:
    """The bodies of all boxes at a path such as moov/trak/mdia."""
    first, _, rest = path.partition("/")
    bodies = [body for kind, body, _ in walk(data) if kind == first]
    return [found for body in bodies for found in find(body, rest)] if rest else bodies


def one(data: bytes, path: str) -> bytes:
    found = find(data, path)
    assert len(found) == 1, (path, len(found))
    return found[0]


def order(data: bytes) -> list[str]:
    return [kind for kind, _, _ in walk(data)]


def table(body: bytes, entry: str, at: int = 4) -> list[tuple[int, ...]]:
    """The rows of a full box that has a count and then rows of one layout."""
    (count,) = struct.unpack_from(">I", body, at)
    width = struct.calcsize(">" + entry)
    return [struct.unpack_from(">" + entry, body, at + 4 + width * row) for row in range(count)]


def track(data: bytes, handler: bytes = b"vide") -> bytes:
    """The body of the only track with that handler."""
    (found,) = (trak for trak in find(data, "moov/trak") if one(trak, "mdia/hdlr")[8:12] == handler)
    return found


def stbl(data: bytes, kind: str, handler: bytes = b"vide") -> list[bytes]:
    return find(track(data, handler), f"mdia/minf/stbl/{kind}")


def edits(data: bytes, handler: bytes) -> list[tuple[int, ...]]:
    """The edit list of a track: duration, media time (-1: nothing is shown), rate."""
    return table(one(track(data, handler), "edts/elst"), "Iii")


@functools.cache
def probe(path: Path, *options: str) -> dict[str, Any]:
    if shutil.which("ffprobe") is None:
        pytest.fail("there is no ffprobe")
    shown = options or ("-show_streams", "-show_format", "-show_chapters")
    command: list[str | Path] = ["ffprobe", "-v", "error", "-of", "json", *shown, "-i", path]
    result = subprocess.run(command, capture_output=True, check=False)
    assert result.returncode == 0, (path.name, result.stderr)
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def streams(path: Path, kind: str) -> list[dict[str, Any]]:
    """The tracks of a kind, without cover art."""
    return [
        stream
        for stream in probe(path)["streams"]
        if stream["codec_type"] == kind and not stream["disposition"]["attached_pic"]
    ]


def packets(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = probe(path, "-show_packets", "-select_streams", "v:0")["packets"]
    return found


def units(path: Path, packet: dict[str, Any], mask: int, shift: int = 0) -> set[int]:
    """The types of the NAL units in a packet of an MP4 file."""
    data = path.read_bytes()[int(packet["pos"]) : int(packet["pos"]) + int(packet["size"])]
    found, at = set(), 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        found.add((data[at + 4] >> shift) & mask)
        at += 4 + size
    return found


def clocks(stream: Iterable[bytes]) -> Iterator[int]:
    """The program clock references in transport stream packets, in ticks of 90 kHz."""
    for packet in stream:
        if packet[3] & 0x20 and packet[4] >= 7 and packet[5] & 0x10:
            yield int.from_bytes(packet[6:11]) >> 7


# --- The list and the files ---------------------------------------------------------------------------


def test_about_fifty_are_listed_and_exist_as_listed(menagerie: Path, entries: list[dict[str, Any]]) -> None:
    assert 50 <= len(entries) <= 60
    assert len({entry["name"] for entry in entries}) == len(entries)
    for entry in entries:
        data = (menagerie / entry["name"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["size"], entry["sha256"]), entry[
            "name"
        ]
        assert entry["about"]
        assert all((menagerie / name).is_file() for name in entry["companions"])
        assert entry["damaged"] == entry["name"].startswith("damaged/")


def test_no_unlisted_and_no_unfinished_file_is_left(menagerie: Path, entries: list[dict[str, Any]]) -> None:
    listed = {name for entry in entries for name in (entry["name"], *entry["companions"])}
    found = {str(path.relative_to(menagerie)) for path in menagerie.rglob("*") if path.is_file()}
    assert {name for name in found if not name.startswith(".")} == listed | {"menagerie.json"}
    assert not (menagerie / ".making").exists()


def test_undamaged_files_have_the_listed_tracks(menagerie: Path, entries: list[dict[str, Any]]) -> None:
    containers = {
        "3gp": "mov", "mp4": "mov", "mov": "mov", "ps": "mpeg", "ts": "mpegts", "m2ts": "mpegts",
        "mkv": "matroska", "webm": "matroska", "avi": "avi", "flv": "flv", "ogg": "ogg",
    }  # fmt: skip

    def check(entry: dict[str, Any]) -> None:
        path = menagerie / entry["name"]
        found = {kind: [one["codec_name"] for one in streams(path, kind)] for kind in ("video", "audio")}
        assert found == {"video": entry["video"], "audio": entry["audio"]}, entry["name"]
        assert probe(path)["format"]["format_name"].split(",")[0] == containers[entry["container"]]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(check, (entry for entry in entries if not entry["damaged"])))


def test_all_codecs_and_containers_occur(entries: list[dict[str, Any]]) -> None:
    assert {entry["container"] for entry in entries if entry["container"]} == {
        "mp4", "mov", "3gp", "mkv", "webm", "ts", "m2ts", "ps", "avi", "flv", "ogg",
    }  # fmt: skip
    assert {codec for entry in entries for codec in entry["video"]} == {
        "h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "prores", "theora", "flv1", "h263",
    }  # fmt: skip
    assert {codec for entry in entries for codec in entry["audio"]} == {
        "aac", "ac3", "eac3", "flac", "mp2", "mp3", "opus", "pcm_s16le", "vorbis",
    }  # fmt: skip
    assert any(not entry["audio"] and entry["video"] and not entry["damaged"] for entry in entries)


def test_undamaged_files_decode_without_errors(menagerie: Path, entries: list[dict[str, Any]]) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.fail("there is no ffmpeg")

    def check(name: str) -> None:
        line = [
            "ffmpeg",
            "-v",
            "error",
            "-xerror",
            "-i",
            str(menagerie / name),
            "-f",
            "null",
            "-",
        ]
        result = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stderr) == (0, ""), name

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(check, (entry["name"] for entry in entries if not entry["damaged"])))


# --- Containers ---------------------------------------------------------------------------------------


def test_the_index_is_first_or_last(menagerie: Path) -> None:
    first = order((menagerie / BASE).read_bytes())
    last = order((menagerie / "timing/one-keyframe.mp4").read_bytes())
    assert first.index("moov") < first.index("mdat")
    assert last.index("moov") > last.index("mdat")


def test_fragments_follow_a_segment_index(menagerie: Path) -> None:
    data = (menagerie / "containers/fragmented-sidx.mp4").read_bytes()
    kinds = order(data)
    assert kinds.count("moof") >= 4
    assert kinds.index("moov") < kinds.index("sidx") < kinds.index("moof")
    assert find(data, "moov/mvex/trex")
    assert not table(one(track(data), "mdia/minf/stbl/stts"), "II")


def test_separate_fragments_count_from_the_start_of_the_file(menagerie: Path) -> None:
    data = (menagerie / "containers/fragmented-separate-moof.mp4").read_bytes()
    fragments = find(data, "moof")
    assert len(fragments) >= 8
    assert all(len(find(fragment, "traf")) == 1 for fragment in fragments)
    assert {one(fragment, "traf/tfhd")[3] & 1 for fragment in fragments} == {1}  # base-data-offset-present
    assert not {"sidx", "mfra"} & set(order(data))


def test_wide_offsets_point_at_the_same_samples(menagerie: Path) -> None:
    data, base = ((menagerie / name).read_bytes() for name in ("containers/co64-largesize.mp4", BASE))
    assert [header for kind, _, header in walk(data) if kind == "mdat"] == [16]
    for handler in (b"vide", b"soun"):
        assert not stbl(data, "stco", handler)
        wide = table(stbl(data, "co64", handler)[0], "Q")
        narrow = table(stbl(base, "stco", handler)[0], "I")
        assert [data[at : at + 64] for (at,) in wide] == [base[at : at + 64] for (at,) in narrow]


def test_clocks_of_transport_streams_start_late_and_wrap(menagerie: Path) -> None:
    data = (menagerie / "containers/clock-wraps.m2ts").read_bytes()
    assert len(data) % 192 == 0
    assert set(data[4::192]) == {0x47}
    clock = list(clocks(data[at + 4 : at + 192] for at in range(0, len(data), 192)))
    assert clock[0] > (1 << 33) - 5 * 90000
    assert clock[-1] < 5 * 90000
    assert sum(later < earlier for earlier, later in itertools.pairwise(clock)) == 1
    late = menagerie / "codecs/mpeg2-interlaced-ac3.ts"
    assert set(late.read_bytes()[::188]) == {0x47}
    assert float(probe(late)["format"]["start_time"]) > 36000


# --- Codecs -------------------------------------------------------------------------------------------


def test_profiles_and_tags(menagerie: Path) -> None:
    def stream_of(name: str) -> dict[str, Any]:
        return streams(menagerie / name, "video")[0]

    assert stream_of(BASE)["profile"] == "Constrained Baseline"
    assert stream_of("codecs/h264-high10-flac.mkv")["profile"] == "High 10"
    assert stream_of("timing/pyramid-negative-cts.mp4")["profile"] == "High"
    assert stream_of("codecs/hevc-hvc1-hdr10.mp4")["codec_tag_string"] == "hvc1"
    assert stream_of("codecs/hevc-hev1-ac3.mp4")["codec_tag_string"] == "hev1"
    assert stream_of("codecs/mpeg4-asp-mp3.avi")["profile"] == "Advanced Simple Profile"


def test_hdr10(menagerie: Path) -> None:
    path = menagerie / "codecs/hevc-hvc1-hdr10.mp4"
    entry = stbl(path.read_bytes(), "stsd")[0]
    assert b"colrnclx" + struct.pack(">3H", 9, 16, 9) in entry
    frame = probe(path, "-show_frames", "-select_streams", "v", "-read_intervals", "%+#1")["frames"][0]
    assert {side["side_data_type"] for side in frame["side_data_list"]} >= {
        "Mastering display metadata",
        "Content light level metadata",
    }


# --- Timing -------------------------------------------------------------------------------------------


def test_gops_are_closed_or_open(menagerie: Path) -> None:
    closed, opened = menagerie / BASE, menagerie / "timing/open-gop.mp4"
    keys = [packet for packet in packets(closed) if "K" in packet["flags"]]
    assert len(keys) == 4
    assert all(5 in units(closed, key, 0x1F) for key in keys)

    shown = packets(opened)
    keys = [packet for packet in shown if "K" in packet["flags"]]
    assert table(stbl(opened.read_bytes(), "stss")[0], "I") == [(shown.index(key) + 1,) for key in keys]
    assert len(keys) >= 4
    assert 5 in units(opened, keys[0], 0x1F)
    for key in keys[1:]:
        assert 5 not in units(opened, key, 0x1F)
        assert shown[shown.index(key) + 1]["pts"] < key["pts"]


def test_hevc_groups_start_with_clean_random_access(menagerie: Path) -> None:
    path = menagerie / "codecs/hevc-hev1-ac3.mp4"
    shown = packets(path)
    keys = [packet for packet in shown if "K" in packet["flags"]]
    assert len(keys) >= 3
    for key in keys[1:]:
        assert 21 in units(path, key, 0x3F, 1)  # CRA_NUT
        assert shown[shown.index(key) + 1]["pts"] < key["pts"]


def test_one_frame_or_all_are_keyframes(menagerie: Path) -> None:
    assert table(stbl((menagerie / "timing/one-keyframe.mp4").read_bytes(), "stss")[0], "I") == [(1,)]
    every = menagerie / "timing/every-frame-key.mp4"
    assert not stbl(every.read_bytes(), "stss")
    assert all("K" in packet["flags"] for packet in packets(every))
    assert streams(every, "video")[0]["avg_frame_rate"] == "50/1"


def test_frames_have_different_durations(menagerie: Path) -> None:
    assert (
        len({delta for _, delta in table(stbl((menagerie / "timing/vfr.mov").read_bytes(), "stts")[0], "II")})
        >= 4
    )
    odd = (menagerie / "timing/odd-time-base.mp4").read_bytes()
    assert struct.unpack_from(">I", one(track(odd), "mdia/mdhd"), 12) == (11111,)
    assert {delta for _, delta in table(stbl(odd, "stts")[0], "II")} >= {370, 371}


def test_a_pyramid_with_negative_composition_offsets(menagerie: Path) -> None:
    path = menagerie / "timing/pyramid-negative-cts.mp4"
    (ctts,) = stbl(path.read_bytes(), "ctts")
    assert ctts[0] == 1
    assert min(offset for _, offset in table(ctts, "Ii")) < 0
    assert streams(path, "video")[0]["r_frame_rate"] == "24000/1001"
    assert streams(path, "video")[0]["has_b_frames"] == 2
    frames = probe(path, "-show_frames", "-select_streams", "v")["frames"]
    assert "BBBBBBBB" in "".join(frame["pict_type"] for frame in frames)


def test_edit_lists(menagerie: Path) -> None:
    late, cut, audio_only = (
        (menagerie / name).read_bytes()
        for name in ("timing/late-picture.mp4", "timing/cut-by-copy.mp4", "codecs/sound-only.mp4")
    )
    empty, shown = edits(late, b"vide")
    assert (empty[1], empty[0]) == (-1, 720)
    assert shown[1] > 0
    ((_, start, _),) = edits(cut, b"vide")
    (scale,) = struct.unpack_from(">I", one(track(cut), "mdia/mdhd"), 12)
    assert 0.3 < start / scale < 0.5  # from the keyframe at 1.001 s to the cut at 1.4 s
    assert [media for _, media, _ in edits(audio_only, b"soun")] == [1024]
    assert float(streams(menagerie / "timing/late-picture.mp4", "video")[0]["start_time"]) == pytest.approx(
        0.72
    )


def test_audio_is_longer_than_video(menagerie: Path) -> None:
    path = menagerie / "timing/uneven-lengths.mp4"
    lengths = [float(streams(path, kind)[0]["duration"]) for kind in ("video", "audio")]
    assert lengths == pytest.approx([2, 5], abs=0.1)


# --- Tracks and frames --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "audio", "subtitles"),
    [
        ("tracks/languages-chapters.mp4", ["eng", "jpn", "deu"], {"mov_text": ["eng", "deu"]}),
        ("tracks/subtitles.mkv", ["eng", "rus"], {"subrip": ["eng"], "ass": ["jpn"]}),
    ],
)
def test_languages_subtitles_and_chapters(
    menagerie: Path, name: str, audio: list[str], subtitles: dict[str, list[str]]
) -> None:
    path = menagerie / name
    assert [stream["tags"]["language"] for stream in streams(path, "audio")] == audio
    found: dict[str, list[str]] = {}
    for stream in streams(path, "subtitle"):
        found.setdefault(stream["codec_name"], []).append(stream["tags"]["language"])
    assert found == subtitles
    titles = [chapter["tags"]["title"] for chapter in probe(path)["chapters"]]
    assert titles == ["Opening", "日本語 & <b>marks</b> #2"]


def test_cover_rotation_and_timecode(menagerie: Path) -> None:
    video_streams = [
        one for one in probe(menagerie / "tracks/cover.mp4")["streams"] if one["codec_type"] == "video"
    ]
    assert [one["disposition"]["attached_pic"] for one in video_streams] == [0, 1]
    assert find((menagerie / "tracks/cover.mp4").read_bytes(), "moov/udta")

    rotated = track((menagerie / "tracks/ROTATED.MOV").read_bytes())
    assert struct.unpack(">9i", one(rotated, "tkhd")[-44:-8]) == (
        0,
        65536,
        0,
        -65536,
        0,
        0,
        180 << 16,
        0,
        1 << 30,
    )
    (side,) = streams(menagerie / "tracks/ROTATED.MOV", "video")[0]["side_data_list"]
    assert side["rotation"] == -90

    clock = streams(menagerie / "codecs/prores-pcm-timecode.mov", "data")[0]
    assert (clock["codec_tag_string"], clock["tags"]["timecode"]) == ("tmcd", "01:02:03:04")


def test_sidecars_have_the_name_of_their_film(menagerie: Path, entries: list[dict[str, Any]]) -> None:
    (entry,) = (entry for entry in entries if entry["companions"])
    stem = entry["name"].removesuffix(".mp4")
    assert entry["companions"] == [stem + ".srt", stem + ".ja.vtt", stem + ".ass"]
    assert (menagerie / (stem + ".srt")).read_bytes().startswith(b"\xef\xbb\xbf1\r\n00:00:00,200 --> ")
    assert (menagerie / (stem + ".ja.vtt")).read_text("utf-8").startswith("WEBVTT\n")
    for name, codec in zip(entry["companions"], ("subrip", "webvtt", "ass"), strict=True):
        (text,) = streams(menagerie / name, "subtitle")
        assert text["codec_name"] == codec
        assert len(probe(menagerie / name, "-show_packets")["packets"]) == 2


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("pictures/odd-size-444.mp4", {"width": 427, "height": 241, "pix_fmt": "yuv444p"}),
        ("pictures/tall-gray.mp4", {"width": 180, "height": 320}),
        ("pictures/one-frame.mp4", {"nb_frames": "1"}),
        ("codecs/mpeg2-interlaced-ac3.ts", {"field_order": "tt", "r_frame_rate": "25/1"}),
        (
            "codecs/mpeg2-anamorphic-mp2.mpg",
            {"width": 360, "height": 288, "sample_aspect_ratio": "16:15", "display_aspect_ratio": "4:3"},
        ),
    ],
)
def test_frames_have_unusual_shapes(menagerie: Path, name: str, properties: dict[str, Any]) -> None:
    (stream,) = streams(menagerie / name, "video")
    assert {key: stream[key] for key in properties} == properties


def test_gray_has_no_colour_planes(menagerie: Path) -> None:
    entry = stbl((menagerie / "pictures/tall-gray.mp4").read_bytes(), "stsd")[0]
    at = entry.index(b"avcC")
    (size,) = struct.unpack_from(">I", entry, at - 4)
    assert entry[at - 4 : at - 4 + size][-4] & 3 == 0  # chroma_format: 4:0:0


# --- Names and damage ---------------------------------------------------------------------------------


def test_names_are_unusual(entries: list[dict[str, Any]]) -> None:
    names = [entry["name"] for entry in entries]
    every = "".join(names)
    assert all(mark in every for mark in " #%?+&'\"")
    assert "%20" in every
    assert all(mark in every for mark in ("日本語", "Кириллица", "العربية", "🎬", "e\u0301"))
    parts = [part for name in names for part in name.split("/")]
    assert max(len(part.encode()) for part in parts) == 255
    assert any(part.startswith("-") for part in parts)
    assert any(part.endswith(".") for part in parts)
    assert any(part.endswith(" ") for part in parts)
    assert max(name.count("/") for name in names) >= 10
    assert any(name.endswith(".MOV") for name in names)


def test_damaged_files_are_damaged(menagerie: Path) -> None:
    files = {path.name: path.read_bytes() for path in (menagerie / "damaged").iterdir()}
    base = (menagerie / BASE).read_bytes()
    index_end = base.index(b"mdat") - 4
    assert base.startswith(files["cut-in-data.mp4"])
    assert len(files["cut-in-data.mp4"]) > index_end
    assert base.startswith(files["cut-in-index.mp4"])
    assert 0 < len(files["cut-in-index.mp4"]) < index_end - 8
    assert "moov" not in order(files["no-index.mp4"])
    assert "mdat" in order(files["no-index.mp4"])
    assert len(files["flipped.mp4"]) == len(base)
    assert files["flipped.mp4"][:index_end] == base[:index_end]
    assert 100 < sum(ours != theirs for ours, theirs in zip(files["flipped.mp4"], base, strict=True)) < 2000
    assert struct.pack(">I4sQ", 1, b"free", 1 << 63) in files["boundless-box.mp4"][:64]
    assert files["empty.mp4"] == b""
    assert files["playlist.mp4"].startswith(b"#EXTM3U\n")
    assert b"/etc/passwd" in files["playlist.mp4"]
    assert files["prose.mkv"].isascii()
    assert len(files["garbage.mp4"]) == 65536


# --- The script itself --------------------------------------------------------------------------------


def test_a_second_run_creates_nothing(menagerie: Path, entries: list[dict[str, Any]]) -> None:
    def times() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in menagerie.rglob("*") if path.name != ".lock"}

    folders = {str(menagerie)}  # whose time changes when the scratch folder is created and removed
    before = times()
    result = run(menagerie)
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1].startswith(
        f"{len(entries)} specimens: 0 created, {len(entries)} unchanged, 0 skipped"
    )
    assert {name: at for name, at in times().items() if name not in folders} == before


def test_a_changed_file_is_created_again_with_the_same_bytes(tmp_path: Path) -> None:
    assert run(tmp_path, "--only", "codecs/h263*").returncode == 0
    (path,) = tmp_path.glob("codecs/*")
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    result = run(tmp_path, "--only", "codecs/h263*", "--json")
    assert "1 created, 0 unchanged" in result.stderr
    assert path.read_bytes() == content
    assert [entry["name"] for entry in json.loads(result.stdout)] == ["codecs/h263-aac.3gp"]


def test_files_are_the_same_in_every_folder_and_with_one_job(menagerie: Path, tmp_path: Path) -> None:
    chosen = ["codecs/av1*", "codecs/vp9*", "codecs/hevc-hev1*", "timing/cut*", "tracks/*"]
    result = run(tmp_path, "--jobs", "1", "--only", *chosen)
    assert result.returncode == 0
    for path in (path for path in tmp_path.rglob("[!.]*") if path.is_file() and ".stamps" not in path.parts):
        if path.name != "menagerie.json":
            assert path.read_bytes() == (menagerie / path.relative_to(tmp_path)).read_bytes(), path.name


def script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def test_what_the_ffmpeg_cannot_encode_is_skipped_by_name(tmp_path: Path) -> None:
    limited = script(tmp_path / "poor", f'exec {shutil.which("ffmpeg")} "$@" | grep -v libx265')
    chosen = ["--only", "codecs/hevc-hev1-ac3.mp4", "damaged/empty.mp4"]
    result = run(tmp_path / "made", *chosen, TRIO_STREAM_FFMPEG=str(limited))
    assert result.returncode == 1
    assert "codecs/hevc-hev1-ac3.mp4: this ffmpeg has no encoder libx265" in result.stdout
    assert "1 created, 0 unchanged, 1 skipped, 0 failed" in result.stdout
    assert run(tmp_path / "made", *chosen, "--allow-missing", TRIO_STREAM_FFMPEG=str(limited)).returncode == 0


def test_a_failure_is_reported_and_fails_derived_specimens(tmp_path: Path) -> None:
    broken = script(
        tmp_path / "broken",
        f'case "$*" in *-encoders*) exec {shutil.which("ffmpeg")} "$@";; esac',
        "echo no luck >&2; exit 3",
    )
    result = run(tmp_path / "made", "--only", "tracks/ROTATED.MOV", TRIO_STREAM_FFMPEG=str(broken))
    assert result.returncode == 1
    assert "timing/vfr.mov: no luck" in result.stdout
    assert "tracks/ROTATED.MOV: timing/vfr.mov: failed" in result.stdout
    assert json.loads((tmp_path / "made" / "menagerie.json").read_text()) == []


def is_gone(number: int) -> bool:
    """Whether no process with that id runs; a zombie counts as gone."""
    result = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True, check=False
    )
    return not result.stdout.strip() or result.stdout.startswith("Z")


def test_an_interrupt_kills_every_ffmpeg_and_its_children(tmp_path: Path) -> None:
    numbers = tmp_path / "numbers"
    numbers.touch()
    hanging = script(
        tmp_path / "stuck",
        f'case "$*" in *-encoders*) exec {shutil.which("ffmpeg")} "$@";; esac',
        f"sleep 600 & echo $$ $! >> '{numbers}'; wait",
    )
    command = [sys.executable, str(SCRIPT), str(tmp_path / "made"), "--jobs", "3"]
    environment = os.environ | {"TRIO_STREAM_FFMPEG": str(hanging)}
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        wait_for(lambda: len(numbers.read_text().splitlines()) == 3, 20, "three of them to run")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SLOWER * 20)
    assert process.returncode == 130
    assert b"interrupted" in errors
    started = [int(number) for number in numbers.read_text().split()]
    assert len(started) == 6
    wait_for(lambda: all(is_gone(number) for number in started), 5, "all of them to end")
    assert not (tmp_path / "made" / ".making").exists()


def test_listing_creates_nothing(tmp_path: Path) -> None:
    result = run(tmp_path / "none", "--list", "--json")
    assert result.returncode == 0
    assert len(json.loads(result.stdout)) >= 40
    assert not (tmp_path / "none").exists()
    assert run(tmp_path / "none", "--only", "no/such*").returncode == 2
