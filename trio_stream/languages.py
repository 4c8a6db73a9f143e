"""Converts languages, as they are written in file names and in files, to BCP 47 tags (pure).

Codes: ISO 639-1 completely, but ISO 639-2 and 639-3 only for the languages in the table, because most three-letter
words are an ISO 639-3 code for some language. Names: in English and in the language itself, with or without accents.
Country codes (`cz`, `jp`) are accepted as languages, even `se`, which officially is Northern Sami.
"""

# ruff: noqa: RUF001 - letters of many alphabets

import re
import unicodedata

# tag | other codes | English names | native names. Names of several words are written with underscores.
_TABLE = """
af | afr | Afrikaans |
am | amh | Amharic | አማርኛ
ar | ara arb | Arabic | العربية عربي
az | aze azj | Azerbaijani Azeri | Azərbaycanca
be | bel | Belarusian Belarussian | беларуская
bg | bul | Bulgarian | български
bn | ben | Bengali Bangla | বাংলা
bs | bos | Bosnian | bosanski
ca | cat | Catalan Valencian | català
cs | ces cze cz | Czech | čeština český česky
cy | cym wel | Welsh | Cymraeg
da | dan dk | Danish | dansk
de | deu ger | German | Deutsch
el | ell gre gr | Greek | Ελληνικά
en | eng | English |
eo | epo | Esperanto |
es | spa | Spanish Castilian | español castellano
et | est ekk | Estonian | eesti
eu | eus baq | Basque | euskara
fa | fas per pes | Persian Farsi | فارسی
fi | fin | Finnish | suomi
fil | | Filipino |
fr | fra fre | French | français
ga | gle | Irish Gaelic | Gaeilge
gl | glg | Galician | galego
gu | guj | Gujarati | ગુજરાતી
he | heb iw | Hebrew | עברית
hi | hin | Hindi | हिन्दी हिंदी
hr | hrv scr | Croatian | hrvatski
hu | hun | Hungarian | magyar
hy | hye arm | Armenian | հայերեն
id | ind | Indonesian | Bahasa_Indonesia
is | isl ice | Icelandic | íslenska
it | ita | Italian | italiano
ja | jpn jp | Japanese | 日本語
ka | kat geo | Georgian | ქართული
kk | kaz | Kazakh | қазақша қазақ
km | khm | Khmer Cambodian | ខ្មែរ
kn | kan | Kannada | ಕನ್ನಡ
ko | kor kr | Korean | 한국어
la | lat | Latin | latina
lb | ltz | Luxembourgish | Lëtzebuergesch
lo | lao | Lao Laotian | ລາວ
lt | lit | Lithuanian | lietuvių
lv | lav lvs | Latvian | latviešu
mk | mkd mac | Macedonian | македонски
ml | mal | Malayalam | മലയാളം
mn | mon khk | Mongolian | монгол
mr | mar | Marathi | मराठी
ms | msa may zsm | Malay | Bahasa_Melayu
my | mya bur | Burmese | မြန်မာ
nb | nob | Norwegian_Bokmål Bokmål | norsk_bokmål
ne | nep npi | Nepali | नेपाली
nl | nld dut | Dutch Flemish | Nederlands Vlaams
nn | nno | Norwegian_Nynorsk Nynorsk | norsk_nynorsk
no | nor | Norwegian | norsk
pa | pan | Punjabi Panjabi | ਪੰਜਾਬੀ
pl | pol | Polish | polski
pt | por | Portuguese | português
pt-BR | pob pb ptb | Brazilian_Portuguese Portuguese_Brazil Brazilian | português_Brasil português_do_Brasil
pt-PT | | European_Portuguese Portuguese_Portugal | português_Portugal
ro | ron rum mo | Romanian Moldovan | română
ru | rus | Russian | русский
si | sin | Sinhala Sinhalese | සිංහල
sk | slk slo | Slovak | slovenčina slovenský slovensky
sl | slv | Slovenian Slovene | slovenščina
sq | sqi alb als | Albanian | shqip
sr | srp scc | Serbian | српски srpski
sv | swe se | Swedish | svenska
sw | swa swh | Swahili | Kiswahili
ta | tam | Tamil | தமிழ்
te | tel | Telugu | తెలుగు
th | tha | Thai | ไทย
tl | tgl | Tagalog |
tr | tur | Turkish | Türkçe
uk | ukr ua | Ukrainian | українська
ur | urd | Urdu | اردو
uz | uzb | Uzbek | oʻzbekcha
vi | vie vn | Vietnamese | tiếng_Việt
zh | zho chi cmn cn | Chinese Mandarin | 中文 汉语 漢語
zh-Hans | chs zhs | Simplified_Chinese Chinese_Simplified Simplified | 简体中文 简体 简中
zh-Hant | cht zht | Traditional_Chinese Chinese_Traditional Traditional | 繁體中文 繁體 繁中
yue | | Cantonese | 粵語 廣東話
es-419 | | Latin_American_Spanish Spanish_Latin_America | español_latino latinoamericano
es-ES | | European_Spanish Spanish_Spain | español_España
fr-CA | | Canadian_French French_Canadian French_Canada | français_Canada
en-GB | | British_English English_UK |
en-US | | American_English English_US |
zxx | | No_linguistic_content |
"""

# The ISO 639-1 codes that are not in the table.
_OTHER_CODES = [
    "aa", "ab", "ae", "ak", "an", "as", "av", "ay", "ba", "bh", "bi", "bm", "bo", "br", "ce", "ch", "co", "cr", "cu",
    "cv", "dv", "dz", "ee", "ff", "fj", "fo", "fy", "gd", "gn", "gv", "ha", "ho", "ht", "hz", "ia", "ie", "ig", "ii",
    "ik", "io", "iu", "jv", "kg", "ki", "kj", "kl", "kr", "ks", "ku", "kv", "kw", "ky", "lg", "li", "ln", "lu", "mg",
    "mh", "mi", "mt", "na", "nd", "ng", "nr", "nv", "ny", "oc", "oj", "om", "or", "os", "pi", "ps", "qu", "rm", "rn",
    "rw", "sa", "sc", "sd", "se", "sg", "sm", "sn", "so", "ss", "st", "su", "tg", "ti", "tk", "tn", "to", "ts", "tt",
    "tw", "ty", "ug", "ve", "vo", "wa", "wo", "xh", "yi", "yo", "za", "zu",
]  # fmt: skip

# The part of RFC 5646 section 2.1 that occurs in file names: language ["-" script] ["-" region]
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|[0-9]{3}))?", re.ASCII | re.IGNORECASE)

_SEPARATOR = re.compile(r"[\s_.,()\[\]-]+")


def _folded(name: str) -> str:
    """The name for comparison: in lower case, without accents and punctuation."""
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", name.casefold())
        if not unicodedata.combining(letter)
    )
    return " ".join(word for word in _SEPARATOR.split(plain) if word)


_NAMES: dict[str, str] = {}
_CODES: dict[str, str] = {}
_ENGLISH: dict[str, str] = {}
for _line in _TABLE.strip().splitlines():
    _tag, _codes, _english, _native = (part.split() for part in _line.split("|"))
    for _code in (*_tag, *_codes):
        _CODES[_code.lower()] = _tag[0]
    for _name in (*_english, *_native):
        _NAMES[_folded(_name)] = _tag[0]
    _ENGLISH[_tag[0]] = _english[0].replace("_", " ")
for _code in _OTHER_CODES:
    _CODES.setdefault(_code, _code)


def bcp47(text: str) -> str | None:
    """The tag (`pt-BR`) of the language that words of a file name refer to; None if they refer to none."""
    tag_by_name = _NAMES.get(_folded(text)) or _CODES.get(text.lower())
    if tag_by_name is not None:
        return tag_by_name
    match = _TAG.fullmatch(text)
    if match is None:
        return None
    code, script, region = match.groups()
    if code.lower() == "es" and (region or "").lower() == "la":
        return "es-419"
    language = _CODES.get(code.lower())
    if language is None or "-" in language or not (script or region):
        return language
    parts = [language, script and script.title(), region and region.upper()]
    return "-".join(part for part in parts if part)


# ISO 639-2 codes for undetermined, uncoded and no linguistic content, and what programs write instead.
_NO_LANGUAGE = frozenset({"", "und", "undetermined", "unk", "unknown", "mis", "zxx", "none", "null", "n/a"})

# RFC 5646 section 2.2.2: an extended language subtag is also a language on its own ("zh-yue" is "yue").
_EXTENDED = re.compile(r"[a-z]{2,3}[-_]([a-z]{3})(?![^-_])", re.ASCII | re.IGNORECASE)
_SUBTAGS = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{1,8})*", re.ASCII | re.IGNORECASE)


def language_of(text: str | None) -> str | None:
    """The tag of the language that a file gives for a track; None if it gives none, or one that is not a language.

    Accepts both forms of ISO 639-2, BCP 47, and names. An unknown value that may be a three-letter code is returned
    unchanged. Subtags other than language, script and region are dropped.
    """
    text = (text or "").strip().replace("_", "-")
    if text.lower() in _NO_LANGUAGE or text.lower().startswith("und-"):
        return None
    if (extended := _EXTENDED.match(text)) is not None:
        text = text[extended.start(1) :]
    parts = text.split("-")
    for count in range(len(parts), 0, -1):
        if (tag := bcp47("-".join(parts[:count]))) is not None:
            return tag if tag not in _NO_LANGUAGE else None
    return parts[0].lower() if len(parts[0]) == 3 and _SUBTAGS.fullmatch(text) else None


def english_name(tag: str) -> str:
    """The English name of a tag, with its region or script if it has one: `Portuguese (BR)`."""
    if tag in _ENGLISH:
        return _ENGLISH[tag]
    language, _, rest = tag.partition("-")
    name = _ENGLISH.get(language, language)
    return f"{name} ({rest})" if rest else name
