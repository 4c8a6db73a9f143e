"""Manifests of MPEG-DASH (ISO/IEC 23009-1), over the segments that the playlists name."""

import re
from collections.abc import Sequence
from itertools import groupby, pairwise
from xml.etree import ElementTree as ET

from trio_stream.packaging.cutting import in_address
from trio_stream.packaging.presentation import Rendition, Segments
from trio_stream.packaging.title import Source, Text, Title, printable

MEDIA_TYPE = "application/dash+xml"

PROFILES = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019"
CHANNELS = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
ROLE = "urn:mpeg:dash:role:2011"
LANGUAGE = re.compile("[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
CICP = "urn:mpeg:mpegB:cicp:TransferCharacteristics"


def manifest(title: Title) -> str:
    """The MPD of a title: one period, an adaptation set for the pictures and one for each sound and text.

    Elements stand in the order the schema of the standard has, and adaptation sets are numbered, as it wants."""
    mpd = ET.Element("MPD", {
        "xmlns": "urn:mpeg:dash:schema:mpd:2011",
        "profiles": PROFILES,
        "type": "static",
        "mediaPresentationDuration": _duration(title.main.duration),
        "minBufferTime": _duration(min(title.target_duration, 4)),
    })  # fmt: skip
    period = ET.SubElement(mpd, "Period", id="0", start="PT0S")
    for group in _by_codec(title.videos):
        _video_set(period, group)
    for source, sound in title.sounds:
        _audio_set(period, source, sound)
    for text in title.texts:
        _text_set(period, text)
    ET.indent(mpd, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(mpd, encoding="unicode") + "\n"


def _by_codec(videos: Sequence[tuple[Source, Rendition]]) -> list[list[tuple[Source, Rendition]]]:
    """Pictures among which a player can change, in the order in which their codecs come first."""
    groups: dict[str, list[tuple[Source, Rendition]]] = {}
    for source, video in videos:
        groups.setdefault(video.codecs.split(".")[0], []).append((source, video))
    return list(groups.values())


def _duration(seconds: float) -> str:
    return f"PT{seconds:.3f}S"


def _video_set(period: ET.Element, videos: Sequence[tuple[Source, Rendition]]) -> None:
    independent = all(video.independent for _, video in videos)
    number = len(period)
    into = ET.SubElement(period, "AdaptationSet", {
        "id": str(number),
        "contentType": "video",
        "mimeType": "video/mp4",
        "segmentAlignment": "true",
        "startWithSAP": "1" if independent else "3",
        "maxWidth": str(max(video.width for _, video in videos)),
        "maxHeight": str(max(video.height for _, video in videos)),
    })  # fmt: skip
    if (transfer := {"PQ": "16", "HLG": "18"}.get(videos[0][1].video_range)) is not None:
        ET.SubElement(into, "SupplementalProperty", schemeIdUri=CICP, value=transfer)
    ET.SubElement(into, "Role", schemeIdUri=ROLE, value="main")
    for at, (source, video) in enumerate(videos):
        about = {
            "id": f"video{number}.{at}",
            "codecs": video.codecs,
            "bandwidth": str(video.bandwidth[0]),
            "width": str(video.width),
            "height": str(video.height),
            "sar": "1:1",
        }
        if video.frame_rate is not None:
            about["frameRate"] = str(video.frame_rate)
        _template(ET.SubElement(into, "Representation", about), source, video)


def _audio_set(period: ET.Element, source: Source, sound: Rendition) -> None:
    about = {
        "id": str(len(period)),
        "contentType": "audio",
        "mimeType": "audio/mp4",
        "segmentAlignment": "true",
        "startWithSAP": "1",
    }
    if sound.language is not None and LANGUAGE.fullmatch(sound.language):
        about["lang"] = sound.language
    into = ET.SubElement(period, "AdaptationSet", about)
    if sound.label is not None:
        ET.SubElement(into, "Label").text = printable(sound.label)
    ET.SubElement(into, "Role", schemeIdUri=ROLE, value="main" if sound.default else "alternate")
    representation = ET.SubElement(into, "Representation", {
        "id": f"{sound.name}.0",
        "codecs": sound.codecs,
        "bandwidth": str(sound.bandwidth[0]),
        "audioSamplingRate": str(sound.sample_rate),
    })  # fmt: skip
    if sound.channels:
        ET.SubElement(
            representation, "AudioChannelConfiguration", schemeIdUri=CHANNELS, value=str(sound.channels)
        )
    _template(representation, source, sound)


def _text_set(period: ET.Element, text: Text) -> None:
    about = {"id": str(len(period)), "contentType": "text", "mimeType": "text/vtt"}
    if text.language is not None and LANGUAGE.fullmatch(text.language):
        about["lang"] = text.language
    into = ET.SubElement(period, "AdaptationSet", about)
    role = "forced-subtitle" if text.forced else "caption" if text.hearing_impaired else "subtitle"
    ET.SubElement(into, "Label").text = printable(text.label)
    ET.SubElement(into, "Role", schemeIdUri=ROLE, value=role)
    representation = ET.SubElement(into, "Representation", id=f"{text.name}.0", bandwidth="1000")
    ET.SubElement(representation, "BaseURL").text = text.whole


def _template(representation: ET.Element, source: Source, rendition: Rendition) -> None:
    folder = f"{source.segments}/{in_address(rendition.name)}"
    template = ET.SubElement(representation, "SegmentTemplate", {
        "timescale": str(rendition.timescale),
        "initialization": f"{folder}/init.mp4",
        "media": f"{folder}/$Number$.m4s",
        "startNumber": "0",
    })  # fmt: skip
    timeline = ET.SubElement(template, "SegmentTimeline")
    _timeline(timeline, rendition.segments)


def _timeline(timeline: ET.Element, segments: Segments) -> None:
    """`S` elements; equal durations in a row are one (section 5.3.9.6)."""
    durations = [after - before for before, after in pairwise(segments.starts)]
    first = True
    for duration, group in groupby(durations):
        about = {"d": str(duration)}
        if first:
            about = {"t": str(segments.starts[0]), **about}
            first = False
        if (repeated := len(list(group)) - 1) > 0:
            about["r"] = str(repeated)
        ET.SubElement(timeline, "S", about)
