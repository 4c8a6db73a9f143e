"""The one way a job opens media: content decides what it is, and it is one file.

FFmpeg gets the bytes and no name. It may take them for one of the listed containers only, because some formats are
lists of other files and addresses (HLS, DASH, concat, SDP, image sequences), and whatever a container names it
cannot open: the callback FFmpeg asks for that refuses. The filter of system calls would refuse as well.
"""

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

import av
import av.container
import av.error
import av.logging
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from trio_stream.media.jobs import MediaFile, Unreadable
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.reading.locating import undescribed_tracks

# FFmpeg's names of the containers that `http.media_types` knows, and the bare streams such files may be.
CONTAINERS = (
    "mov", "matroska", "avi", "flv", "mpegts", "mpeg", "ogg", "asf", "asf_o", "rm", "mxf", "dv",
    "mpegvideo", "m4v", "h264", "hevc", "vc1", "av1", "obu", "ivf", "nut", "gxf", "wtv", "nsv", "swf",
)  # fmt: skip

logging.getLogger("libav").addHandler(logging.NullHandler())  # what FFmpeg says comes with its errors

TEXTS = ("srt", "webvtt", "ass", "subviewer", "subviewer1", "microdvd", "sami", "mpl2", "ttml")
"""And of subtitles that are files of their own."""

# How files begin that list other files. Sources: RFC 8216 section 4.3.1.1, ISO/IEC 23009-1, FFmpeg's concat
# demuxer, RFC 8866 section 5, the M3U and PLS conventions, SMIL, Smooth Streaming.
_LISTS = (
    (rb"#EXTM3U", "an HLS or M3U playlist"),
    (rb"ffconcat version", "a list of files to join (ffconcat)"),
    (rb"(file|stream|chapter|duration|inpoint|outpoint|option)\s+\S", "a list of files to join (ffconcat)"),
    (rb"v=0\r?\no=", "a session description (SDP)"),
    (rb"\[playlist\]", "a PLS playlist"),
    (rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<MPD\b", "a DASH manifest"),
    (rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<SmoothStreamingMedia\b", "a Smooth Streaming manifest"),
    (rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(smil|asx|playlist)\b", "a playlist"),
    (rb"[0-9a-z+.-]+://\S+\s", "a list of addresses"),
)

NO_HEADER = "error reading header"

_SAID = {
    "moov atom not found": "its index (moov) is missing or cannot be read",
}
"""What FFmpeg says, for people."""


def open_media(
    file: MediaFile,
    formats: tuple[str, ...] = CONTAINERS,
    options: Mapping[str, str] | None = None,
) -> av.container.InputContainer:
    """Open `file` for reading. Raises `Unreadable` with the reason, `OSError` when the disk fails."""
    if file.size == 0 and not file.read_at(0, 1):  # what has no size may have bytes: /proc
        raise Unreadable("the file is empty")
    av.logging.set_level(av.logging.ERROR)
    try:
        return _open(file, formats, options)
    except (av.error.FFmpegError, OSError, ValueError, LookupError, RuntimeError) as error:
        if file.error is not None:
            raise file.error from None
        if _last_said(error) == NO_HEADER and (masked := _masked(file)) is not None:
            with suppress(av.error.FFmpegError, OSError, ValueError, LookupError, RuntimeError):
                return _open(masked, formats, options)
        raise Unreadable(_why(file, error)) from None
    finally:
        av.logging.set_level(None)


def _open(
    file: MediaFile, formats: tuple[str, ...], options: Mapping[str, str] | None
) -> av.container.InputContainer:
    return av.open(
        file,
        mode="r",
        options={
            **(options or {}),
            "format_whitelist": ",".join(formats),
            "protocol_whitelist": "none",
            "max_streams": "200",
        },
        io_open=_refuse,
    )


class _Masked(MediaFile):
    """A file with other bytes at some places."""

    def __init__(self, file: MediaFile, masks: Mapping[int, bytes]) -> None:
        super().__init__(file.fd, file)
        self._masks = masks

    def read_at(self, offset: int, size: int) -> bytes:
        data = bytearray(super().read_at(offset, size))
        for at, mask in self._masks.items():
            for place, byte in enumerate(mask, at - offset):
                if 0 <= place < len(data):
                    data[place] = byte
        return bytes(data)


def _masked(file: MediaFile) -> MediaFile | None:
    """The file without those tracks of MP4 for which FFmpeg refuses it as a whole; None where there are none."""
    try:
        kinds = undescribed_tracks(file.read_at, file.size or 0)
    except Malformed:
        return None
    return _Masked(file, dict.fromkeys(kinds, b"free")) if kinds else None


def container_name(container: av.container.InputContainer, file: MediaFile) -> str:
    """FFmpeg has one name for each family; the brand, or the document type, tells the members apart."""
    name = container.format.name
    if name.startswith("mov,"):
        brand = container.metadata.get("major_brand", "")
        return "mov" if brand == "qt  " else "3gp" if brand.startswith(("3gp", "3g2", "3ge")) else "mp4"
    if name.startswith("matroska"):
        # The element DocType (RFC 8794 section 11.2.6), in the header a file begins with.
        start = file.read_at(0, 128) if file.seekable() else b""
        return "webm" if re.search(rb"\x42\x82[\x84]webm", start) else "matroska"
    return printable(name.partition(",")[0], 40)


def open_described(
    file: MediaFile, options: Mapping[str, str] | None = None, *, sound: bool = True
) -> av.container.InputContainer:
    """`open_media`, so that something is known of each track, also of one that begins late.

    In streams (MPEG-TS, MPEG-PS, FLV) only packets say how a track is coded, and FFmpeg looks at 5 MB of them, or five
    seconds. Where that does not suffice it looks again, at LATE. `sound`: whether that of audio tracks matters.
    """
    if file.seekable():
        file.seek(0)
    container = open_media(file, options=options)
    if not _lacks_something(container, file, sound=sound):
        return container
    container.close()
    file.seek(0)
    return open_media(file, options={**(options or {}), **LATE})


LATE = {"probesize": str(30_000_000), "analyzeduration": str(50_000_000)}
"""Bytes and microseconds in which a track has to begin: 3 s of 75 Mbit/s, 50 s of less; 0.1 s of processor time."""


def _lacks_something(container: av.container.InputContainer, file: MediaFile, *, sound: bool) -> bool:
    """Whether there may be tracks of which only later packets tell."""
    name = container.format.name
    if name not in {"mpegts", "mpeg", "flv"} or not file.seekable():
        return False
    videos, audios = container.streams.video, container.streams.audio if sound else ()
    known: list[VideoStream | AudioStream] = [*videos, *audios]
    if any(each.codec_context is None for each in known):
        return True
    if any(not each.codec_context.width for each in videos) or any(
        not each.codec_context.sample_rate for each in audios
    ):
        return True
    if name == "flv":  # its head has flags for both (Adobe's specification, section E.2)
        flags = file.read_at(4, 1)[0]
        return (flags & 1 and not videos) or (sound and flags & 4 and not audios) != 0
    return name == "mpeg"  # nothing lists its tracks


def _refuse(url: str, _flags: int, _options: Mapping[str, Any]) -> NoReturn:
    raise PermissionError("media may not name other files")


def _why(file: MediaFile, error: Exception) -> str:
    """Why `file` could not be opened, in a sentence for people."""
    if (listed := what_list(beginning(file))) is not None:
        return f"it is no video but {listed}, which names other files or addresses"
    said = _last_said(error)
    if "not on whitelist" in said:
        return "it is no container that videos come in"
    if said in _SAID:
        return _SAID[said]
    if isinstance(error, av.error.MemoryError):
        return "it takes more memory to read than a file may"
    strerror = getattr(error, "strerror", None) or str(error)
    return f"it is damaged, or no video: {printable(said or strerror)}"


def what_list(start: bytes) -> str | None:
    """What a file that begins so is, if it is a list of other files or addresses."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, what in _LISTS:
        if re.match(pattern, text, re.DOTALL | re.IGNORECASE if b"<" in pattern else 0):
            return what
    return None


def beginning(file: MediaFile) -> bytes:
    """The first bytes again; none of what cannot seek."""
    return file.read_at(0, 2048) if file.seekable() else b""


def _last_said(error: Exception) -> str:
    log = getattr(error, "log", None)
    return str(log[2]).strip() if log else ""


def printable(text: str, most: int = 300) -> str:
    """Text out of media as it can be shown and stored: no control characters, no half characters, bounded."""
    cleaned = "".join(letter if letter.isprintable() else " " for letter in text[: most * 4])
    return " ".join(cleaned.split())[:most].rstrip()
