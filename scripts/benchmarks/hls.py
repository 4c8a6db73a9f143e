"""What a film is as HLS, learnt as a player learns it: from its playlists."""

import http.client
import re
from dataclasses import dataclass

from .machine import BenchError
from .servers import Running
from .shelf import Shelf

INIT = re.compile(r'#EXT-X-MAP:URI="([^"]+)"')
SEGMENT = re.compile(r"#EXTINF:([\d.]+),\n(\S+)")


@dataclass(frozen=True, slots=True)
class Piece:
    """Something to be fetched: its bytes, and the seconds of film that it is."""

    path: str
    size: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Track:
    """A rendition: its playlist and init segment, and its segments."""

    lead: tuple[Piece, ...]
    segments: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Packaged:
    """A film with one rendition of pictures and one of sound."""

    id: str
    master: str
    pictures: Track
    sound: Track


def learn(shelf: Shelf, name: str) -> Packaged:
    """Ask for everything there is of the film `name`."""
    videos = shelf.ask("/api/videos?limit=200")["items"]
    id_ = next(video["id"] for video in videos if video["name"] == name)
    folder = f"/api/videos/{id_}"
    master = shelf.raw(f"{folder}/master.m3u8").decode()
    found = [
        re.search(pattern, master, re.MULTILINE)
        for pattern in (r"^(v\d+\.m3u8)$", r'^#EXT-X-MEDIA:TYPE=AUDIO.*URI="(a\d+\.m3u8)"')
    ]
    if None in found:
        raise BenchError(f"{name} is not offered as pictures and sound:\n{master}")
    link = http.client.HTTPConnection("127.0.0.1", shelf.running.port, timeout=60)
    tracks = [_track(link, shelf, folder, each[1]) for each in found if each is not None]
    link.close()
    return Packaged(id_, f"{folder}/master.m3u8", *tracks)


def _track(link: http.client.HTTPConnection, shelf: Shelf, folder: str, name: str) -> Track:
    text = shelf.raw(f"{folder}/{name}")
    playlist = text.decode()
    init = INIT.search(playlist)
    if init is None:
        raise BenchError(f"no init segment in {name}")
    segments = tuple(
        Piece(f"{folder}/{path}", _size(link, f"{folder}/{path}"), float(seconds))
        for seconds, path in SEGMENT.findall(playlist)
    )
    path = f"{folder}/{init[1]}"
    return Track((Piece(f"{folder}/{name}", len(text)), Piece(path, _size(link, path))), segments)


def _size(link: http.client.HTTPConnection, path: str) -> int:
    link.request("HEAD", path)
    answer = link.getresponse()
    answer.read()
    if answer.status != 200:
        raise BenchError(f"HEAD {path}: {answer.status}")
    return int(answer.headers["Content-Length"])


def asking(running: Running, path: str, field: str = "") -> bytes:
    """The bytes of a request for a path, or of a range of it."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{running.port}"]
    return "\r\n".join([*lines, *([f"Range: {field}"] if field else []), "", ""]).encode()
