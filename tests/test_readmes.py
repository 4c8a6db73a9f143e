"""README.md and README.pt-BR.md have the same headings, tables, code, links and pictures."""

import re
from itertools import zip_longest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGLISH, PORTUGUESE = "README.md", "README.pt-BR.md"

FENCED = re.compile(r"^```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:(?<=\n\n)|\A)((?: {4}[^\n]*\n|\n(?= {4}))+)")
TABLE = re.compile(r"(?:^\|.*\|\n)+", re.MULTILINE)
NUMBER = re.compile(r"\d[\d.,]*\d|\d")
COMMENT = re.compile(r"(?:^|\s+)#.*$", re.MULTILINE)
PLACEHOLDER = re.compile(r"<[^<>]+>")
"""In code, what readers replace: `<the address of this repository>`."""


def blocks(text: str) -> list[str]:
    """The code blocks, without comments and with placeholders that are all the same."""
    found = sorted([*FENCED.finditer(text), *INDENTED.finditer(text)], key=lambda each: each.start())
    return [PLACEHOLDER.sub("<>", COMMENT.sub("", each[1])).strip() for each in found]


def without_code(text: str) -> str:
    return INDENTED.sub("", FENCED.sub("", text))


def headings(text: str) -> list[int]:
    """The levels of all headings, in their order."""
    return [len(each) for each in re.findall(r"^(#+) ", without_code(text), re.MULTILINE)]


def tables(text: str) -> list[list[list[str]]]:
    """All tables: what is code, a number or a target in each cell, and nothing of the words around it."""
    return [
        [
            [_sameness(cell) for cell in row.strip().strip("|").split("|")]
            for row in table.strip().splitlines()
        ]
        for table in TABLE.findall(without_code(text))
    ]


def _sameness(cell: str) -> str:
    if re.fullmatch(r"\s*:?-+:?\s*", cell):
        return cell.strip()
    code = re.findall(r"`[^`]+`", cell)
    numbers = [re.sub(r"[.,]", "_", each) for each in NUMBER.findall(re.sub(r"`[^`]+`|\([^)]*\)", "", cell))]
    return " ".join([*code, *numbers]) or ("words" if cell.strip() else "")


def targets(text: str) -> list[str]:
    """What is linked to or shown, in its order; either README stands for the other."""
    found = re.findall(r"\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"", without_code(text))
    return [(link or image).replace(PORTUGUESE, ENGLISH) for link, image in found]


def differences(english: str, portuguese: str) -> list[str]:
    """In which ways two documents differ, and where first."""
    found = []
    for what, read in (("headings", headings), ("tables", tables), ("code", blocks), ("links", targets)):
        for number, (one, other) in enumerate(zip_longest(read(english), read(portuguese))):
            if one != other:
                found.append(f"{what}, number {number + 1}: {one!r} is not {other!r}")
                break
    return found


def test_both_say_the_same() -> None:
    english, portuguese = ((ROOT / name).read_text("utf-8") for name in (ENGLISH, PORTUGUESE))
    assert differences(english, portuguese) == []


def test_there_is_something_to_compare() -> None:
    english = (ROOT / ENGLISH).read_text("utf-8")
    assert len(headings(english)) > 8
    assert len(tables(english)) == 3
    assert len(blocks(english)) > 5
    assert len(targets(english)) > 20


SAMPLE = """\
# A title

See [the other one](README.pt-BR.md) and ![a picture](docs/images/library.png).

## Start

    git clone <an address>
    scripts/serve -b 0.0.0.0:8000     # to all

```toml
max_streams = 500  # at once
```

| Name | Figure |
| --- | ---: |
| `sendfile` | 1,000.5, late |
| nothing | |

<img src="docs/images/phone.png" alt="a phone">
"""

TRANSLATED = """\
# Um título

Veja [o outro](README.md) e ![uma imagem](docs/images/library.png).

## Comece aqui

    git clone <um endereço>
    scripts/serve -b 0.0.0.0:8000     # para todos

```toml
max_streams = 500  # ao mesmo tempo
```

| Nome | Número |
| --- | ---: |
| `sendfile` | 1.000,5, atrasado |
| nada | |

<img src="docs/images/phone.png" alt="um celular">
"""


def test_a_translation_is_no_difference() -> None:
    assert differences(SAMPLE, TRANSLATED) == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("## Comece", "### Comece", "headings"),
        ("## Comece", "## Extra\n\n## Comece", "headings"),
        ("| nada | |\n", "", "tables"),
        ("| nada | |\n", "| nada |\n", "tables"),
        ("| nada | |\n", "| nada | 1 |\n", "tables"),
        ("1.000,5", "1.000,6", "tables"),
        ("`sendfile`", "`splice`", "tables"),
        ("---:", "---", "tables"),
        ("0.0.0.0:8000", "127.0.0.1:8000", "code"),
        ("max_streams = 500", "max_streams = 50", "code"),
        ("    git clone <um endereço>\n", "", "code"),
        ("library.png", "watch.png", "links"),
        ("phone.png", "celular.png", "links"),
        ("[o outro](README.md)", "o outro", "links"),
    ],
)
def test_a_difference_is_found(old: str, new: str, what: str) -> None:
    assert old in TRANSLATED
    (found,) = differences(SAMPLE, TRANSLATED.replace(old, new))
    assert found.startswith(what)
