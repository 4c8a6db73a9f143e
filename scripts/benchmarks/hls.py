"""The HLS renditions and segments of a film, read from its playlists as a player does."""

import http.client
import re
from dataclasses import dataclass

from .library_server import LibraryServer
from .machine import BenchError
from .servers import Running

INIT = re.compile(r'#EXT-X-MAP:URI="([^"]+)"')
SEGMENT = re.compile(r"#EXTINF:([\d.]+),\n(\S+)")


@dataclass(frozen=True, slots=True)
class Resource:
    """A playlist, an init segment or a segment: its size in bytes and its duration in seconds."""

    path: str
    size: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Track:
    """A rendition: its playlist and init segment, and its segments."""

    lead: tuple[Resource, ...]
    segments: tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class HlsFilm:
    """A film with one video rendition and one audio rendition."""

    id: str
    master: str
    video: Track
    audio: Track


def read_film(library: LibraryServer, name: str) -> HlsFilm:
    """Request the playlists of the film `name`, and the sizes of all its segments."""
    videos = library.request_json("/api/videos?limit=200")["items"]
    id_ = next(video["id"] for video in videos if video["name"] == name)
    folder = f"/api/videos/{id_}"
    master = library.request(f"{folder}/master.m3u8").decode()
    found = [
        re.search(pattern, master, re.MULTILINE)
        for pattern in (r"^(v\d+\.m3u8)$", r'^#EXT-X-MEDIA:TYPE=AUDIO.*URI="(a\d+\.m3u8)"')
    ]
    if None in found:
        raise BenchError(f"{name} has no video or no audio rendition:\n{master}")
    link = http.client.HTTPConnection("127.0.0.1", library.running.port, timeout=60)
    tracks = [_track(link, library, folder, each[1]) for each in found if each is not None]
    link.close()
    return HlsFilm(id_, f"{folder}/master.m3u8", *tracks)


def _track(link: http.client.HTTPConnection, library: LibraryServer, folder: str, name: str) -> Track:
    text = library.request(f"{folder}/{name}")
    playlist = text.decode()
    init = INIT.search(playlist)
    if init is None:
        raise BenchError(f"{name} names no init segment")
    segments = tuple(
        Resource(f"{folder}/{path}", _size(link, f"{folder}/{path}"), float(seconds))
        for seconds, path in SEGMENT.findall(playlist)
    )
    path = f"{folder}/{init[1]}"
    return Track((Resource(f"{folder}/{name}", len(text)), Resource(path, _size(link, path))), segments)


def _size(link: http.client.HTTPConnection, path: str) -> int:
    link.request("HEAD", path)
    response = link.getresponse()
    response.read()
    if response.status != 200:
        raise BenchError(f"HEAD {path}: {response.status}")
    return int(response.headers["Content-Length"])


def request_for(running: Running, path: str, field: str = "") -> bytes:
    """The bytes of a request for a path, or for a range of it."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{running.port}"]
    return "\r\n".join([*lines, *([f"Range: {field}"] if field else []), "", ""]).encode()
