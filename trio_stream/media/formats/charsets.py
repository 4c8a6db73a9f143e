"""Decode text whose encoding is not stated (pure).

Bytes that are valid UTF-8, or begin with a byte order mark, are decoded as that. Everything else is decoded in each
encoding that was used for a language before UTF-8, and scored by the resulting letters: a wrong decoding has letters
that its language does not use, capitals inside words, or control characters. Any bytes decode to some text, in bounded
time.

charset-normalizer was tried on the same sentences (tests/media/test_charsets.py). It mistakes the encoding of a fifth
of them for another one with Latin letters, because it scores the mess, not the language.
"""

# ruff: noqa: RUF001 - this module is about letters that look alike

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

SAMPLE = 16_384
"""Bytes that are scored, from lines that are not plain ASCII."""

HINT = 0.25
"""Added to the score of decodings into the stated language; a correct one scores about 0.8 to 1 without it."""

RARE = 0.02
"""How much more than others the encodings of DOS and of the Macintosh must score."""

_OLD_ENCODINGS = frozenset({
    "cp437", "cp737", "cp775", "cp850", "cp852", "cp855", "cp857", "cp860", "cp861", "cp862", "cp865", "cp1125",
    "mac_croatian", "mac_cyrillic", "mac_greek", "mac_iceland", "mac_latin2", "mac_roman", "mac_romanian",
    "mac_turkish",
})  # fmt: skip

_NEUTRAL = frozenset(
    "\u00a0«»‹›“”„‟‘’‚‛–—―…•·°ºª©®™№§¡¿♪♫×¼½¾²³´`′″€£¥、。，！？：；「」『』（）《》〈〉【】・～ー‥\u3000،؛؟΄"
)


@dataclass(frozen=True, slots=True)
class _Language:
    """`common` letters of the language count fully, `other` ones half (both without capitals)."""

    codes: str
    encodings: str
    common: str
    other: str = ""


_CYRILLIC = "cp1251 koi8_r koi8_u iso8859_5 cp866 mac_cyrillic"
_WESTERN = "cp1252 iso8859_15 iso8859_1 mac_roman cp850 cp437"
_NORDIC = "cp1252 iso8859_15 iso8859_1 mac_roman cp850 cp865"
_CENTRAL = "cp1250 iso8859_2 cp852 mac_latin2"
_BALTIC = "cp1257 iso8859_13 cp775"

# The most common characters of running text in each language; how common each is does not matter.
_HANZI = (
    "的一是不了人我在有他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起还"
    "成事只作当想看文无开手用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理美点月明其种声全工己话"
    "儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五"
    "太水万市眼体别处总才场师书比住员九笑性通目华报立马命张活难神数件安表原车白应路期叫死常提感金何更反合放做系计或司利受光王果亲界及"
    "今京务制解各任至清物台象记边共风战干接它许八特觉望直服毛林题建南度统色字请交爱让认算论百吃义科怎元社术结六功指思非流每青管夫连远"
    "早晚该须必离哪告诉切诫谁吗吧呢啊嗯哦喂嘿谢您她找快带跑等待杀救帮拿错准备担抱歉喜欢"
)
_HANZI_TRADITIONAL = (
    "的一是不了人我在有他這中大來上個國到說們為子和你地出道也時年得就那要下以生會自著去之過家學對可她裡後小麼心多天而能好都然沒日於起還"
    "成事只作當想看文無開手用主行方又如前所本見經頭面公同三已老從動兩長知民樣現分將外但身些與高意進把法此實回二理美點月明其種聲全工己話"
    "兒者向情部正名定女問力機給等幾很業最間新什打便位因重被走電四第門相次東政海口使教西再平真聽世氣信北少關並內加化由卻代軍產入先山五"
    "太水萬市眼體別處總才場師書比住員九笑性通目華報立馬命張活難神數件安表原車白應路期叫死常提感金何更反合放做系計或司利受光王果親界及"
    "今京務制解各任至清物台象記邊共風戰幹接它許八特覺望直服毛林題建南度統色字請交愛讓認算論百吃義科怎元社術結六功指思非流每青管夫連遠"
    "早晚該須必離哪告訴切誰嗎吧呢啊嗯哦喂嘿謝您她找快帶跑等待殺救幫拿錯準備擔抱歉喜歡"
)
_HANGUL = (
    "이다는의에고가을지사를하도은서한로니아기나해자어리있대그라인일수시정들게으만여보부스장구조제전면원안주상우과네요않했없것거내말무저너야"
    "것왜어디뭐라돼되할같때알당신우린선생좋아죽모르겠습까까지냐군건던든데더오와위미세마바치소비중간동물방문처음생각"
)
_VIETNAMESE = "ăâđêôơưàáãèéìíĩòóõùúũý" + "".join(map(chr, range(0x1EA1, 0x1EFA, 2)))
_HIRAGANA = "".join(map(chr, range(0x3041, 0x3097)))
_KATAKANA = "".join(map(chr, range(0x30A1, 0x30FB)))

LANGUAGES = (
    _Language("en de sv fi nl", _WESTERN, "äöüßåéëïè"),
    _Language("fr", _WESTERN, "éèàùâêîôûëïüçœæ"),
    _Language("es gl", _WESTERN, "áéíóúñü¿¡"),
    _Language("pt", f"{_WESTERN} cp860", "ãõáéíóúâêôçàü"),
    _Language("it", _WESTERN, "àèéìòù", "í"),
    _Language("ca", _WESTERN, "àèéíòóúçïü"),
    _Language("da no nb nn", _NORDIC, "æøåéò"),
    _Language("is fo", "cp1252 iso8859_15 iso8859_1 mac_iceland cp850 cp861", "áéíóúýþæöð"),
    _Language("sq", _WESTERN, "ëç"),
    _Language("cs", _CENTRAL, "áčďéěíňóřšťúůýž"),
    _Language("sk", _CENTRAL, "áäčďéíľňóôšťúýž", "ĺŕ"),
    _Language("pl", _CENTRAL, "ąćęłńóśźż"),
    _Language("hu", _CENTRAL, "áéíóöőúüű"),
    _Language("hr sl bs sr", f"{_CENTRAL} mac_croatian", "čćđšž"),
    _Language("ro", "cp1250 iso8859_2 iso8859_16 cp852 mac_romanian", "ăâîşţșț"),
    _Language("tr az", "cp1254 iso8859_9 cp857 mac_turkish", "çğıöşüİ", "âîû"),
    _Language("lt", _BALTIC, "ąčęėįšųūž"),
    _Language("lv", _BALTIC, "āčēģīķļņšūž"),
    _Language("et", _BALTIC, "äõöüšž"),
    _Language("vi", "cp1258", _VIETNAMESE),
    _Language("ru", _CYRILLIC, "оеаинтсрвлкмдпуяыьгзбчйхжю", "шщцфэёъ"),
    _Language("bg mk", _CYRILLIC, "аоеинтрсвлкдпмзгбучйъщжцшю", "яхфьѓѕјљњќџ"),
    _Language(
        "uk be", "cp1251 koi8_u iso8859_5 cp1125 mac_cyrillic", "оаинтвіерслкудмпяьзгбчйхїє", "жшщцфюґыўёэ"
    ),
    _Language("sr", "cp1251 iso8859_5 cp855 mac_cyrillic", "аоеинтрсвкјлдпмузгбшчц", "њљхћжђфџ"),
    _Language("el", "cp1253 iso8859_7 cp737 mac_greek", "αοιετσνηυρκπμλςδγωχάέήίόύώ", "θφβξζψϊϋΐΰ"),
    _Language(
        "he yi",
        "cp1255 iso8859_8 cp862",
        "אבגדהוזחטיכלמנסעפצקרשתםןךףץ",
        "".join(map(chr, range(0x5B0, 0x5C3))),
    ),
    _Language("ar", "cp1256 iso8859_6", "الينموتربةعدسفهكقحجشأصطخىإضءذئزثغظؤآ", "ًٌٍَُِّْ"),
    _Language("fa ur", "cp1256", "اینردهمتوبسشکزگلعخقفجپحچصطذضژظغآئ", "كي‌"),
    _Language("th", "cp874", "านรอกเงมยลวดทสตะปบคหแจพชขใไโ่้็ัิีุูำื์ผซถณ", "ฉธญฐศฟษภฎฝฮๆ๋ึ"),
    _Language(
        "ja", "cp932 euc_jp", _HIRAGANA + _KATAKANA, _HANZI + _HANZI_TRADITIONAL + "何言今私僕俺彼行来帰気"
    ),
    _Language("zh", "gb18030 big5hkscs", _HANZI + _HANZI_TRADITIONAL),
    _Language("ko", "cp949", _HANGUL, "".join(map(chr, range(0xAC00, 0xD7A4)))),
)
"""If two score the same, the earlier one is used."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Python imports its codecs when they are first used, and a job can no longer import.
for _name in ("ascii", "latin-1", "iso2022_jp", *(name for _, name in _MARKS)):
    codecs.lookup(_name)
for _language in LANGUAGES:
    for _name in _language.encodings.split():
        codecs.lookup(_name)


def decode(data: bytes, language: str | None = None) -> str:
    """Decode `data` in the most likely encoding; bytes that cannot be decoded become U+FFFD.

    `language` is the stated language (a BCP 47 tag, of which only the first part is used).
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if (utf_16 := _utf_16_without_mark(data)) is not None:
        return data.decode(utf_16, "replace")
    if b"\x1b$B" in data or b"\x1b$@" in data:
        return data.decode("iso2022_jp", "replace")  # seven bits, so also valid UTF-8
    text = data.decode("utf-8", "replace")
    errors = text.count("\ufffd")
    if errors == 0 or errors * 50 < sum(letter > "\x7f" for letter in text):
        return text  # UTF-8 with at most a few errors
    text = data.decode(guess(data, language), "replace")
    return unicodedata.normalize("NFC", text)  # Vietnamese is encoded with separate accents


def _utf_16_without_mark(data: bytes) -> str | None:
    """Detect UTF-16 without a mark: every other byte of Latin text, and of line ends in any text, is zero."""
    start = data[: SAMPLE // 2 * 2]
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if max(even, odd) * 20 < len(start) or min(even, odd) * 4 > max(even, odd):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def guess(data: bytes, language: str | None = None) -> str:
    """Return the most likely encoding of `LANGUAGES`, by its Python name."""
    sample = _sample(data)
    hint = language.split("-")[0].lower() if language else None
    best, chosen = float("-inf"), "cp1252"
    decoded: dict[str, _Letters] = {}
    for candidate in LANGUAGES:
        bonus = HINT if hint in candidate.codes.split() else 0.0
        weights = _letter_weights(candidate)
        for encoding in candidate.encodings.split():
            if encoding not in decoded:
                text = sample.decode(encoding, "replace")
                decoded[encoding] = _Letters.of(unicodedata.normalize("NFC", text))
            score = decoded[encoding].score(weights) + bonus - (RARE if encoding in _OLD_ENCODINGS else 0)
            if score > best + 1e-9:
                best, chosen = score, encoding
    return chosen


@dataclass(frozen=True, slots=True)
class _Letters:
    """What a decoding is scored by, for all languages: the counts of letters that are not ASCII, and the faults."""

    counts: Counter[str]
    faults: float

    @classmethod
    def of(cls, text: str) -> Self:
        pairs = Counter(pair for pair in pairwise(f"\n{text}") if pair[0] > "\x7f" or pair[1] > "\x7f")
        return cls(
            Counter(letter for letter in text if letter > "\x7f"),
            sum(_misplacement(*pair) * count for pair, count in pairs.items()),
        )

    def score(self, weights: dict[str, float]) -> float:
        """Return the mean over all letters that are not ASCII: 1 if all of them belong to the language."""
        total = sum(
            (weights.get(letter) or _foreign_score(letter)) * count for letter, count in self.counts.items()
        )
        count = self.counts.total()
        return (total - self.faults) / count if count else 0.0


def _sample(data: bytes) -> bytes:
    """Return the lines that are not ASCII; the others say nothing about the encoding."""

    def non_ascii_lines() -> Iterator[bytes]:
        length = 0
        for line in re.finditer(rb"[^\r\n]*[\x80-\xff][^\r\n]*", data[: SAMPLE * 64]):
            yield line.group()[:SAMPLE]
            length += len(line.group())
            if length > SAMPLE:
                return

    return b"\n".join(non_ascii_lines())


def _letter_weights(language: _Language) -> dict[str, float]:
    weights = dict.fromkeys(_NEUTRAL, 0.7)
    for letters, weight in ((language.other, 0.5), (language.common, 1.0)):
        for letter in letters:
            weights[letter.upper()] = weight * 0.9
            weights[letter] = weight
    return weights


def _misplacement(before: str, letter: str) -> float:
    """Rate faults of wrong decodings: capitals inside a word, accents without a letter, two alphabets in one word."""
    if letter.isupper() and before.islower():
        return 1.0
    if unicodedata.combining(letter) and not (before.isalpha() or unicodedata.combining(before)):
        return 1.0
    first, second = sorted((before, letter))
    other = second.isalpha() and "\u0370" <= second < "\u2000" and not "\u1e00" <= second < "\u1f00"
    return 1.0 if other and first.isalpha() and first < "\x80" else 0.0


def _foreign_score(letter: str) -> float:
    """Score a character that the language does not use: a rarer ideograph, another letter, or not text at all."""
    if "\u4e00" <= letter <= "\u9fff":
        return 0.3
    kind = unicodedata.category(letter)
    if letter == "\ufffd" or kind in {"Cc", "Cn", "Co", "Cs"}:
        return -3.0
    if "\uff61" <= letter <= "\uff9f":
        return -0.5
    return -0.5 if kind.startswith("L") else -1.0
