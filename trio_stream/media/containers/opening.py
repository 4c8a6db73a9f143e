"""The only way a job opens media: its format is detected from its content, and nothing but this file is opened.

FFmpeg gets the bytes and no name. It may only try the listed containers, because other formats are lists of files and
addresses (HLS, DASH, concat, SDP, image sequences). It cannot open what a container refers to: the callback for that
refuses. The system call filter would refuse as well.
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

# FFmpeg's names of the containers that `http.media_types` lists, and the raw streams such files may be.
CONTAINERS = (
    "mov", "matroska", "avi", "flv", "mpegts", "mpeg", "ogg", "asf", "asf_o", "rm", "mxf", "dv",
    "mpegvideo", "m4v", "h264", "hevc", "vc1", "av1", "obu", "ivf", "nut", "gxf", "wtv", "nsv", "swf",
)  # fmt: skip

logging.getLogger("libav").addHandler(logging.NullHandler())  # exceptions carry the messages of FFmpeg

SUBTITLE_FORMATS = ("srt", "webvtt", "ass", "subviewer", "subviewer1", "microdvd", "sami", "mpl2", "ttml")
"""FFmpeg's names of the formats of subtitle files."""

# The beginnings of files that list other files. Sources: RFC 8216 section 4.3.1.1, ISO/IEC 23009-1, FFmpeg's concat
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

_MESSAGES = {
    "moov atom not found": "the index of the file (moov) is missing or cannot be read",
}
"""FFmpeg's messages, reworded for users."""


def open_media(
    file: MediaFile,
    formats: tuple[str, ...] = CONTAINERS,
    options: Mapping[str, str] | None = None,
) -> av.container.InputContainer:
    """Open `file` for reading. Raises `Unreadable` with the reason, and `OSError` if the disk fails."""
    if file.size == 0 and not file.read_at(0, 1):  # files in /proc have size 0 but have bytes
        raise Unreadable("the file is empty")
    av.logging.set_level(av.logging.ERROR)
    try:
        return _open(file, formats, options)
    except (av.error.FFmpegError, OSError, ValueError, LookupError, RuntimeError) as error:
        if file.error is not None:
            raise file.error from None
        if _last_message(error) == NO_HEADER and (masked := _masked(file)) is not None:
            with suppress(av.error.FFmpegError, OSError, ValueError, LookupError, RuntimeError):
                return _open(masked, formats, options)
        raise Unreadable(_reason(file, error)) from None
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
    """A file with some bytes replaced."""

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
    """Mask the MP4 tracks because of which FFmpeg refuses the whole file; None if there are none."""
    try:
        kinds = undescribed_tracks(file.read_at, file.size or 0)
    except Malformed:
        return None
    return _Masked(file, dict.fromkeys(kinds, b"free")) if kinds else None


def container_name(container: av.container.InputContainer, file: MediaFile) -> str:
    """Return a short name. FFmpeg has one per family; the brand, or the document type, identifies the member."""
    name = container.format.name
    if name.startswith("mov,"):
        brand = container.metadata.get("major_brand", "")
        return "mov" if brand == "qt  " else "3gp" if brand.startswith(("3gp", "3g2", "3ge")) else "mp4"
    if name.startswith("matroska"):
        # The element DocType (RFC 8794 section 11.2.6), in the header at the beginning of the file.
        start = file.read_at(0, 128) if file.seekable() else b""
        return "webm" if re.search(rb"\x42\x82[\x84]webm", start) else "matroska"
    return printable(name.partition(",")[0], 40)


def open_described(
    file: MediaFile, options: Mapping[str, str] | None = None, *, audio: bool = True
) -> av.container.InputContainer:
    """Like `open_media`, but make sure that each track is described, even one that begins late.

    In streams (MPEG-TS, MPEG-PS, FLV) only packets say how a track is coded, and FFmpeg examines 5 MB or five seconds
    of them. If that is not enough, the file is opened again with `LATE_TRACKS`. `audio`: whether audio tracks matter.
    """
    if file.seekable():
        file.seek(0)
    container = open_media(file, options=options)
    if not _is_undescribed(container, file, audio=audio):
        return container
    container.close()
    file.seek(0)
    return open_media(file, options={**(options or {}), **LATE_TRACKS})


LATE_TRACKS = {"probesize": str(30_000_000), "analyzeduration": str(50_000_000)}
"""Bytes and microseconds within which a track must begin: 3 s of 75 Mbit/s, 50 s of less; 0.1 s of CPU time."""


def _is_undescribed(container: av.container.InputContainer, file: MediaFile, *, audio: bool) -> bool:
    """Whether there may be tracks that only later packets describe."""
    name = container.format.name
    if name not in {"mpegts", "mpeg", "flv"} or not file.seekable():
        return False
    videos, audios = container.streams.video, container.streams.audio if audio else ()
    streams: list[VideoStream | AudioStream] = [*videos, *audios]
    if any(stream.codec_context is None for stream in streams):
        return True
    if any(not stream.codec_context.width for stream in videos) or any(
        not stream.codec_context.sample_rate for stream in audios
    ):
        return True
    if name == "flv":  # its header has flags for both (Adobe's specification, section E.2)
        flags = file.read_at(4, 1)[0]
        return (flags & 1 and not videos) or (audio and flags & 4 and not audios) != 0
    return name == "mpeg"  # it has no list of tracks


def _refuse(url: str, _flags: int, _options: Mapping[str, Any]) -> NoReturn:
    raise PermissionError("media may not refer to other files")


def _reason(file: MediaFile, error: Exception) -> str:
    """Return why `file` could not be opened, for users."""
    if (listed := kind_of_list(first_bytes(file))) is not None:
        return f"the file is not a video but {listed}, which refers to other files or addresses"
    message = _last_message(error)
    if "not on whitelist" in message:
        return "the container format of the file is not supported"
    if message in _MESSAGES:
        return _MESSAGES[message]
    if isinstance(error, av.error.MemoryError):
        return "reading the file takes more memory than allowed"
    strerror = getattr(error, "strerror", None) or str(error)
    return f"the file is damaged or not a video: {printable(message or strerror)}"


def kind_of_list(start: bytes) -> str | None:
    """Return what a file with this beginning is, if it is a list of other files or addresses."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, description in _LISTS:
        if re.match(pattern, text, re.DOTALL | re.IGNORECASE if b"<" in pattern else 0):
            return description
    return None


def first_bytes(file: MediaFile) -> bytes:
    """Return the first bytes of the file; none if it cannot seek."""
    return file.read_at(0, 2048) if file.seekable() else b""


def _last_message(error: Exception) -> str:
    log = getattr(error, "log", None)
    return str(log[2]).strip() if log else ""


def printable(text: str, longest: int = 300) -> str:
    """Make text from media safe to show and store: no control characters, no lone surrogates, limited length."""
    cleaned = "".join(letter if letter.isprintable() else " " for letter in text[: longest * 4])
    return " ".join(cleaned.split())[:longest].rstrip()
