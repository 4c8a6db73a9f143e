"""Programs that are commonly used with a video server, with the usual command lines."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support import Server


def run(*command: str | Path, timeout: float = 60) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, timeout=timeout, check=True)


def test_curl_requests_a_range(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "part"
    head = run(
        "curl",
        "-sS",
        "-D",
        "-",
        "-H",
        "Range: bytes=0-1048576",
        "-o",
        part,
        f"{server.url}/api/stream/sample.mp4",
    ).stdout
    content = (server.videos / "sample.mp4").read_bytes()
    assert b" 206 " in head
    assert f"content-range: bytes 0-1048576/{len(content)}".encode() in head.lower()
    assert part.read_bytes() == content[:1048577]


def test_curl_resumes(server: Server, tmp_path: Path) -> None:
    whole = (server.videos / "sample.mp4").read_bytes()
    part = tmp_path / "part.mp4"
    part.write_bytes(whole[:1_000_000])
    run("curl", "-sS", "-C", "-", "-o", part, f"{server.url}/api/stream/sample.mp4")
    assert part.read_bytes() == whole


def test_wget_resumes(server: Server, tmp_path: Path) -> None:
    whole = (server.videos / "sample.mp4").read_bytes()
    part = tmp_path / "sample.mp4"
    part.write_bytes(whole[:1_000_000])
    run("wget", "-q", "-c", "-P", tmp_path, f"{server.url}/api/stream/sample.mp4")
    assert part.read_bytes() == whole


def test_wget_uses_the_file_name_of_a_download(server: Server, tmp_path: Path) -> None:
    run(
        *("wget", "-q", "--content-disposition", "-P", tmp_path),
        f"{server.url}/api/stream/sample.mp4?download=1",
    )
    assert [file.name for file in tmp_path.iterdir()] == ["sample.mp4"]


def test_ffprobe_reads_the_same_as_from_the_file(server: Server) -> None:
    def read(source: str | Path) -> dict[str, Any]:
        ended = run("ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", source)
        assert ended.stderr == b""
        found: dict[str, Any] = json.loads(ended.stdout)
        del found["format"]["filename"]
        return found

    over_http = read(f"{server.url}/api/stream/sample.mp4")
    assert [stream["codec_name"] for stream in over_http["streams"]] == ["h264", "aac"]
    assert over_http == read(server.videos / "sample.mp4")


def test_ffmpeg_seeks_and_decodes_the_same_frames(server: Server) -> None:
    def frames(source: str | Path) -> bytes:
        command = ("ffmpeg", "-v", "error", "-ss", "7", "-i", source, "-t", "1", "-f", "framemd5", "-")
        ended = run(*command)
        assert ended.stderr == b""
        return ended.stdout

    over_http = frames(f"{server.url}/api/stream/sample.mp4")
    assert over_http.count(b"\n0,") >= 23  # at 24 frames per second
    assert over_http == frames(server.videos / "sample.mp4")
