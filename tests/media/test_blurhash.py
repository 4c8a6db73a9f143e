"""Blur hashes: the results of the reference implementation for the same pixels, and properties of any hash."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.media.artwork.blurhash import blurhash


def image(kind: str, width: int, height: int) -> bytes:
    chance = random.Random(7)
    at = [(x, y) for y in range(height) for x in range(width)]
    kinds: dict[str, Callable[[int, int], tuple[int, int, int]]] = {
        "gradient": lambda x, y: (x * 255 // max(1, width - 1), y * 255 // max(1, height - 1), 128),
        "noise": lambda _x, _y: (chance.randrange(256), chance.randrange(256), chance.randrange(256)),
        "red": lambda _x, _y: (255, 0, 0),
        "black": lambda _x, _y: (0, 0, 0),
        "stripes": lambda x, _y: (255, 255, 255) if (x // 4) % 2 else (0, 40, 200),
    }
    return bytes(value for x, y in at for value in kinds[kind](x, y))


# Results of woltapp's C code, through the packages blurhash-python 1.2.2 and blurhash 1.1.4.
@pytest.mark.parametrize(
    ("kind", "width", "height", "across", "down", "expected"),
    [
        ("gradient", 32, 18, 4, 3, "L$HezM2swxX8qRWDjtaggJfjfQfj"),
        ("noise", 16, 9, 4, 3, "LJHU;BtVSPwk^naQnCT2#QvPt6nQ"),
        ("red", 8, 8, 4, 3, "LfTI:j|cfQ|c|csUfQsUfQfQfQfQ"),
        ("black", 8, 8, 4, 3, "L00000fQfQfQfQfQfQfQfQfQfQfQ"),
        ("stripes", 32, 18, 4, 3, "LHLqhw4tfQ06.9WDfQWCfQfQfQfQ"),
        ("gradient", 18, 32, 3, 4, "T$HxvN2?wxl}WDjtgJfjfQnmWWjt"),
        ("noise", 5, 7, 1, 1, "00Hete"),
    ],
)
def test_hashes_equal_those_of_the_reference(
    kind: str, width: int, height: int, across: int, down: int, expected: str
) -> None:
    assert blurhash(image(kind, width, height), width, height, across, down) == expected


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(1, 12),
    st.integers(1, 12),
    st.randoms(use_true_random=False),
)
def test_any_image_has_a_hash(across: int, down: int, width: int, height: int, chance: random.Random) -> None:
    result = blurhash(chance.randbytes(width * height * 3), width, height, across, down)
    assert len(result) == 4 + 2 * across * down
    assert result.isascii()
    assert '"' not in result
    assert "\\" not in result


@given(st.tuples(*[st.integers(0, 255)] * 3), st.integers(1, 9), st.integers(1, 9))
def test_the_hash_contains_the_mean_colour(colour: tuple[int, int, int], width: int, height: int) -> None:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
    mean = 0
    for letter in blurhash(bytes(colour) * (width * height), width, height)[2:6]:
        mean = mean * 83 + digits.index(letter)
    assert (mean >> 16, mean >> 8 & 255, mean & 255) == colour


@pytest.mark.parametrize(("across", "down", "length"), [(0, 3, 12), (10, 3, 12), (4, 3, 11), (4, 3, 0)])
def test_invalid_arguments_raise_a_value_error(across: int, down: int, length: int) -> None:
    with pytest.raises(ValueError, match=r"blur hash|image"):
        blurhash(bytes(length), 2, 2, across, down)
