"""HLS playlists (RFC 8216, and its second edition for attributes such as VIDEO-RANGE)."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from trio_stream.packaging.cutting import in_address
from trio_stream.packaging.presentation import Presentation, Rendition, Segments, bandwidth
from trio_stream.packaging.title import Source, Subtitles, Title, names, printable, segment_boundaries

MEDIA_TYPE = "application/vnd.apple.mpegurl"

VERSION = 7
"""EXT-X-MAP requires 6, except in a playlist of keyframes; CMAF players expect 7."""

KEYS = "-keys"
"""Suffix of the name of a rendition for the playlist of its keyframes."""


def master(title: Title) -> str:
    """The master playlist. Audio tracks of one codec form a group, so that a player can skip codecs it does not
    support."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}"]
    if all(video.independent for _, video in title.videos):
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    groups = _groups([rendition for _, rendition in title.audio])
    if not title.videos:
        return "\n".join([*lines, *_audio_only(title, groups)]) + "\n"
    lines += _audio_media(title.audio, groups)
    lines += [_subtitle_media(subtitles) for subtitles in title.subtitles]
    for source, video in title.videos:
        for number, group in enumerate(groups or [[]]):
            lines.append(
                "#EXT-X-STREAM-INF:"
                + _variant(
                    video, group, f"audio{number}", title.target_duration, has_subtitles=bool(title.subtitles)
                )
            )
            lines.append(f"{source.playlists}{video.name}.m3u8")
    lines += [_key_stream(video, video.keys, source) for source, video in title.videos if video.keys]
    return "\n".join(lines) + "\n"


def _groups(audio: Sequence[Rendition]) -> list[list[Rendition]]:
    """The audio renditions by codec, in the order in which the codecs appear."""
    groups: dict[str, list[Rendition]] = {}
    for rendition in audio:
        groups.setdefault(rendition.codecs, []).append(rendition)
    return list(groups.values())


def _audio_media(
    audio: Sequence[tuple[Source, Rendition]], groups: Sequence[Sequence[Rendition]]
) -> Iterator[str]:
    audio_names = names(
        [rendition.label for _, rendition in audio], [rendition.language for _, rendition in audio], "Audio"
    )
    by_name = {
        rendition.name: (source, name) for (source, rendition), name in zip(audio, audio_names, strict=True)
    }
    for number, group in enumerate(groups):
        for at, rendition in enumerate(group):
            source, name = by_name[rendition.name]
            yield _audio(source, rendition, name, group=f"audio{number}", default=at == 0)


def _attributes(**values: str | int | None) -> str:
    return ",".join(
        f"{name.replace('_', '-')}={value}" for name, value in values.items() if value is not None
    )


def _quoted(text: str | None) -> str | None:
    return None if text is None else f'"{printable(text)}"'


def _audio(source: Source, rendition: Rendition, name: str, *, group: str, default: bool) -> str:
    return "#EXT-X-MEDIA:" + _attributes(
        TYPE="AUDIO",
        GROUP_ID=_quoted(group),
        NAME=_quoted(name),
        LANGUAGE=_quoted(rendition.language),
        X_TITLE=_quoted(rendition.label),  # lets a page translate the language and show the title next to it
        DEFAULT="YES" if default else "NO",
        AUTOSELECT="YES",
        CHANNELS=_quoted(str(rendition.channels)) if rendition.channels else None,
        URI=_quoted(f"{source.playlists}{rendition.name}.m3u8"),
    )


def _subtitle_media(subtitles: Subtitles) -> str:
    return "#EXT-X-MEDIA:" + _attributes(
        TYPE="SUBTITLES",
        GROUP_ID='"texts"',
        NAME=_quoted(subtitles.label),
        LANGUAGE=_quoted(subtitles.language),
        DEFAULT="YES" if subtitles.default else "NO",
        AUTOSELECT="YES" if subtitles.default or subtitles.language else "NO",
        FORCED="YES" if subtitles.forced else "NO",
        CHARACTERISTICS='"public.accessibility.transcribes-spoken-dialog,'
        'public.accessibility.describes-music-and-sound"'
        if subtitles.hearing_impaired
        else None,
        URI=_quoted(f"{subtitles.name}.m3u8"),
    )


def _variant(
    video: Rendition, group: Sequence[Rendition], audio: str, target: int, *, has_subtitles: bool
) -> str:
    peak, average = bandwidth(video.segments, video.timescale, target)
    if group:
        rates = [bandwidth(rendition.segments, rendition.timescale, target) for rendition in group]
        peak += max(rate[0] for rate in rates)
        average += max(rate[1] for rate in rates)
    return _attributes(
        BANDWIDTH=peak,
        AVERAGE_BANDWIDTH=average,
        CODECS=_quoted(",".join([_codecs(video), *(_codecs(rendition) for rendition in group[:1])])),
        RESOLUTION=f"{video.width}x{video.height}",
        FRAME_RATE=f"{float(video.frame_rate):.3f}" if video.frame_rate else None,
        VIDEO_RANGE=video.video_range,
        AUDIO=_quoted(audio) if group else None,
        SUBTITLES='"texts"' if has_subtitles else None,
    )


def _codecs(rendition: Rendition) -> str:
    """All codecs of the rendition; one of each family, as a player that supports it supports the others."""
    by_family = {rendition.codecs.partition(".")[0]: rendition.codecs}
    for span in rendition.spans:
        by_family.setdefault(span.codecs.partition(".")[0], span.codecs)
    return ",".join(by_family.values())


def _audio_only(title: Title, groups: Sequence[Sequence[Rendition]]) -> Iterator[str]:
    """One stream for each codec, with its first audio track; the others are alternatives to it (section 4.3.4.2)."""
    several = len(title.audio) > 1
    if several:
        yield from _audio_media(title.audio, groups)
    for number, group in enumerate(groups):
        rates = [
            bandwidth(rendition.segments, rendition.timescale, title.target_duration) for rendition in group
        ]
        yield "#EXT-X-STREAM-INF:" + _attributes(
            BANDWIDTH=max(peak for peak, _ in rates),
            AVERAGE_BANDWIDTH=max(average for _, average in rates),
            CODECS=_quoted(_codecs(group[0])),
            AUDIO=_quoted(f"audio{number}") if several else None,
        )
        yield f"{title.audio[0][0].playlists}{group[0].name}.m3u8"


def _key_stream(video: Rendition, keys: Segments, source: Source) -> str:
    peak, average = bandwidth(keys, video.timescale, _target(_durations(keys, video.timescale)))
    return "#EXT-X-I-FRAME-STREAM-INF:" + _attributes(
        BANDWIDTH=peak,
        AVERAGE_BANDWIDTH=average,
        CODECS=_quoted(video.codecs),
        RESOLUTION=f"{video.width}x{video.height}",
        VIDEO_RANGE=video.video_range,
        URI=_quoted(f"{source.playlists}{video.name}{KEYS}.m3u8"),
    )


def _target(durations: Iterable[float]) -> int:
    """EXT-X-TARGETDURATION of segments with these durations, in seconds."""
    return max(1, int(max(durations) + 0.5))


def media(rendition: Rendition, segments: str, target: int) -> str:
    """The playlist of one rendition, whose segments are below `segments`; `target` is that of the whole title.

    Where the init segment changes, there is no EXT-X-DISCONTINUITY: neither the timestamps nor the tracks change (RFC
    8216 section 4.3.2.3). With one, hls.js places what follows by the durations in the playlist, not by its timestamps.
    """
    folder = f"{segments}/{in_address(rendition.name)}"
    lines = _heading(target, independent=rendition.independent)
    inits = rendition.inits
    for number, seconds in enumerate(_durations(rendition.segments, rendition.timescale)):
        if number in inits:
            lines.append(f'#EXT-X-MAP:URI="{folder}/{inits[number]}"')
        lines += (f"#EXTINF:{seconds:.6f},", f"{folder}/{number}.m4s")
    return "\n".join((*lines, "#EXT-X-ENDLIST")) + "\n"


def key_frames(rendition: Rendition, keys: Segments, segments: str) -> str:
    """The playlist of keyframes, each a segment of its own: for trickplay (RFC 8216 section 4.3.3.6)."""
    folder = f"{segments}/{in_address(rendition.name)}"
    durations = list(_durations(keys, rendition.timescale))
    lines = [*_heading(_target(durations)), "#EXT-X-I-FRAMES-ONLY"]
    names = rendition.inits
    inits = {span.key: names[span.first] for span in rendition.spans if span.first in names} or names
    for number, seconds in enumerate(durations):
        if number in inits:
            lines.append(f'#EXT-X-MAP:URI="{folder}/{inits[number]}"')
        lines += (f"#EXTINF:{seconds:.6f},", f"{folder}/k{number}.m4s")
    return "\n".join((*lines, "#EXT-X-ENDLIST")) + "\n"


def subtitle_playlist(name: str, presentation: Presentation, segments: str, target: int) -> str:
    """The playlist of a subtitle track, with the segment boundaries of the video."""
    folder = f"{segments}/{in_address(name)}"
    lines = _heading(target)
    for number, (start, end) in enumerate(pairwise(subtitle_boundaries(presentation))):
        lines += (f"#EXTINF:{end - start:.6f},", f"{folder}/{number}.vtt")
    return "\n".join((*lines, "#EXT-X-ENDLIST")) + "\n"


def subtitle_boundaries(presentation: Presentation) -> list[float]:
    """Boundaries of subtitle segments, in seconds: none is longer than the segments of the file."""
    boundaries, limit = [0.0], presentation.target_duration
    for boundary in segment_boundaries(presentation)[1:]:
        while boundary - boundaries[-1] >= limit + 0.5:
            boundaries.append(boundaries[-1] + limit)
        if boundary > boundaries[-1]:
            boundaries.append(boundary)
    return boundaries


def _heading(target: int, *, independent: bool = False) -> list[str]:
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{target}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]
    return [*lines, "#EXT-X-INDEPENDENT-SEGMENTS"] if independent else lines


def _durations(segments: Segments, timescale: int) -> Iterator[float]:
    """Durations in seconds, whose sum stays exact: rounding errors are carried to the next segment."""
    at = 0.0
    begin = segments.starts[0]
    for start in segments.starts[1:]:
        until = round((start - begin) / timescale, 6)
        yield max(0.0, until - at)
        at = until
