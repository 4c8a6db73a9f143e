"""Checks playlists against RFC 8216 (and its second edition), and manifests against ISO/IEC 23009-1.

It shares no code with their writer. Each fault is a message; none is an exception.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from xml.etree import ElementTree as ET

ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]*)(?:,|\Z)')

QUOTED, NUMBER, DECIMAL, SIZE, YES_NO = (
    r'"[^"]*"',
    r"[0-9]+",
    r"[0-9]+(\.[0-9]+)?",
    r"[0-9]+x[0-9]+",
    "YES|NO",
)

STREAM = {
    "BANDWIDTH": NUMBER, "AVERAGE-BANDWIDTH": NUMBER, "CODECS": QUOTED, "RESOLUTION": SIZE, "FRAME-RATE": DECIMAL,
    "VIDEO-RANGE": "SDR|HLG|PQ", "AUDIO": QUOTED, "SUBTITLES": QUOTED,
}  # fmt: skip
ATTRIBUTES = {
    "EXT-X-MEDIA": {
        "TYPE": "AUDIO|VIDEO|SUBTITLES|CLOSED-CAPTIONS", "GROUP-ID": QUOTED, "NAME": QUOTED, "LANGUAGE": QUOTED, "DEFAULT": YES_NO,
        "AUTOSELECT": YES_NO, "FORCED": YES_NO, "CHANNELS": QUOTED, "CHARACTERISTICS": QUOTED,
        "URI": QUOTED,
        "X-TITLE": QUOTED,  # ours; clients ignore unknown attributes (section 6.3.1)
    },
    "EXT-X-STREAM-INF": STREAM,
    "EXT-X-I-FRAME-STREAM-INF": {
        item: STREAM[item] for item in ("BANDWIDTH", "AVERAGE-BANDWIDTH", "CODECS", "RESOLUTION", "VIDEO-RANGE")
    } | {"URI": QUOTED},
    "EXT-X-MAP": {"URI": QUOTED},
}  # fmt: skip
"""Attributes, and the patterns of their values."""

REQUIRED = {
    "EXT-X-MEDIA": ("TYPE", "GROUP-ID", "NAME"),
    "EXT-X-STREAM-INF": ("BANDWIDTH", "CODECS"),
    "EXT-X-I-FRAME-STREAM-INF": ("BANDWIDTH", "URI"),
    "EXT-X-MAP": ("URI",),
}
ANYWHERE = {"EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS"}
MASTER = {"EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF"}
ONCE = {"EXT-X-TARGETDURATION", "EXT-X-PLAYLIST-TYPE", "EXT-X-I-FRAMES-ONLY", "EXT-X-ENDLIST"}
MEDIA = ONCE | {"EXT-X-MAP", "EXTINF"}
AUDIO_CODECS = ("mp4a", "ac-3", "ec-3", "opus", "flac", "alac")


@dataclass
class Playlist:
    """A parsed playlist: tags with their values in order, and what follows them; a URI has the tag ""."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def all(self, tag: str) -> list[str]:
        return [value for each, value in self.lines if each == tag]

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [dict(ATTRIBUTE.findall(value)) for value in self.all(tag)]

    @property
    def uris(self) -> list[str]:
        return self.all("")

    @property
    def durations(self) -> list[float]:
        found = (re.match(DECIMAL, value) for value in self.all("EXTINF"))
        return [float(item[0]) for item in found if item]

    @property
    def target(self) -> int:
        [value] = self.all("EXT-X-TARGETDURATION")
        return int(value)


def read(text: str, allowed: set[str]) -> Playlist:
    """A playlist with the faults of its single lines."""
    found = Playlist()
    say = found.faults.append
    lines = text.split("\n")
    if lines[0] != "#EXTM3U":
        say("EXTM3U is not the first line")
    if lines[-1] != "" or "\r" in text or "\ufeff" in text:
        say("its line endings are wrong")
    for line in lines[1:-1]:
        if not line.startswith("#"):
            if not line or line != line.strip():
                say(f"not a URI: {line!r}")
            found.lines.append(("", line))
            continue
        tag, _, value = line[1:].partition(":")
        if tag not in allowed | ANYWHERE:
            say(f"{tag} is not allowed there")
        found.lines.append((tag, value))
        if tag in ATTRIBUTES:
            found.faults += _attributes(tag, value)
    found.faults += [f"{tag} occurs more than once" for tag in ONCE | ANYWHERE if len(found.all(tag)) > 1]
    if not any(value.isdigit() and int(value) >= 6 for value in found.all("EXT-X-VERSION")):
        say("EXT-X-VERSION is less than the tags require")
    return found


def _attributes(tag: str, value: str) -> Iterator[str]:
    pairs = ATTRIBUTE.findall(value)
    if "".join(f"{name}={each}," for name, each in pairs) != value + ",":
        yield f"{tag}: not a list of attributes: {value}"
    names = [name for name, _ in pairs]
    yield from (f"{tag}: {name} occurs twice" for name in set(names) if names.count(name) > 1)
    yield from (f"{tag}: no {name}" for name in REQUIRED[tag] if name not in names)
    for name, each in pairs:
        if name not in ATTRIBUTES[tag]:
            yield f"{tag}: {name} is unknown"
        elif not re.fullmatch(ATTRIBUTES[tag][name], each):
            yield f"{tag}: {name} cannot be {each}"


def lint_media(text: str, sizes: Callable[[str], int], *, keys: bool = False) -> list[str]:
    """Faults of a media playlist; `sizes` returns the size of the resource at a URI."""
    found = read(text, MEDIA)
    say = found.faults.append
    tags = [tag for tag, _ in found.lines]
    for tag in ("EXT-X-TARGETDURATION", "EXT-X-PLAYLIST-TYPE", "EXT-X-ENDLIST"):
        if tag not in tags:
            say(f"no {tag}")
    if found.all("EXT-X-PLAYLIST-TYPE") not in ([], ["VOD"]):
        say("EXT-X-PLAYLIST-TYPE is not VOD")
    if tags and tags[-1] != "EXT-X-ENDLIST":
        say("data follow EXT-X-ENDLIST")
    if ("EXT-X-I-FRAMES-ONLY" in tags) is not keys:
        say("EXT-X-I-FRAMES-ONLY is wrong or missing")
    body = [tag for tag in tags if tag in ("EXTINF", "")]
    if body != ["EXTINF", ""] * (len(body) // 2) or not body:
        say("EXTINF and URIs do not alternate")
    if len(found.durations) != len(found.all("EXTINF")) or not all(
        v.endswith(",") for v in found.all("EXTINF")
    ):
        say("EXTINF has no duration")
    if not all(found.durations):
        say("a segment has no duration")
    found.faults += _segments(found, tags, sizes)
    return found.faults


def _segments(found: Playlist, tags: Sequence[str], sizes: Callable[[str], int]) -> Iterator[str]:
    """Faults of the segments of a media playlist."""
    maps = [number for number, tag in enumerate(tags) if tag == "EXT-X-MAP"]
    before = [*tags, "EXTINF"].index("EXTINF")
    is_subtitles = bool(found.uris) and found.uris[0].endswith(".vtt")
    if (len(maps) == 1 and maps[0] < before) is is_subtitles:
        yield "EXT-X-MAP does not occur once, before all segments"
    if len(targets := found.all("EXT-X-TARGETDURATION")) == 1:
        longest = max(map(_rounded, found.durations), default=0)
        if not targets[0].isdigit() or longest > found.target:
            yield f"EXT-X-TARGETDURATION is less than the segment duration {longest}"
    if len(set(found.uris)) != len(found.uris):
        yield "a URI occurs twice"
    yield from (f"nothing is at {uri}" for uri in found.uris if uri.isprintable() and sizes(uri) <= 0)


def _rounded(seconds: float) -> int:
    return int(seconds + 0.5)


def peak(durations: Sequence[float], sizes: Sequence[int], target: int) -> float:
    """The maximum bits per second over consecutive segments that last from half to one and a half targets (RFC 8216
    section 4.1); for a shorter playlist, over all of them."""
    found = [sum(sizes) * 8 / sum(durations)]
    for first in range(len(durations)):
        for stop in range(first + 1, len(durations) + 1):
            length = sum(durations[first:stop])
            if 0.5 * target <= length <= 1.5 * target:
                found.append(sum(sizes[first:stop]) * 8 / length)
    return max(found)


def lint_master(text: str, get: Callable[[str], str], sizes: Callable[[str, str], int]) -> list[str]:
    """Faults of a master playlist and of its media playlists; `get` returns a playlist, `sizes` the size of a resource."""
    found = read(text, MASTER)
    say = found.faults.append
    media, streams = found.attributes("EXT-X-MEDIA"), found.attributes("EXT-X-STREAM-INF")
    for (tag, _), (following, _) in pairwise([*found.lines, ("end", "")]):
        if (tag == "EXT-X-STREAM-INF") is not (following == ""):
            say("EXT-X-STREAM-INF and URIs do not alternate")
    found.faults += _groups(media, streams)
    lists: dict[str, Playlist] = {}
    keys = [attribute.get("URI", "").strip('"') for attribute in found.attributes("EXT-X-I-FRAME-STREAM-INF")]
    for uri in dict.fromkeys(
        [*found.uris, *(entry["URI"].strip('"') for entry in media if "URI" in entry), *keys]
    ):
        playlist = get(uri)
        faults = lint_media(playlist, lambda item, uri=uri: sizes(uri, item), keys=uri in keys)  # type: ignore[misc] # mypy: a default in a lambda has no type
        found.faults += [f"{uri}: {fault}" for fault in faults]
        lists[uri] = read(playlist, MEDIA)
    targets = {each.target for uri, each in lists.items() if uri not in keys}
    if len(targets) > 1:
        say(f"EXT-X-TARGETDURATION has several values: {sorted(targets)}")
    for stream, uri in zip(streams, found.uris, strict=False):
        groups = [
            entry
            for entry in media
            if entry.get("TYPE") == "AUDIO" and entry.get("GROUP-ID") == stream.get("AUDIO")
        ]
        with_it = [group["URI"].strip('"') for group in groups if "URI" in group]
        found.faults += _rates(stream, uri, with_it, lists, sizes)
    for stream, uri in zip(found.attributes("EXT-X-I-FRAME-STREAM-INF"), keys, strict=True):
        found.faults += _rates(stream, uri, [], lists, sizes)
    if found.all("EXT-X-INDEPENDENT-SEGMENTS"):
        found.faults += [
            f"{uri}: not all segments are independent"
            for uri in found.uris
            if not lists[uri].all("EXT-X-INDEPENDENT-SEGMENTS")
        ]
    return found.faults


def _groups(media: Sequence[dict[str, str]], streams: Sequence[dict[str, str]]) -> Iterator[str]:
    for kind, attribute in (("AUDIO", "AUDIO"), ("SUBTITLES", "SUBTITLES")):
        present = {entry.get("GROUP-ID") for entry in media if entry.get("TYPE") == kind}
        named = {stream[attribute] for stream in streams if attribute in stream}
        yield from (f"no group {item} of {kind}" for item in named - present)
        yield from (f"no stream uses the group {item} of {kind}" for item in present - named)
        for group in present:
            members = [
                entry for entry in media if (entry.get("TYPE"), entry.get("GROUP-ID")) == (kind, group)
            ]
            names = [member.get("NAME") for member in members]
            if len(set(names)) != len(names):
                yield f"a NAME occurs twice in the group {group}"
            if sum(member.get("DEFAULT") == "YES" for member in members) > 1:
                yield f"more than one DEFAULT in the group {group}"
            if any(member.get("DEFAULT") == "YES" and member.get("AUTOSELECT") == "NO" for member in members):
                yield f"a DEFAULT that is not AUTOSELECT in the group {group}"
    yield from (
        "FORCED is only for subtitles"
        for entry in media
        if "FORCED" in entry and entry["TYPE"] != "SUBTITLES"
    )
    for stream in streams:
        codecs = stream.get("CODECS", "").strip('"').lower().split(",")
        has_audio = any(codec.startswith(AUDIO_CODECS) for codec in codecs)
        seen = not all(codec.startswith(AUDIO_CODECS) for codec in codecs)
        if "AUDIO" in stream and not has_audio:
            yield "CODECS lacks the audio codec"
        if seen is not ("RESOLUTION" in stream):
            yield "RESOLUTION without video, or missing"


def _rates(
    stream: dict[str, str],
    uri: str,
    audio_tracks: Sequence[str],
    lists: dict[str, Playlist],
    sizes: Callable[[str, str], int],
) -> Iterator[str]:
    """BANDWIDTH must be at least the peak of what plays together; AVERAGE-BANDWIDTH must be right within 5 %."""

    def of(name: str) -> tuple[float, float]:
        played = lists[name]
        weighed = [sizes(name, uri) for uri in played.uris]
        return peak(played.durations, weighed, played.target), sum(weighed) * 8 / sum(played.durations)

    others = [of(audio_track) for audio_track in audio_tracks] or [(0.0, 0.0)]
    peak_rate, average = (
        of(uri) if uri not in audio_tracks else (0.0, 0.0)
    )  # audio only: the renditions are alternatives
    peak_rate, average = (
        peak_rate + max(other[0] for other in others),
        average + max(other[1] for other in others),
    )
    if int(stream["BANDWIDTH"]) < peak_rate * 0.999:
        yield f"{uri}: BANDWIDTH is {stream['BANDWIDTH']}, less than the peak {peak_rate:.0f}"
    if int(stream["BANDWIDTH"]) > peak_rate * 1.25 + 8000:
        yield f"{uri}: BANDWIDTH is {stream['BANDWIDTH']}, much more than the peak {peak_rate:.0f}"
    if "AVERAGE-BANDWIDTH" in stream:
        playlist = int(stream["AVERAGE-BANDWIDTH"])
        if abs(playlist - average) > 0.05 * average + 4000 or playlist > int(stream["BANDWIDTH"]):
            yield f"{uri}: AVERAGE-BANDWIDTH is {playlist}, and the average {average:.0f}"


# --- DASH -----------------------------------------------------------------------------------------------

MPD = "{urn:mpeg:dash:schema:mpd:2011}"

INSIDE = {
    "MPD": ("Period",),
    "Period": ("AdaptationSet",),
    "AdaptationSet": ("AudioChannelConfiguration", "EssentialProperty", "SupplementalProperty", "Label", "Role", "SegmentTemplate", "Representation"),
    "Representation": ("AudioChannelConfiguration", "SupplementalProperty", "BaseURL", "SegmentTemplate"),
    "SegmentTemplate": ("SegmentTimeline",),
    "SegmentTimeline": ("S",),
}  # fmt: skip
"""Elements in the order of the schema."""

DEMANDED = {
    "MPD": ("profiles", "type", "mediaPresentationDuration", "minBufferTime"),
    "Period": ("id",),
    "AdaptationSet": ("id", "contentType", "mimeType"),
    "Representation": ("id", "bandwidth"),
    "SegmentTemplate": ("timescale", "media", "initialization"),
    "S": ("d",),
    "Role": ("schemeIdUri", "value"),
}
DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")


def lint_mpd(text: str, sizes: Callable[[str], int]) -> list[str]:
    """Faults of a manifest; `sizes` returns the size of the resource at a URL, 0 if there is none."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        return [f"invalid XML: {error}"]
    if root.tag != f"{MPD}MPD":
        return ["it is not an MPD"]
    faults = list(_element(root))
    for kind in ("AdaptationSet", "Representation"):
        ids = [element.get("id") for element in root.iter(f"{MPD}{kind}")]
        if len(set(ids)) != len(ids):
            faults.append(f"an id of {kind} occurs twice")
    if faults:
        return faults
    if not all(item.startswith("urn:mpeg:dash:profile:") for item in root.attrib["profiles"].split(",")):
        faults.append("a profile is not a valid name")
    matched = DURATION.fullmatch(root.attrib["mediaPresentationDuration"])
    if matched is None:
        return [*faults, "mediaPresentationDuration is not a duration"]
    hours, minutes, seconds = (float(group or 0) for group in matched.groups())
    return faults + list(_timelines(root, 3600 * hours + 60 * minutes + seconds, sizes))


def _element(element: ET.Element) -> Iterator[str]:
    name = element.tag.removeprefix(MPD)
    yield from (f"{name}: no {item}" for item in DEMANDED.get(name, ()) if item not in element.attrib)
    order = INSIDE.get(name, ())
    kinds = [each.tag.removeprefix(MPD) for each in element]
    yield from (f"{name}: {kind} is not allowed there" for kind in kinds if kind not in order)
    places = [order.index(kind) for kind in kinds if kind in order]
    if places != sorted(places):
        yield f"{name}: its elements are out of order"
    for each in element:
        yield from _element(each)


def _timelines(root: ET.Element, whole: float, sizes: Callable[[str], int]) -> Iterator[str]:
    ends = []
    for representation in root.iter(f"{MPD}Representation"):
        if (template := representation.find(f"{MPD}SegmentTemplate")) is None:
            continue
        fault, end = _timeline(representation, template, sizes)
        ends.append(end)
        yield from fault
    if abs(max(ends, default=whole) - whole) > 0.01:
        yield f"it lasts {whole} s, but its segments end at {max(ends)}"
    if any(whole - end > 0.15 for end in ends):
        yield "a timeline ends before the presentation does"


def _timeline(
    representation: ET.Element, template: ET.Element, sizes: Callable[[str], int]
) -> tuple[list[str], float]:
    """Faults of one timeline, and its end in seconds."""
    faults: list[str] = []
    timescale, number = int(template.attrib["timescale"]), int(template.get("startNumber", 1))
    at, weight, begins = 0, 0, list[int]()

    def size(number: int) -> int:
        return sizes(template.attrib["media"].replace("$Number$", str(number)))

    for element in template.iter(f"{MPD}S"):
        at = int(element.get("t", at))
        for _ in range(int(element.get("r", 0)) + 1):
            begins.append(at)
            if size(number) <= 0:
                faults.append(f"nothing is at {number}")
            at, number, weight = at + int(element.attrib["d"]), number + 1, weight + size(number)
    name = representation.attrib["id"]
    if size(number) > 0:
        faults.append(f"{name}: the timeline lacks segments")
    if sizes(template.attrib["initialization"]) <= 0:
        faults.append(f"{name}: the init segment is missing")
    length = (at - begins[0]) / timescale if begins else 0
    if not length or int(representation.attrib["bandwidth"]) < weight * 8 / length * 0.999:
        faults.append(f"{name}: bandwidth is less than the average")
    if "codecs" not in representation.attrib:
        faults.append(f"{name}: no codecs")
    return faults, at / timescale
