"""A title: what one master playlist or manifest offers, from one file or from several versions of the same content."""

from collections.abc import Sequence
from dataclasses import dataclass

from trio_stream.languages import english_name
from trio_stream.packaging.presentation import Presentation, Rendition


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a title. `playlists` is the prefix of the names of its media playlists, `segments` that of its
    renditions, both relative to the manifest: "" and "r/0123…" for the requested file, "../id/" and "../id/r/…" for
    others."""

    playlists: str
    segments: str
    presentation: Presentation


@dataclass(frozen=True, slots=True)
class Subtitles:
    """A subtitle track: WebVTT in segments at `name`, and as a whole at `whole`, relative to the manifest."""

    name: str
    whole: str
    language: str | None
    label: str
    forced: bool = False
    hearing_impaired: bool = False
    default: bool = False


@dataclass(frozen=True, slots=True)
class Title:
    """The best file comes first: all use the audio of the first that has some. The others are further renditions of the
    video."""

    sources: tuple[Source, ...]
    subtitles: tuple[Subtitles, ...] = ()

    @property
    def main(self) -> Presentation:
        """The presentation of the first source."""
        return self.sources[0].presentation

    @property
    def videos(self) -> Sequence[tuple[Source, Rendition]]:
        """The video renditions, the best first."""
        return [
            (source, source.presentation.video)
            for source in self.sources
            if source.presentation.video is not None
        ]

    @property
    def audio(self) -> Sequence[tuple[Source, Rendition]]:
        """The audio renditions, all from one file."""
        source = next(
            (candidate for candidate in self.sources if candidate.presentation.audio), self.sources[0]
        )
        return [(source, rendition) for rendition in source.presentation.audio]

    @property
    def target_duration(self) -> int:
        """The same for all playlists of a title (RFC 8216 section 4.3.4.2)."""
        return max(source.presentation.target_duration for source in self.sources)


def printable(text: str) -> str:
    """The text without characters that break a line of a playlist or are invalid in XML: file names may have any."""
    return "".join(letter for letter in text if letter.isprintable()).replace('"', "'").strip()


def names(labels: Sequence[str | None], languages: Sequence[str | None], word: str) -> list[str]:
    """Unique names of tracks for a menu: the label, otherwise the language in English, otherwise a number."""
    unique: list[str] = []
    for number, (label, language) in enumerate(zip(labels, languages, strict=True), 1):
        name = printable(label or "") or (language and english_name(language)) or f"{word} {number}"
        while name in unique:
            name = f"{name} ({number})"
        unique.append(name)
    return unique


def subtitle_label(label: str, language: str | None, *, forced: bool, hearing_impaired: bool) -> str | None:
    """The name of subtitles for players that show only a name: `English - Director (forced)`.

    Words that are already in the label are not repeated.
    """
    folded_label = label.casefold()
    language_name = english_name(language) if language else ""
    parts = [name for name in (language_name, label) if name]
    if language_name.casefold() in folded_label:
        parts = [label] if label else []
    kinds = [name for name, applies in (("forced", forced), ("SDH", hearing_impaired)) if applies]
    kinds = [name for name in kinds if name.casefold() not in folded_label]
    if not parts:
        name = ", ".join(kinds)
        return name[:1].upper() + name[1:] or None
    return " - ".join(parts) + (f" ({', '.join(kinds)})" if kinds else "")


def segment_boundaries(presentation: Presentation) -> list[float]:
    """Segment boundaries and the end, in seconds; audio and subtitles use those of the video."""
    main = presentation.video or presentation.renditions[0]
    boundaries = [start / main.timescale for start in main.segments.starts]
    boundaries[-1] = max(boundaries[-1], presentation.duration)
    return boundaries
