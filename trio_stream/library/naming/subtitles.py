"""Which subtitle files belong to a video, by their names alone (pure).

Invariant: a file belongs to a video if its name is the complete stem of the video, followed only by words between dots
that give a language, a kind or a label. A file in a folder of subtitles may also belong by its location, unless its
name fits another video. `movie 2.en.srt` does not belong to `movie.mp4`. If a file fits two videos, the one with the
longer name wins.

    movie.srt    movie.en.srt    movie.pt-BR.forced.srt    movie.eng.sdh.srt    movie.english.commentary.ass
    Subs/movie.en.srt    Subs/movie/2_English.srt    Subs/English.srt (if there is only one video)
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trio_stream.languages import bcp47
from trio_stream.library.naming.paths import natural_key

SUFFIXES = frozenset({"srt", "vtt", "ass", "ssa"})

FOLDERS = frozenset({"subs", "subtitles", "sub", "subtitle"})
"""Names of folders of subtitles, in lower case."""

_FLAGS = {
    "forced": "forced", "foreign": "forced", "signs": "forced",
    "sdh": "hearing_impaired", "hi": "hearing_impaired", "cc": "hearing_impaired", "hoh": "hearing_impaired",
    "default": "default",
    "commentary": "commentary", "comments": "commentary",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A subtitle file of a video. `name` is relative to the video's folder; `language` is a BCP 47 tag, if the name
    gives one; `label` is the rest of the name."""

    name: str
    suffix: str
    language: str | None = None
    label: str = ""
    forced: bool = False
    hearing_impaired: bool = False
    default: bool = False
    commentary: bool = False


def is_subtitle(name: str) -> bool:
    """Whether a file of that name may be a subtitle file of a video."""
    return name.rpartition(".")[2].lower() in SUFFIXES and not name.startswith(".")


def stem_key(name: str) -> str:
    """The key of the stem of a name. It ignores case and the Unicode form of accents."""
    return _key(_stem(name))


def stem_keys(name: str) -> list[str]:
    """The keys of all video stems that the subtitle file `name` could belong to, the longest first."""
    parts = _stem(name).split(".")
    return [_key(".".join(parts[:count])) for count in range(len(parts), 0, -1)]


def sidecars(
    video: str,
    files: Iterable[str],
    folders: Mapping[str, Sequence[str]] | None = None,
    videos: Iterable[str] = (),
) -> list[Sidecar]:
    """The sidecars of the file `video`, in natural order.

    `files` are the names in its folder. `folders` maps each folder of subtitles there to the paths below it
    (`{"Subs": ["movie.en.srt", "movie/2_English.srt"]}`). `videos` are the names of all videos of the folder, so that
    no file belongs to two of them.
    """
    stem = _key(_stem(video))
    others = {_key(_stem(other)) for other in videos} - {stem}
    found = [sidecar for name in files if (sidecar := _next_to_video(stem, name, name, others)) is not None]
    for folder, names in (folders or {}).items():
        if folder.lower() in FOLDERS:
            found += [
                sidecar for name in names if (sidecar := _below(stem, folder, name, others)) is not None
            ]
    return sorted(set(found), key=lambda sidecar: natural_key(sidecar.name))


def _next_to_video(stem: str, name: str, path: str, others: Iterable[str]) -> Sidecar | None:
    if not is_subtitle(name):
        return None
    own_stem = _stem(name)
    rest = _rest(stem, own_stem)
    if rest is None or any(len(other) > len(stem) and _rest(other, own_stem) is not None for other in others):
        return None
    return _parse_sidecar(path, rest)


def _below(stem: str, folder: str, name: str, others: Iterable[str]) -> Sidecar | None:
    """A file in a folder of subtitles belongs by its name, by a folder named like the video, or to the only video."""
    path = f"{folder}/{name}"
    directory, _, last = name.rpartition("/")
    if not is_subtitle(last):
        return None
    if directory:
        return _parse_sidecar(path, _stem(last)) if _key(directory) == stem else None
    sidecar = _next_to_video(stem, last, path, others)
    if sidecar is not None or others:
        return sidecar
    return _parse_sidecar(path, _stem(last))


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _key(text: str) -> str:
    """Normalise a name for comparison: file systems differ in case and in the Unicode form of accents."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _rest(stem: str, own_stem: str) -> str | None:
    """The part of a name after the video's stem and a dot; None if it belongs to another video."""
    parts = own_stem.split(".")
    for count in range(len(parts), 0, -1):
        if _key(".".join(parts[:count])) == stem:
            return ".".join(parts[count:])
    return None


_SEPARATORS = re.compile(r"[.\s_,()\[\]]+")


def _parse_sidecar(path: str, rest: str) -> Sidecar:
    language: str | None = None
    flags: set[str] = set()
    labels: list[str] = []
    for part in rest.split("."):
        if not part.strip():
            continue
        tag = bcp47(part) if language is None else None
        if tag is not None and not (part.lower() in _FLAGS and _has_other_language(rest, part)):
            language = tag
            continue
        words = [word for word in _SEPARATORS.split(part) if word]
        unknown = []
        for word in words:
            flag = _FLAGS.get(word.lower())
            tag = bcp47(word) if language is None and len(word) > 1 and not word.isdecimal() else None
            if flag is not None:
                flags.add(flag)
            elif tag is not None:
                language = tag
            else:
                unknown.append(word)
        if unknown and not all(word.isdecimal() for word in unknown):
            labels.append(" ".join(words) if len(unknown) == len(words) else " ".join(unknown))
    return Sidecar(
        name=path,
        suffix=path.rpartition(".")[2].lower(),
        language=language,
        label=" - ".join([*labels, *(["commentary"] if "commentary" in flags else [])]),
        forced="forced" in flags,
        hearing_impaired="hearing_impaired" in flags,
        default="default" in flags,
        commentary="commentary" in flags,
    )


def _has_other_language(rest: str, word: str) -> bool:
    """Whether the name gives another language than `word`, which is both a flag and a language (`hi`: Hindi)."""
    words = [part for part in _SEPARATORS.split(rest) if part.lower() != word.lower()]
    return any(bcp47(part) is not None and part.lower() not in _FLAGS for part in words)
