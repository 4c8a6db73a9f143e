"""The jobs `subtitle_tracks` and `subtitle_file`: convert subtitles to WebVTT; ASS is also sent unchanged.

Invariant: a file is read once, however many tracks it has. Memory and replies are limited; a track beyond the limit is
truncated, and the result says so.
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
from trio_stream.media.subtitles.srt import MAX_CUES, cue_settings, parse_webvtt, srt_cues
from trio_stream.mp4.webvtt import sample_cues

MAX_SIDECAR = 10 << 20
MAX_TRACK = 16 << 20
"""Bytes of text that are read from one subtitle file, and from one track."""

SUFFIXES = ("srt", "vtt", "ass", "ssa")

type _Packet = Packet[Stream]  # never evaluated, because `Packet` cannot be subscripted at run time

TEXT_CODECS = frozenset({"subrip", "srt", "mov_text", "webvtt", "ass", "ssa", "text"})
"""Codecs of text subtitles, by FFmpeg's names; the others are bitmaps or obsolete formats."""


def extract_tracks(file: MediaFile, options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Extract all text subtitle tracks of a file, in one pass.

    Blobs: `N.vtt` for the track that is stream N (counted from 0), and `N.ass` if it is ASS or SSA. The result:

        tracks   [{"stream", "codec", "cues", "ass" (whether N.ass was sent), "whole"}], without tracks that have no cue
        reason   why something is missing, else null

    Raises `Unreadable` if the file is not a container.
    """
    with open_media(file) as container:
        streams: list[Stream] = [
            stream for stream in container.streams.subtitles if _codec(stream) in TEXT_CODECS
        ]
        origin = start_of(container, file, container_name(container, file)) * 1000
        tracks = {stream.index: _Track.of(stream, _codec(stream), origin) for stream in streams}
        for text_track in text_tracks_of(container, file):
            if text_track.kind == "wvtt":
                stream = container.streams[text_track.index]
                streams.append(stream)
                tracks[stream.index] = _Track.of(stream, "wvtt", origin)
                tracks[stream.index].preface = parse_webvtt(text_track.header).preface
        reason = _collect(container, streams, tracks) if streams else None
        sent = [track.send(reply) for track in tracks.values() if any(cue.text for cue in track.cues)]
    return {"tracks": sent, "reason": reason}


def _codec(stream: Stream) -> str:
    context: CodecContext | None = stream.codec_context  # None if FFmpeg has no decoder
    return context.name if context is not None else ""


def _collect(container: InputContainer, streams: list[Stream], tracks: Mapping[int, "_Track"]) -> str | None:
    """Read the file to its end; return the reason if that fails."""
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
    """The state of a track while the file is read."""

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
            track.head = clean(decode(head[:MAX_TRACK]))
            for line in track.head.split("\n"):
                track.script.read(line)
        return track

    @property
    def is_ass(self) -> bool:
        return self.codec in {"ass", "ssa"}

    def take(self, packet: _Packet) -> None:
        """Add one event of the track."""
        self.length += packet.size
        if self.length > MAX_TRACK or len(self.cues) >= MAX_CUES:
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
            # ISO/IEC 14496-17: two bytes of length, the text, then style boxes.
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
        """Send the subtitles; return their entry in the result."""
        cues = with_missing_ends(self.cues)
        if self.is_ass:
            cues = merge_repeated(cues)
            reply.blob(f"{self.stream}.ass", self._as_ass().encode())
        elif self.codec == "wvtt":
            cues = merge_repeated(cues)  # a long cue is in every sample that overlaps it
        reply.blob(f"{self.stream}.vtt", _encoded(webvtt(cues, self.preface)))
        return {
            "stream": self.stream,
            "codec": self.codec,
            "cues": sum(bool(cue.text) for cue in cues),
            "ass": self.is_ass,
            "whole": self.whole,
        }

    def _as_ass(self) -> str:
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
    settings = bytes(packet.get_sidedata("webvtt_settings")).decode("utf-8", "replace").strip("\0")
    return cue_settings(settings)


def convert_file(file: MediaFile, options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Read a subtitle file: `options["suffix"]` is srt, vtt, ass or ssa, `options["language"]` its probable language.

    Blobs: `subtitle.vtt`, and `subtitle.ass` for ASS and SSA (in UTF-8). The result: {"cues", "whole"}. Raises
    `Unreadable` if the file has no cues.
    """
    suffix = str(options.get("suffix", "")).lower().lstrip(".")
    if suffix not in SUFFIXES:
        raise Unreadable(f"the subtitle format {suffix or '(no suffix)'} is not supported")
    data = _read_at_most(file, MAX_SIDECAR + 1)
    text = clean(decode(data[:MAX_SIDECAR], options.get("language") or None))
    kind = _kind(text, suffix)
    preface: Iterable[str] = ()
    if kind == "vtt":
        subtitles = parse_webvtt(text)
        cues, preface = subtitles.cues, subtitles.preface
    else:
        cues = ass_cues(text) if kind == "ass" else srt_cues(text)
    cues = [cue for cue in cues if cue.text]
    if not cues:
        raise Unreadable("the file has no subtitles")
    if kind == "ass":
        reply.blob("subtitle.ass", text.encode())
    reply.blob("subtitle.vtt", _encoded(webvtt(cues, preface)))
    return {"cues": len(cues), "whole": len(data) <= MAX_SIDECAR}


_SCRIPT = re.compile(r"\[(script info|events|v4\+? styles)\]", re.IGNORECASE)


def _kind(text: str, suffix: str) -> str:
    """Detect the format: that of the suffix, unless the text clearly has another one."""
    start = text[:4096].lstrip()
    if start.startswith("WEBVTT"):
        return "vtt"
    if _SCRIPT.match(start):
        return "ass"
    return "srt" if suffix == "srt" or "-->" in start else {"vtt": "vtt"}.get(suffix, "ass")


def _read_at_most(file: MediaFile, size: int) -> bytes:
    parts = []
    while size and (data := file.read(min(size, 1 << 16))):
        parts.append(data)
        size -= len(data)
    return b"".join(parts)


def _encoded(parts: Iterable[str]) -> bytes:
    return "".join(parts).encode("utf-8", "replace")
