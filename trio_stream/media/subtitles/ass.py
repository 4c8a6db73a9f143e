"""Read ASS and SSA scripts into cues: the text, italics and bold, and the approximate position (pure).

Invariant: a line gives at most one cue and takes time proportional to its length. Drawings, karaoke, colours, fonts and
animations are left out, because WebVTT cues do not support them.

There is no standard; this follows Aegisub's documentation of the override tags, and libass.
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from trio_stream.media.formats.cues import Cue, CueText, clean, merge_repeated
from trio_stream.media.subtitles.markup import ALIGNMENTS, MAX_MARKUP, overrides, settings_of
from trio_stream.media.subtitles.srt import MAX_CUES, milliseconds

type Styles = Callable[[str], tuple[int, bool, bool]]
"""Returns the alignment (as on a keypad) of a style, and whether it is italic and bold, by its name."""


_BLOCK = re.compile(r"\{([^{}]{0,4000})\}")
LEGACY = {"1": 1, "2": 2, "3": 3, "5": 7, "6": 8, "7": 9, "9": 4, "10": 5, "11": 6}
"""SSA's numbers for alignment (`\\a`), converted to those of a keypad."""


def from_ass(text: str, style: str, styles: Styles, height: int = 288) -> tuple[str, str]:
    """Return the cue text and settings for the text of an event.

    `height` is that of the script (PlayResY). A position (`\\pos`) is reduced to a third of the screen.
    """
    event = _Event(style, styles, height)
    at = 0
    text = text[:MAX_MARKUP]
    for match in _BLOCK.finditer(text):
        event.add_text(text[at : match.start()])
        at = match.end()
        for tag, value in overrides(match[1]):
            event.apply(tag, value)
    event.add_text(text[at:])
    return event.cue_text.finish(), settings_of(event.alignment)


class _Event:
    def __init__(self, style: str, styles: Styles, height: int) -> None:
        self.cue_text = CueText()
        self._styles = styles
        self._event_style = style
        self._height = height
        self._drawing = False
        self.alignment, self._italic, self._bold = styles(style)
        self._restyle(style)

    def add_text(self, text: str) -> None:
        if not self._drawing:
            self.cue_text.add(_breaks(text))

    def apply(self, tag: str, value: str) -> None:
        match tag:
            case "p":
                self._drawing = value not in {"", "0"}
            case "an":
                self.alignment = int(value) if value in ALIGNMENTS else self.alignment
            case "a":
                self.alignment = LEGACY.get(value, self.alignment)
            case "pos":
                self.alignment = _third(value, self._height, self.alignment)
            case "r":
                self._restyle(value or self._event_style)
            case "i" | "b" | "u":
                default = {"i": self._italic, "b": self._bold, "u": False}[tag]
                self._switch(tag, default if value == "" else value != "0")

    def _restyle(self, style: str) -> None:
        _, self._italic, self._bold = self._styles(style)
        for tag, on in (("i", self._italic), ("b", self._bold), ("u", False)):
            self._switch(tag, on)

    def _switch(self, tag: str, on: bool) -> None:
        """Turn italic, bold or underline on or off from here on."""
        if on and not self.cue_text.is_open(tag):
            self.cue_text.open(tag)
        elif not on:
            self.cue_text.close(tag)


def _third(value: str, height: int, alignment: int) -> int:
    numbers = value.lstrip("(").split(",")
    try:
        part = float(numbers[1]) / height
    except (IndexError, ValueError, ZeroDivisionError, OverflowError):
        return alignment
    row = 2 if part < 0.34 else 1 if part < 0.67 else 0
    return (alignment - 1) % 3 + 1 + 3 * row


def _breaks(text: str) -> str:
    r"""Convert `\N`, a line break, `\n`, one without automatic wrapping, and `\h`, a non-breaking space."""
    if "\\" not in text:
        return text
    return text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", "\xa0")


_ASS_TIME = re.compile(r"([0-9]{1,3}):([0-9]{1,2}):([0-9]{1,2})(?:[.:,]([0-9]{1,3}))?", re.ASCII)
_EVENTS = ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"]


@dataclass
class Script:
    """Reads an ASS or SSA script line by line and returns its cues; it keeps the state that they depend on."""

    height: int = 288
    is_ssa: bool = False
    styles: dict[str, tuple[int, bool, bool]] = field(default_factory=dict)
    _section: str = ""
    _style_format: list[str] = field(default_factory=list)
    _event_format: list[str] = field(default_factory=lambda: list(_EVENTS))

    def style(self, name: str) -> tuple[int, bool, bool]:
        """Return alignment, italic and bold of a style, or of the default style if there is none of that name."""
        return self.styles.get(name.lstrip("*")) or self.styles.get("Default") or (2, False, False)

    def read(self, line: str) -> Cue | None:
        """Read a line; return its cue, if it has one."""
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            self._section = line[1:-1].strip().lower()
            self.is_ssa = self.is_ssa or self._section == "v4 styles"
            return None
        kind, _, value = line.partition(":")
        kind, value = kind.strip().lower(), value.strip()
        if kind == "dialogue":
            return self.dialogue(value)
        if kind == "playresy":
            self.height = int(value) if value.isdecimal() and 0 < int(value[:6]) < 100_000 else self.height
        elif kind == "format":
            fields = [name.strip().lower() for name in value.split(",")]
            if self._section == "events":
                self._event_format = fields if {"start", "end", "text"} <= set(fields) else list(_EVENTS)
            else:
                self._style_format = fields
        elif kind == "style":
            self._style(value)
        return None

    def _style(self, value: str) -> None:
        named = dict(zip(self._style_format, map(str.strip, value.split(",")), strict=False))
        number = named.get("alignment", "")
        alignment = int(number) if number in {str(valid) for valid in range(1, 12)} else 2
        if self.is_ssa:  # 1 to 3, plus 4 on top and 8 in the middle
            alignment = LEGACY.get(number, 2)
        italic, bold = (named.get(name, "0") not in {"", "0"} for name in ("italic", "bold"))
        if len(self.styles) < 10_000:
            self.styles[named.get("name", "").lstrip("*")] = (min(alignment, 9), italic, bold)

    def dialogue(self, value: str) -> Cue | None:
        """Return the cue of an event; its fields are those of the last Format line."""
        fields = value.split(",", len(self._event_format) - 1)
        named = dict(zip(self._event_format, fields, strict=False))
        start, stop = (_ASS_TIME.fullmatch(named.get(name, "").strip()) for name in ("start", "end"))
        if start is None or stop is None:
            return None
        cue_text, settings = self.text(named.get("style", "").strip(), named.get("text", ""))
        return Cue(milliseconds(*start.groups()), milliseconds(*stop.groups()), cue_text, settings)

    def text(self, style: str, text: str) -> tuple[str, str]:
        """Return the cue text and settings for the text of an event in that style."""
        return from_ass(text, style, self.style, self.height)


def ass_cues(text: str) -> list[Cue]:
    """Return the cues of an ASS or SSA script."""
    script = Script()
    cues = (cue for line in clean(text).split("\n") if (cue := script.read(line)) is not None)
    return merge_repeated(itertools.islice(cues, MAX_CUES))
