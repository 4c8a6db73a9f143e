"""What scripts/readability counts as prose, and how it counts."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "readability"

MARKDOWN = """\
# A heading is not counted

The [server](https://server.example/a/long/path) sends `one file`. It is *fast*!

    indented = "code is not counted"

```python
fenced = "code is not counted"
```

![a picture is not counted](picture.png)

- The first item has five.
  It goes on here

| A label | Another label |
| --- | ---: |
| A cell with five words | 1.4 |
"""

RESTRUCTURED = """\
A heading is not counted
========================

The `server <https://server.example/a/long/path>`__ sends ``one file``. It is *fast*!

.. code-block:: python

   directive = "code is not counted"

For example::

   literal = "code is not counted"

.. note::

   The first item has five.

=====  =====
A one  B two
=====  =====
c one  d two
=====  =====
"""


def run(*arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return ended.stdout


def prose(path: Path) -> list[str]:
    return run("--prose", str(path)).strip().split("\n\n")


def test_prose_of_markdown(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(MARKDOWN)
    assert prose(path) == [
        "The server sends code. It is fast!",
        "The first item has five. It goes on here",
        "A label",
        "Another label",
        "A cell with five words",
        "1.4",
    ]


def test_prose_of_restructured_text(tmp_path: Path) -> None:
    path = tmp_path / "a.rst"
    path.write_text(RESTRUCTURED)
    assert prose(path) == ["The server sends code. It is fast!", "For example:", "The first item has five."]


@pytest.mark.parametrize(
    ("text", "words", "sentences", "syllables"),
    [
        ("The video is here. Seek in it, e.g. with a key.", 11, 2, 12),
        ("The cached pages use memory (3 MB).", 7, 1, 10),
        ("Idea, area, database, created, watched, little, don't.", 7, 1, 2 + 2 + 3 + 3 + 1 + 2 + 1),
        ("Too short.\n\nThis one is counted.", 4, 1, 5),
    ],
)
def test_figures(tmp_path: Path, text: str, words: int, sentences: int, syllables: int) -> None:
    path = tmp_path / "a.md"
    path.write_text(text)
    row = run(str(path)).splitlines()[1]
    found = [float(each) for each in re.split(r" +", row)[1:]]
    ease = 206.835 - 1.015 * words / sentences - 84.6 * syllables / words
    assert found == pytest.approx([words, sentences, words / sentences, syllables / words, ease], abs=0.06)


def test_a_row_for_each_file_and_one_for_all(tmp_path: Path) -> None:
    for name in ("a.md", "b.rst"):
        (tmp_path / name).write_text("One two three four. Five six seven.")
    rows = [line.split() for line in run(str(tmp_path / "a.md"), str(tmp_path / "b.rst")).splitlines()[1:]]
    assert [row[0] for row in rows] == [str(tmp_path / "a.md"), str(tmp_path / "b.rst"), "all"]
    assert [row[1:3] for row in rows] == [["7", "2"], ["7", "2"], ["14", "4"]]
