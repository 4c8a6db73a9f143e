"""Detect encodings from before UTF-8 in real sentences of many languages."""

import codecs
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.media.formats.charsets import LANGUAGES, decode, guess

# ruff: noqa: RUF001 - this module is about letters that look alike

SPOKEN = {
    ("cs", "cp1250 iso8859-2 cp852 mac_latin2"): (
        "Kde jsi byl celou noc?\n"
        "Příliš žluťoučký kůň úpěl ďábelské ódy.\n"
        "Nevím, co ti mám říct. Už je pozdě.\n"
        "Musíme odsud okamžitě zmizet!\n"
        "Proč jsi mi to neřekl dřív?"
    ),
    ("pl", "cp1250 iso8859-2 cp852 mac_latin2"): (
        "Gdzie byłeś całą noc?\n"
        "Nie wiem, co mam ci powiedzieć.\n"
        "Musimy stąd natychmiast uciekać!\n"
        "Dlaczego nie powiedziałeś mi wcześniej?\n"
        "Wszystko będzie dobrze, zobaczysz."
    ),
    ("hu", "cp1250 iso8859-2 cp852 mac_latin2"): (
        "Hol voltál egész éjszaka?\n"
        "Nem tudom, mit mondhatnék neked.\n"
        "Azonnal el kell tűnnünk innen!\n"
        "Miért nem mondtad hamarabb?\n"
        "Minden rendben lesz, meglátod. Ő az űrhajós."
    ),
    ("hr", "cp1250 iso8859-2 cp852 mac_croatian"): (
        "Gdje si bio cijelu noć?\n"
        "Ne znam što da ti kažem.\n"
        "Moramo odmah otići odavde!\n"
        "Zašto mi to nisi rekao prije?\n"
        "Sve će biti u redu, vidjet ćeš."
    ),
    ("ro", "cp1250 iso8859-2"): (
        "Unde ai fost toată noaptea?\n"
        "Nu ştiu ce să-ţi spun.\n"
        "Trebuie să plecăm de aici imediat!\n"
        "De ce nu mi-ai spus mai devreme?\n"
        "Totul va fi bine, o să vezi."
    ),
    ("ru", "cp1251 koi8-r iso8859_5 cp866 mac_cyrillic"): (
        "Где ты был всю ночь?\n"
        "Я не знаю, что тебе сказать.\n"
        "Нам нужно немедленно уходить отсюда!\n"
        "Почему ты не сказал мне раньше?\n"
        "Всё будет хорошо, вот увидишь."
    ),
    ("uk", "cp1251 koi8-u cp1125 mac_cyrillic"): (
        "Де ти був усю ніч?\n"
        "Я не знаю, що тобі сказати.\n"
        "Нам треба негайно йти звідси!\n"
        "Чому ти не сказав мені раніше?\n"
        "Усе буде добре, ось побачиш. Їхати ще далеко."
    ),
    ("bg", "cp1251 mac_cyrillic cp866"): (
        "Къде беше цяла нощ?\n"
        "Не знам какво да ти кажа.\n"
        "Трябва веднага да се махаме оттук!\n"
        "Защо не ми каза по-рано?\n"
        "Всичко ще бъде наред, ще видиш."
    ),
    ("sr", "cp1251 iso8859-5 cp855 mac_cyrillic"): (
        "Где си био целу ноћ?\n"
        "Не знам шта да ти кажем.\n"
        "Морамо одмах да одемо одавде!\n"
        "Зашто ми то ниси рекао раније?\n"
        "Све ће бити у реду, видећеш. Љубав, њега, џеп."
    ),
    ("fr", "cp1252 iso8859-15 cp850 cp437 mac_roman"): (
        "Où étais-tu toute la nuit ?\n"
        "Je ne sais pas quoi te dire.\n"
        "Ça va être très compliqué, tu le sais déjà.\n"
        "Pourquoi tu ne me l'as pas dit plus tôt ?\n"
        "Tout ira bien, tu verras, à bientôt."
    ),
    ("de", "cp1252 iso8859-1 cp850 cp437 mac_roman"): (
        "Wo warst du die ganze Nacht?\n"
        "Ich weiß nicht, was ich dir sagen soll.\n"
        "Wir müssen sofort von hier verschwinden!\n"
        "Warum hast du mir das nicht früher erzählt?\n"
        "Es wird schön, du wirst sehen. Grüße an alle."
    ),
    ("es", "cp1252 iso8859-1 cp850 cp437 mac_roman"): (
        "¿Dónde estuviste toda la noche?\n"
        "No sé qué decirte, señor.\n"
        "¡Tenemos que salir de aquí ahora mismo!\n"
        "¿Por qué no me lo dijiste antes?\n"
        "Todo irá bien, ya lo verás. Mañana será otro día."
    ),
    ("pt", "cp1252 iso8859-1 cp850 cp860 mac_roman"): (
        "Onde você esteve a noite toda?\n"
        "Não sei o que te dizer.\n"
        "Temos que sair daqui já, não há opção!\n"
        "Por que você não me contou antes?\n"
        "Vai ficar tudo bem, você vai ver. Atenção, irmão."
    ),
    ("sv", "cp1252 iso8859-1 cp850 mac_roman"): (
        "Var har du varit hela natten?\n"
        "Jag vet inte vad jag ska säga.\n"
        "Vi måste härifrån på en gång!\n"
        "Varför sa du inte det tidigare?\n"
        "Allt kommer att ordna sig, förstår du. Å, så vackert."
    ),
    ("el", "cp1253 iso8859-7 cp737 mac_greek"): (
        "Πού ήσουν όλη τη νύχτα;\n"
        "Δεν ξέρω τι να σου πω.\n"
        "Πρέπει να φύγουμε αμέσως από εδώ!\n"
        "Γιατί δεν μου το είπες νωρίτερα;\n"
        "Όλα θα πάνε καλά, θα δεις."
    ),
    ("tr", "cp1254 iso8859-9 cp857 mac_turkish"): (
        "Bütün gece neredeydin?\n"
        "Sana ne söyleyeceğimi bilmiyorum.\n"
        "Hemen buradan gitmemiz gerekiyor!\n"
        "Neden bana daha önce söylemedin?\n"
        "Her şey iyi olacak, göreceksin. Işığı aç."
    ),
    ("he", "cp1255 iso8859-8 cp862"): (
        "איפה היית כל הלילה?\n"
        "אני לא יודע מה להגיד לך.\n"
        "אנחנו חייבים לצאת מכאן מיד!\n"
        "למה לא אמרת לי קודם?\n"
        "הכול יהיה בסדר, אתה תראה."
    ),
    ("ar", "cp1256 iso8859-6"): (
        "أين كنت طوال الليل؟\n"
        "لا أعرف ماذا أقول لك.\n"
        "يجب أن نخرج من هنا فورا!\n"
        "لماذا لم تخبرني من قبل؟\n"
        "كل شيء سيكون على ما يرام، سترى."
    ),
    ("vi", "cp1258"): (
        "Cả đêm qua anh đã ở đâu?\n"
        "Tôi không biết phải nói gì với anh.\n"
        "Chúng ta phải rời khỏi đây ngay lập tức!\n"
        "Tại sao anh không nói với tôi sớm hơn?\n"
        "Mọi chuyện sẽ ổn thôi, anh sẽ thấy."
    ),
    ("ja", "shift_jis euc_jp iso2022_jp"): (
        "一晩中どこにいたの？\n"
        "何て言えばいいのか分からない。\n"
        "すぐにここから出なければならない！\n"
        "どうしてもっと早く言ってくれなかったの？\n"
        "きっと大丈夫だよ、見ていて。"
    ),
    ("zh", "gb18030 gbk"): (
        "你整晚都去哪儿了？\n"
        "我不知道该对你说什么。\n"
        "我们必须马上离开这里！\n"
        "你为什么不早点告诉我？\n"
        "一切都会好起来的，你会看到的。"
    ),
    ("zh-TW", "big5"): (
        "你整晚都去哪裡了？\n"
        "我不知道該對你說什麼。\n"
        "我們必須馬上離開這裡！\n"
        "你為什麼不早點告訴我？\n"
        "一切都會好起來的，你會看到的。"
    ),
    ("ko", "euc_kr cp949"): (
        "밤새 어디에 있었어?\n"
        "뭐라고 말해야 할지 모르겠어.\n"
        "당장 여기서 나가야 해!\n"
        "왜 더 일찍 말하지 않았어?\n"
        "다 잘될 거야, 두고 봐."
    ),
    ("th", "cp874 tis-620"): (
        "คุณอยู่ที่ไหนทั้งคืน\nฉันไม่รู้จะพูดอะไรกับคุณ\nเราต้องออกไปจากที่นี่ทันที\nทำไมคุณไม่บอกฉันก่อนหน้านี้\nทุกอย่างจะเรียบร้อย"
    ),
    ("lt", "cp1257 iso8859-13 cp775"): (
        "Kur buvai visą naktį?\n"
        "Nežinau, ką tau pasakyti.\n"
        "Turime nedelsiant iš čia dingti!\n"
        "Kodėl man nepasakei anksčiau?\n"
        "Viskas bus gerai, pamatysi. Ačiū už šviesą."
    ),
    ("da", "cp1252 iso8859-1 cp850 cp865 mac_roman"): (
        "Hvor har du været hele natten?\n"
        "Jeg ved ikke, hvad jeg skal sige til dig.\n"
        "Vi må væk herfra med det samme!\n"
        "Hvorfor sagde du det ikke tidligere, søster?\n"
        "Det går nok altsammen. Åh, ja."
    ),
    ("it", "cp1252 iso8859-1 cp850 mac_roman"): (
        "Dove sei stato tutta la notte? È tardi.\n"
        "Non so cosa dirti, perché non c'è più tempo.\n"
        "Dobbiamo andarcene via di qui, così è la città.\n"
        "Perché non me l'hai detto prima? Andrà tutto bene, vedrai."
    ),
    ("lv", "cp1257 iso8859-13 cp775"): (
        "Kur tu biji visu nakti?\n"
        "Es nezinu, ko tev teikt.\n"
        "Mums nekavējoties jātiek prom no šejienes!\n"
        "Kāpēc tu man neteici agrāk?\n"
        "Viss būs labi, tu redzēsi. Ļoti žēl, māsiņ."
    ),
    ("is", "cp1252 iso8859-1 cp861 mac_iceland"): (
        "Hvar varstu í alla nótt?\n"
        "Ég veit ekki hvað ég á að segja þér.\n"
        "Við verðum að fara héðan strax!\n"
        "Það verður allt í lagi, þú sérð það."
    ),
    ("fa", "cp1256"): (
        "تمام شب کجا بودي؟\n"
        "نمي دانم چه بگويم.\n"
        "بايد فورا از اينجا برويم!\n"
        "چرا زودتر به من نگفتي؟\n"
        "همه چيز درست مي شود، خواهي ديد."
    ),
}
DOS_AND_MACINTOSH = {single for _, all_ in SPOKEN for single in all_.split() if re.match("mac_|cp[478]..$|cp1125", single)} - {
    "cp866", "cp874",
}  # fmt: skip
CASES = [
    pytest.param(language, encoding, text, id=f"{language}-{encoding}")
    for (language, encodings), text in SPOKEN.items()
    for encoding in encodings.split()
]


def as_srt(text: str) -> str:
    """Format sentences as a subtitle file, which is mostly digits and arrows."""
    return "\r\n\r\n".join(
        f"{number}\r\n00:00:{number:02},000 --> 00:00:{number:02},900\r\n{line}"
        for number, line in enumerate(text.split("\n"), 1)
    )


def encoded(text: str, encoding: str) -> bytes:
    if encoding == "cp1258":  # it has letters with a circumflex or a horn, and separate tone marks
        letters = (chr(code) for code in range(0xC0, 0x1F00) if not _is_encodable(chr(code), encoding))
        table = str.maketrans({letter: parts for letter in letters if (parts := _with_separate_tone(letter))})
        text = text.translate(table)
    return text.encode(encoding)


def _with_separate_tone(letter: str) -> str | None:
    whole = unicodedata.normalize("NFD", letter)
    for tone in whole[1:]:
        base = unicodedata.normalize("NFC", whole.replace(tone, "", 1))
        try:
            (base + tone).encode("cp1258")
        except UnicodeEncodeError:
            continue
        if len(base) == 1:
            return base + tone
    return None


@pytest.mark.parametrize(("language", "encoding", "text"), CASES)
def test_the_encoding_is_detected(language: str, encoding: str, text: str) -> None:
    """From a few sentences, or, for common encodings, from any one of them if the language is stated."""
    assert decode(encoded(as_srt(text), encoding)) == as_srt(text)
    if encoding in DOS_AND_MACINTOSH:
        return  # one letter may be valid in several; then the more common encoding is used
    for line in text.split("\n"):
        assert decode(encoded(line, encoding), language) == line


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_encodings_are_decoded(encoding: str) -> None:
    for text in SPOKEN.values():
        assert decode(as_srt(text).encode(encoding)) == as_srt(text)


def test_utf_16_with_a_byte_order_mark_is_decoded() -> None:
    assert decode(codecs.BOM_UTF16_BE + "Größe".encode("utf-16-be")) == "Größe"
    assert decode(codecs.BOM_UTF16_LE + "Größe".encode("utf-16-le")) == "Größe"


def test_utf_8_with_a_wrong_byte_is_still_utf_8() -> None:
    text = "Größe und Straße, Öl und Ärger. " * 20
    assert decode(text.encode() + b"\xff") == text + "\ufffd"


def test_ascii_is_decoded_unchanged() -> None:
    assert decode(b"just words") == "just words"
    assert decode(b"") == ""


@given(st.binary(max_size=400), st.sampled_from([None, "en", "ja", "tlh", "", "zh-TW"]))
def test_any_bytes_decode_to_text(data: bytes, language: str | None) -> None:
    text = decode(data, language)
    assert isinstance(text, str)
    text.encode("utf-8", "surrogatepass")


def _is_encodable(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def test_guessing_takes_bounded_time() -> None:
    """Of ten megabytes only a part is examined: it takes a second, not a minute."""
    assert guess(bytes(range(128, 256)) * 80_000) in {
        encoding for language in LANGUAGES for encoding in language.encodings.split()
    }
