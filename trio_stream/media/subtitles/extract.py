"""The jobs `subtitle_tracks` and `subtitle_file`: subtitles in a file and beside one, as WebVTT; ASS also as itself.

Invariant: a file is read once, whatever number of tracks it has; what is kept in memory and what is sent is bounded,
and a track that goes beyond is cut off there and says so.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from av import FFmpegError, Packet
from av.codec.context import CodecContext
from av.container import InputContainer
from av.stream import Discard, Stream

from trio_stream.media.containers.clock import start_of
from trio_stream.media.containers.movtext import text_tracks_of
from trio_stream.media.containers.opening import container_name, open_media
from trio_stream.media.formats.charsets import decode
from trio_stream.media.formats.cues import Cue, clean, merge_repeated, webvtt, with_missing_ends
from trio_stream.media.jobs import MediaFile, Reply, Unreadable
from trio_stream.media.subtitles.ass import Script, ass_cues
from trio_stream.media.subtitles.markup import from_srt, from_vtt
from trio_stream.media.subtitles.srt import MOST_CUES, cue_settings, srt_cues, vtt_captions
from trio_stream.mp4.webvtt import sample_cues

LARGEST_SIDECAR = 10 << 20
LARGEST_TRACK = 16 << 20
"""Bytes of text that are read of one file, and of one track."""

SUFFIXES = ("srt", "vtt", "ass", "ssa")

type _Packet = Packet[Stream]  # never looked at while the program runs, where it cannot be subscripted

TEXT_CODECS = frozenset({"subrip", "srt", "mov_text", "webvtt", "ass", "ssa", "text"})
"""Tracks of text, as FFmpeg names them; the others are pictures, or text nobody writes."""


def extract_tracks(file: MediaFile, options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Take all subtitle tracks of text out of a file, in one pass.

    Blobs: `N.vtt` for the track that is stream N (counted from 0), and `N.ass` where it is ASS or SSA. The result:

        tracks   [{"stream", "codec", "cues", "ass" (whether N.ass was sent), "whole"}], those without a cue left out
        reason   why something is missing, else null

    Raises `Unreadable` when there is no container.
    """
    with open_media(file) as container:
        streams: list[Stream] = [
            stream for stream in container.streams.subtitles if _codec(stream) in TEXT_CODECS
        ]
        origin = start_of(container, file, container_name(container, file)) * 1000
        tracks = {stream.index: _Track.of(stream, _codec(stream), origin) for stream in streams}
        for each in text_tracks_of(container, file):
            if each.kind == "wvtt":
                stream = container.streams[each.index]
                streams.append(stream)
                tracks[each.index] = _Track.of(stream, "wvtt", origin)
                tracks[each.index].preface = vtt_captions(each.header).preface
        reason = _collect(container, streams, tracks) if streams else None
        found = [track.send(reply) for track in tracks.values() if any(cue.text for cue in track.cues)]
    return {"tracks": found, "reason": reason}


def _codec(stream: Stream) -> str:
    context: CodecContext | None = stream.codec_context  # none where FFmpeg has no decoder
    return context.name if context is not None else ""


def _collect(container: InputContainer, streams: list[Stream], tracks: Mapping[int, "_Track"]) -> str | None:
    """Read the file to its end; why not, if something is in the way."""
    for stream in container.streams:
        if stream.index not in tracks:
            stream.discard = Discard.all
    try:
        for packet in container.demux(*streams):
            if packet.size:
                tracks[packet.stream_index].take(packet)
    except FFmpegError as error:
        return f"the file cannot be read to its end: {error.strerror}"
    return None


@dataclass
class _Track:
    """One track while the file is read."""

    stream: int
    codec: str
    tick: float
    origin: float
    script: Script = field(default_factory=Script)
    cues: list[Cue] = field(default_factory=list)
    lines: list[tuple[int, str]] = field(default_factory=list)
    preface: list[str] = field(default_factory=list)
    head: str = ""
    length: int = 0
    whole: bool = True

    @classmethod
    def of(cls, stream: Stream, codec: str, origin: float) -> "_Track":
        track = cls(stream.index, codec, float(stream.time_base or 0) * 1000, origin)
        if track.is_ass:
            head = stream.codec_context.extradata or b""
            track.head = clean(decode(head[:LARGEST_TRACK]))
            for line in track.head.split("\n"):
                track.script.read(line)
        return track

    @property
    def is_ass(self) -> bool:
        return self.codec in {"ass", "ssa"}

    def take(self, packet: _Packet) -> None:
        """Take in one event of the track."""
        self.length += packet.size
        if self.length > LARGEST_TRACK or len(self.cues) >= MOST_CUES:
            self.whole = False
            return
        if packet.pts is None:
            return
        start = round(packet.pts * self.tick - self.origin)
        stop = start + round((packet.duration or 0) * self.tick)
        data = bytes(packet)
        if self.codec == "wvtt":
            self.cues += [
                Cue(start, stop, from_vtt(clean(text)), cue_settings(settings, self.preface))
                for text, settings in sample_cues(data)
            ]
            return
        if self.codec == "mov_text":
            # ISO/IEC 14496-17: two bytes of length, the text, and then boxes of styles.
            data = data[2 : 2 + int.from_bytes(data[:2])]
        text = clean(decode(data))
        if self.is_ass:
            self._take_event(start, stop, text)
        elif self.codec == "webvtt":
            self.cues.append(Cue(start, stop, from_vtt(text), _settings(packet)))
        else:
            self.cues.append(Cue(start, stop, *from_srt(text)))

    def _take_event(self, start: int, stop: int, text: str) -> None:
        # Matroska: ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect, Text
        fields = text.replace("\n", " ").split(",", 8)
        if len(fields) < 9:
            return
        order, layer, *rest = fields
        self.cues.append(Cue(start, stop, *self.script.text(fields[2].strip(), fields[8])))
        if stop > start:
            line = ",".join([layer or "0", _ass_time(start), _ass_time(stop), *rest])
            self.lines.append((int(order) if order.isdecimal() and len(order) < 9 else len(self.lines), line))

    def send(self, reply: Reply) -> dict[str, Any]:
        """Send what was found; what is to be said of it."""
        cues = with_missing_ends(self.cues)
        if self.is_ass:
            cues = merge_repeated(cues)
            reply.blob(f"{self.stream}.ass", self._as_itself().encode())
        elif self.codec == "wvtt":
            cues = merge_repeated(cues)  # one that goes on is in each sample of its time
        reply.blob(f"{self.stream}.vtt", _encoded(webvtt(cues, self.preface)))
        return {
            "stream": self.stream,
            "codec": self.codec,
            "cues": sum(bool(cue.text) for cue in cues),
            "ass": self.is_ass,
            "whole": self.whole,
        }

    def _as_itself(self) -> str:
        head = self.head.strip("\n")
        if "[events]" not in head.lower():
            kind = "Marked" if self.codec == "ssa" else "Layer"
            names = "Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
            head += f"\n\n[Events]\nFormat: {kind}, {names}"
        events = (f"Dialogue: {line}" for _, line in sorted(self.lines))
        return "\n".join([head, *events]) + "\n"


def _ass_time(milliseconds: int) -> str:
    hundredths = max(0, round(milliseconds / 10))
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60}:{minutes % 60:02}:{rest // 100:02}.{rest % 100:02}"


def _settings(packet: _Packet) -> str:
    if not packet.has_sidedata("webvtt_settings"):
        return ""
    said = bytes(packet.get_sidedata("webvtt_settings")).decode("utf-8", "replace").strip("\0")
    return cue_settings(said)


def convert_file(file: MediaFile, options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Read a subtitle file: `options["suffix"]` is srt, vtt, ass or ssa, `options["language"]` what it may be in.

    Blobs: `convert_file.vtt`, and `convert_file.ass` for ASS and SSA (in UTF-8). The result: {"cues", "whole"}.
    Raises `Unreadable` when there is no cue in it.
    """
    suffix = str(options.get("suffix", "")).lower().lstrip(".")
    if suffix not in SUFFIXES:
        raise Unreadable(f"{suffix or 'this'} is no kind of subtitle that is understood")
    data = _bounded(file, LARGEST_SIDECAR + 1)
    text = clean(decode(data[:LARGEST_SIDECAR], options.get("language") or None))
    kind = _kind(text, suffix)
    preface: Iterable[str] = ()
    if kind == "vtt":
        captions = vtt_captions(text)
        cues, preface = captions.cues, captions.preface
    else:
        cues = ass_cues(text) if kind == "ass" else srt_cues(text)
    cues = [cue for cue in cues if cue.text]
    if not cues:
        raise Unreadable("there are no subtitles in it")
    if kind == "ass":
        reply.blob("subtitle.ass", text.encode())
    reply.blob("subtitle.vtt", _encoded(webvtt(cues, preface)))
    return {"cues": len(cues), "whole": len(data) <= LARGEST_SIDECAR}


_SCRIPT = re.compile(r"\[(script info|events|v4\+? styles)\]", re.IGNORECASE)


def _kind(text: str, suffix: str) -> str:
    """What it is: as its name says, except where it plainly is another."""
    start = text[:4096].lstrip()
    if start.startswith("WEBVTT"):
        return "vtt"
    if _SCRIPT.match(start):
        return "ass"
    return "srt" if suffix == "srt" or "-->" in start else {"vtt": "vtt"}.get(suffix, "ass")


def _bounded(file: MediaFile, most: int) -> bytes:
    parts = []
    while most and (data := file.read(min(most, 1 << 16))):
        parts.append(data)
        most -= len(data)
    return b"".join(parts)


def _encoded(pieces: Iterable[str]) -> bytes:
    return "".join(pieces).encode("utf-8", "replace")
