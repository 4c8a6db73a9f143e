"""Which video a subtitle file belongs to, and what its name says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.costs import assert_costs
from trio_stream.languages import bcp47, english_name, language_of
from trio_stream.library.folder.subtitle_files import subtitle_files
from trio_stream.library.folder.walking import read_folder
from trio_stream.library.naming.subtitles import Sidecar, is_subtitle, sidecars


@pytest.mark.parametrize(
    ("name", "language", "label", "flags"),
    [
        ("movie.srt", None, "", ""),
        ("movie.en.srt", "en", "", ""),
        ("MOVIE.EN.SRT", "en", "", ""),
        ("movie.eng.sdh.srt", "en", "", "hearing_impaired"),
        ("movie.english.srt", "en", "", ""),
        ("movie.pt-BR.forced.srt", "pt-BR", "", "forced"),
        ("movie.pt_br.srt", "pt-BR", "", ""),
        ("movie.pob.srt", "pt-BR", "", ""),
        ("movie.zh-Hans.ass", "zh-Hans", "", ""),
        ("movie.zh-Hant-TW.ass", "zh-Hant-TW", "", ""),
        ("movie.chs.ssa", "zh-Hans", "", ""),
        ("movie.es-419.vtt", "es-419", "", ""),
        ("movie.sr-Latn.srt", "sr-Latn", "", ""),
        ("movie.de.default.srt", "de", "", "default"),
        ("movie.default.de.srt", "de", "", "default"),
        ("movie.en.hi.srt", "en", "", "hearing_impaired"),
        ("movie.hi.en.srt", "en", "", "hearing_impaired"),
        ("movie.hi.srt", "hi", "", ""),
        ("movie.en.cc.srt", "en", "", "hearing_impaired"),
        ("movie.fr.commentary.srt", "fr", "commentary", "commentary"),
        ("movie.forced.srt", None, "", "forced"),
        ("movie.Deutsch.srt", "de", "", ""),
        ("movie.Français.srt", "fr", "", ""),
        ("movie.Français (Canada).srt", "fr-CA", "", ""),
        ("movie.日本語.srt", "ja", "", ""),
        ("movie.English (SDH).srt", "en", "", "hearing_impaired"),
        ("movie.English Forced.srt", "en", "", "forced"),
        ("movie.Directors cut.en.srt", "en", "Directors cut", ""),
        ("movie.en.Directors cut.srt", "en", "Directors cut", ""),
        ("movie.v2.srt", None, "v2", ""),
        ("movie..srt", None, "", ""),
    ],
)
def test_names_give_language_label_and_flags(name: str, language: str | None, label: str, flags: str) -> None:
    (found,) = sidecars("movie.mp4", [name])
    expected = Sidecar(
        name,
        name[-3:].lower(),
        language,
        label,
        **{flag: flag in flags.split() for flag in ("forced", "hearing_impaired", "default", "commentary")},
    )
    assert found == expected


@pytest.mark.parametrize(
    "name",
    ["movie 2.en.srt", "movie2.srt", "movie-en.srt", "other.srt", "en.srt", "movie.srt.txt", "movie", "movie.mp4",
     ".movie.srt", "srt", ".srt", "amovie.srt", "movi.srt", "movie.sub", "movie.idx"],
)  # fmt: skip
def test_files_of_other_videos_do_not_belong(name: str) -> None:
    assert sidecars("movie.mp4", [name]) == []


@pytest.mark.parametrize(
    ("video", "name", "language"),
    [
        ("S01E02.The.Name.1080p.mkv", "S01E02.The.Name.1080p.de.srt", "de"),
        ("it.mp4", "it.srt", None),
        ("it.mp4", "it.it.srt", "it"),
        ("movie.en.mp4", "movie.en.srt", None),
        ("Amélie.mp4", "Ame\u0301lie.fr.srt", "fr"),
        ("Große.mp4", "GROSSE.de.srt", "de"),
        ("日本語 Кириллица العربية 🎬 café.mp4", "日本語 Кириллица العربية 🎬 café.ja.vtt", "ja"),
        ("noext", "noext.en.srt", "en"),
    ],
)
def test_the_complete_stem_must_match(video: str, name: str, language: str | None) -> None:
    (found,) = sidecars(video, [name])
    assert (found.name, found.language) == (name, language)


def test_a_file_belongs_to_the_video_with_the_longer_name() -> None:
    files = ["movie.srt", "movie.extended.srt", "movie.extended.en.srt", "movie.en.srt"]
    videos = ["movie.mp4", "movie.extended.mp4"]
    assert [one.name for one in sidecars("movie.mp4", files, videos=videos)] == ["movie.srt", "movie.en.srt"]
    assert [one.name for one in sidecars("movie.extended.mp4", files, videos=videos)] == [
        "movie.extended.srt", "movie.extended.en.srt"
    ]  # fmt: skip


def test_two_containers_of_one_video_share_subtitles() -> None:
    for video in ("movie.mp4", "movie.mkv"):
        assert len(sidecars(video, ["movie.en.srt"], videos=["movie.mp4", "movie.mkv"])) == 1


def test_folders_of_subtitles() -> None:
    folders = {
        "Subs": [
            "movie.en.srt",
            "movie/2_English.srt",
            "Movie/3_eng,French.forced.ass",
            "other/2_German.srt",
            "German.srt",
        ],
        "SUBTITLES": ["movie.vtt"],
        "Extras": ["movie.it.srt"],
    }
    alone = {(one.name, one.language) for one in sidecars("movie.mp4", [], folders, ["movie.mp4"])}
    assert alone == {
        ("Subs/movie.en.srt", "en"),
        ("Subs/movie/2_English.srt", "en"),
        ("Subs/Movie/3_eng,French.forced.ass", "en"),
        ("Subs/German.srt", "de"),
        ("SUBTITLES/movie.vtt", None),
    }
    both = {one.name for one in sidecars("movie.mp4", [], folders, ["movie.mp4", "other.mp4"])}
    assert both == {one for one, _ in alone} - {"Subs/German.srt"}
    assert [one.name for one in sidecars("other.mp4", [], folders, ["movie.mp4", "other.mp4"])] == [
        "Subs/other/2_German.srt"
    ]


def test_sidecars_are_in_natural_order() -> None:
    names = ["movie.10.srt", "movie.2.srt", "movie.srt"]
    assert [one.name for one in sidecars("movie.mp4", names)] == ["movie.srt", "movie.2.srt", "movie.10.srt"]


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", "en eng EN English"), ("de", "de deu ger German Deutsch"), ("fr", "fr fra fre French français Francais"),
        ("es", "es spa Spanish español Espanol castellano"), ("pt", "pt por Portuguese português"), ("it", "it ita Italian italiano"),
        ("nl", "nl nld dut Dutch Nederlands"), ("sv", "sv swe Swedish svenska"), ("da", "da dan Danish dansk"),
        ("no", "no nor Norwegian norsk"), ("nb", "nb nob"), ("fi", "fi fin Finnish suomi"), ("is", "is isl ice Icelandic íslenska"),
        ("pl", "pl pol Polish polski"), ("cs", "cs ces cze Czech čeština cestina"), ("sk", "sk slk slo Slovak slovenčina"),
        ("hu", "hu hun Hungarian magyar"), ("ro", "ro ron rum Romanian română"), ("bg", "bg bul Bulgarian български"),
        ("hr", "hr hrv Croatian hrvatski"), ("sr", "sr srp scc Serbian srpski српски"), ("sl", "sl slv Slovenian slovenščina"),
        ("bs", "bs bos Bosnian bosanski"), ("mk", "mk mkd mac Macedonian македонски"), ("sq", "sq sqi alb Albanian shqip"),
        ("el", "el ell gre Greek Ελληνικά"), ("tr", "tr tur Turkish Türkçe Turkce"), ("ru", "ru rus Russian русский"),
        ("uk", "uk ukr Ukrainian українська"), ("be", "be bel Belarusian"), ("lt", "lt lit Lithuanian lietuvių"),
        ("lv", "lv lav Latvian latviešu"), ("et", "et est Estonian eesti"), ("he", "he heb Hebrew עברית"), ("ar", "ar ara Arabic العربية"),
        ("fa", "fa fas per Persian Farsi فارسی"), ("hi", "hi hin Hindi हिन्दी"), ("bn", "bn ben Bengali বাংলা"), ("ta", "ta tam Tamil தமிழ்"),
        ("te", "te tel Telugu"), ("th", "th tha Thai ไทย"), ("vi", "vi vie Vietnamese tiếng_Việt"), ("id", "id ind Indonesian"),
        ("ms", "ms msa may Malay"), ("ja", "ja jpn Japanese 日本語"), ("ko", "ko kor Korean 한국어"), ("zh", "zh zho chi Chinese 中文"),
        ("ca", "ca cat Catalan català"), ("eu", "eu eus baq Basque"), ("gl", "gl glg Galician"), ("cy", "cy cym wel Welsh"),
    ],
)  # fmt: skip
def test_languages(tag: str, written: str) -> None:
    assert {word: bcp47(word) for word in written.split()} == dict.fromkeys(written.split(), tag)
    assert english_name(tag)[0].isupper()


@pytest.mark.parametrize(
    "word", ["", "movie", "the", "and", "xx", "xxx", "1080p", "en-", "-en", "english-", "e n", "x264", "web"]
)
def test_words_that_are_not_languages(word: str) -> None:
    assert bcp47(word) in {None, "en"}
    assert bcp47(word) is None or "en" in word


names = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=20)


@given(names, st.lists(st.sampled_from(["en", "forced", "hi", "x y", "", "sdh", "pt-BR", "2"]), max_size=4))
def test_every_name_that_starts_with_the_stem_belongs(stem: str, parts: list[str]) -> None:
    name = ".".join([stem, *parts, "srt"])
    found = [one.name for one in sidecars(f"{stem}.mp4", [name])]
    assert found == ([] if name.startswith(".") else [name])


@given(st.lists(names, max_size=6), names)
def test_any_names_can_be_parsed(files: list[str], video: str) -> None:
    for one in sidecars(video, files, {"Subs": files}, files):
        assert is_subtitle(one.name.rpartition("/")[2])
        assert one.name in {*files, *(f"Subs/{name}" for name in files)}
        assert one.language is None or one.label


@given(names)
def test_every_tag_has_an_english_name(word: str) -> None:
    tag = bcp47(word)
    assert tag is None or english_name(tag)


@pytest.mark.parametrize("where", ["", "Subs/"], ids=["beside", "in a folder"])
def test_subtitle_files_are_not_compared_with_every_video(where: str, tmp_path: Path) -> None:
    """Eight times as many of both cost eight times as much, and not 64 times."""
    folders = []
    for count in (100, 800):
        root = tmp_path / f"{count}"
        (root / where).mkdir(parents=True)
        for number in range(count):
            (root / f"{number}.mp4").touch()
            (root / f"{where}{number}.en.srt").touch()
        folders.append((str(root), read_folder(str(root), "")))
    few, many = folders
    found = subtitle_files(*many)
    assert {video: [one.name for one in files] for video, files in found.items()} == {
        f"{number}.mp4": [f"{where}{number}.en.srt"] for number in range(800)
    }
    assert_costs(20, lambda: subtitle_files(*many), lambda: subtitle_files(*few))


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", "eng en EN en-x-private English"),
        ("pt", "por pt PT"), ("pt-BR", "pt-BR pt_BR PT-br por-BR pob pb pt-BR-x-dubbed"), ("pt-PT", "pt-PT pt_pt por-PT"),
        ("zh", "chi zho zh cmn zh-cmn"), ("zh-Hans", "zh-Hans zh_hans chs zh-CHS zh-cmn-Hans"), ("zh-Hant-TW", "zh-Hant-TW zh_Hant_TW"),
        ("yue", "yue zh-yue"), ("fr", "fre fra fr"), ("fr-CA", "fr-CA fra-CA fre_CA"), ("de", "ger deu de de-1996"),
        ("sr-Latn", "sr-Latn srp-Latn"), ("es-419", "es-419 spa-419 es-LA"), ("cs", "cze ces cs"), ("he", "iw heb he"),
        ("tlh", "tlh TLH"), ("qaa", "qaa"), ("mul", "mul"),
        (None, "und UND unk mis zxx und-Latn ??? 1 x-private i-klingon none"),
    ],
)  # fmt: skip
def test_languages_of_tracks(tag: str | None, written: str) -> None:
    """ISO 639-2 in both forms, BCP 47 in any spelling, and non-standard values of programs."""
    assert {each: language_of(each) for each in written.split()} == dict.fromkeys(written.split(), tag)
    assert language_of(tag) == tag


@pytest.mark.parametrize("nothing", [None, "", " ", "\u00ff\u0100", "a" * 1000, "en" * 500])
def test_tracks_without_a_language(nothing: str | None) -> None:
    assert language_of(nothing) is None


@given(st.text(max_size=20))
def test_a_tag_is_unchanged(written: str) -> None:
    tag = language_of(written)
    assert language_of(tag) == tag
