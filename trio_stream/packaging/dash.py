"""MPEG-DASH manifests (ISO/IEC 23009-1) for the same segments that the HLS playlists list."""

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, pairwise
from xml.etree import ElementTree as ET

from trio_stream.packaging.cutting import in_address
from trio_stream.packaging.periods import periods
from trio_stream.packaging.presentation import Rendition, init_name
from trio_stream.packaging.title import Source, Subtitles, Title, printable

MEDIA_TYPE = "application/dash+xml"

PROFILES = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019"
CHANNELS = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
ROLE = "urn:mpeg:dash:role:2011"
LANGUAGE = re.compile("[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
CICP = "urn:mpeg:mpegB:cicp:TransferCharacteristics"


class _Track:
    """The segments `numbers` of a rendition, in a period that starts at `start` seconds."""

    def __init__(self, source: Source, rendition: Rendition, numbers: range, start: float) -> None:
        span = rendition.span_at(numbers.start) if numbers else None
        self.source = source
        self.numbers = numbers
        self.start = start
        self.timescale = rendition.timescale
        self.init = init_name(0)
        starts = rendition.segments.starts[numbers.start : numbers.stop + 1]
        if span is not None:
            self.timescale, self.init = span.timescale, init_name(span.init)
            starts = [round(Fraction(start * span.timescale, rendition.timescale)) for start in starts]
            rendition = replace(
                rendition,
                codecs=span.codecs,
                width=span.width,
                height=span.height,
                channels=span.channels,
                sample_rate=span.sample_rate,
            )
        self.starts = starts
        self.rendition = rendition


def manifest(title: Title) -> str:
    """The MPD of a title: one adaptation set for each video codec, and one for each audio and subtitle track.

    A new period begins wherever an init segment changes. Elements are in the order of the standard's schema, and
    adaptation sets are numbered, as it requires.
    """
    mpd = ET.Element("MPD", {
        "xmlns": "urn:mpeg:dash:schema:mpd:2011",
        "profiles": PROFILES,
        "type": "static",
        "mediaPresentationDuration": _duration(title.main.duration),
        "minBufferTime": _duration(min(title.target_duration, 4)),
    })  # fmt: skip
    videos = title.videos
    tracks = [*videos, *title.audio]
    for number, dash_period in enumerate(periods([rendition for _, rendition in tracks])):
        start = f"PT{dash_period.start:.6f}S" if number else "PT0S"
        period = ET.SubElement(mpd, "Period", id=str(number), start=start)
        within = [
            _Track(source, rendition, dash_period.numbers[at], dash_period.start)
            for at, (source, rendition) in enumerate(tracks)
        ]
        for group in _by_codec([track for track in within[: len(videos)] if track.numbers]):
            _video_set(period, group)
        for audio_track in within[len(videos) :]:
            if audio_track.numbers:
                _audio_set(period, audio_track)
        for subtitles in title.subtitles:
            _subtitle_set(period, subtitles, dash_period.start)
    ET.indent(mpd, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(mpd, encoding="unicode") + "\n"


def _by_codec(videos: Sequence[_Track]) -> list[list[_Track]]:
    """Groups of video renditions that a player can switch between, in the order in which their codecs appear."""
    groups: dict[str, list[_Track]] = {}
    for video in videos:
        groups.setdefault(video.rendition.codecs.split(".")[0], []).append(video)
    return list(groups.values())


def _duration(seconds: float) -> str:
    return f"PT{seconds:.3f}S"


def _video_set(period: ET.Element, tracks: Sequence[_Track]) -> None:
    videos = [track.rendition for track in tracks]
    independent = all(video.independent for video in videos)
    number = len(period)
    adaptation_set = ET.SubElement(period, "AdaptationSet", {
        "id": str(number),
        "contentType": "video",
        "mimeType": "video/mp4",
        "segmentAlignment": "true",
        "startWithSAP": "1" if independent else "3",
        "maxWidth": str(max(video.width for video in videos)),
        "maxHeight": str(max(video.height for video in videos)),
    })  # fmt: skip
    if (transfer := {"PQ": "16", "HLG": "18"}.get(videos[0].video_range)) is not None:
        ET.SubElement(adaptation_set, "SupplementalProperty", schemeIdUri=CICP, value=transfer)
    ET.SubElement(adaptation_set, "Role", schemeIdUri=ROLE, value="main")
    for at, (track, video) in enumerate(zip(tracks, videos, strict=True)):
        attributes = {
            "id": f"video{number}.{at}",
            "codecs": video.codecs,
            "bandwidth": str(video.bandwidth[0]),
            "width": str(video.width),
            "height": str(video.height),
            "sar": "1:1",
        }
        if video.frame_rate is not None:
            attributes["frameRate"] = str(video.frame_rate)
        _template(ET.SubElement(adaptation_set, "Representation", attributes), track)


def _audio_set(period: ET.Element, track: _Track) -> None:
    audio = track.rendition
    attributes = {
        "id": str(len(period)),
        "contentType": "audio",
        "mimeType": "audio/mp4",
        "segmentAlignment": "true",
        "startWithSAP": "1",
    }
    if audio.language is not None and LANGUAGE.fullmatch(audio.language):
        attributes["lang"] = audio.language
    adaptation_set = ET.SubElement(period, "AdaptationSet", attributes)
    if audio.label is not None:
        ET.SubElement(adaptation_set, "Label").text = printable(audio.label)
    ET.SubElement(adaptation_set, "Role", schemeIdUri=ROLE, value="main" if audio.default else "alternate")
    representation = ET.SubElement(adaptation_set, "Representation", {
        "id": f"{audio.name}.0",
        "codecs": audio.codecs,
        "bandwidth": str(audio.bandwidth[0]),
        "audioSamplingRate": str(audio.sample_rate),
    })  # fmt: skip
    if audio.channels:
        ET.SubElement(
            representation, "AudioChannelConfiguration", schemeIdUri=CHANNELS, value=str(audio.channels)
        )
    _template(representation, track)


def _subtitle_set(period: ET.Element, subtitles: Subtitles, start: float) -> None:
    attributes = {"id": str(len(period)), "contentType": "text", "mimeType": "text/vtt"}
    if subtitles.language is not None and LANGUAGE.fullmatch(subtitles.language):
        attributes["lang"] = subtitles.language
    adaptation_set = ET.SubElement(period, "AdaptationSet", attributes)
    role = "forced-subtitle" if subtitles.forced else "caption" if subtitles.hearing_impaired else "subtitle"
    ET.SubElement(adaptation_set, "Label").text = printable(subtitles.label)
    ET.SubElement(adaptation_set, "Role", schemeIdUri=ROLE, value=role)
    representation = ET.SubElement(
        adaptation_set, "Representation", id=f"{subtitles.name}.0", bandwidth="1000"
    )
    ET.SubElement(representation, "BaseURL").text = subtitles.whole
    if start:  # its times are those of the title, not of the period
        offset = {"timescale": "1000", "presentationTimeOffset": str(round(start * 1000))}
        ET.SubElement(representation, "SegmentBase", offset)


def _template(representation: ET.Element, track: _Track) -> None:
    folder = f"{track.source.segments}/{in_address(track.rendition.name)}"
    attributes = {
        "timescale": str(track.timescale),
        "initialization": f"{folder}/{track.init}",
        "media": f"{folder}/$Number$.m4s",
        "startNumber": str(track.numbers.start),
    }
    if track.start:
        attributes["presentationTimeOffset"] = str(round(track.start * track.timescale))
    template = ET.SubElement(representation, "SegmentTemplate", attributes)
    _timeline(ET.SubElement(template, "SegmentTimeline"), track.starts)


def _timeline(timeline: ET.Element, starts: Sequence[int]) -> None:
    """Writes the `S` elements; equal durations in a row share one (section 5.3.9.6)."""
    first = True
    for duration, group in groupby(after - before for before, after in pairwise(starts)):
        attributes = {"d": str(duration)}
        if first:
            attributes = {"t": str(starts[0]), **attributes}
            first = False
        if (repeated := len(list(group)) - 1) > 0:
            attributes["r"] = str(repeated)
        ET.SubElement(timeline, "S", attributes)
