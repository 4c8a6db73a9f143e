"""Blur hashes: about thirty characters from which a page draws a blurred image (pure).

The algorithm is described at https://github.com/woltapp/blurhash/blob/master/Algorithm.md: the first cosine components
of the image, in linear light, each written in base 83.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

# "Base 83", Algorithm.md
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

type Colour = tuple[float, float, float]
"""Red, green and blue in linear light."""


def blurhash(pixels: bytes, width: int, height: int, across: int = 4, down: int = 3) -> str:
    """Return the hash of an image of `width` x `height` pixels, three bytes each (sRGB), row by row.

    It has `across` x `down` components, 1 to 9 each. The time is proportional to pixels times components, so the image
    should be small already.
    """
    if not (1 <= across <= 9 and 1 <= down <= 9):
        raise ValueError("a blur hash has 1 to 9 components each way")
    if width < 1 or height < 1 or len(pixels) != width * height * 3:
        raise ValueError("an image has three bytes per pixel")
    constant, *others = _components(pixels, width, height, across, down)
    strongest = max((abs(value) for colour in others for value in colour), default=0.0)
    step = max(0, min(82, math.floor(strongest * 166 - 0.5)))
    scale = (step + 1) / 166 if others else 1.0
    parts = [_base83((across - 1) + (down - 1) * 9, 1), _base83(step if others else 0, 1)]
    red, green, blue = map(_to_srgb, constant)
    parts.append(_base83((red << 16) + (green << 8) + blue, 4))
    parts += [_base83(_quantised(colour, scale), 2) for colour in others]
    return "".join(parts)


def _components(pixels: bytes, width: int, height: int, across: int, down: int) -> list[Colour]:
    """Return the cosine components, the constant one first; each row is summed up, then the sums of the rows."""
    linear = _linear()
    rows: list[list[Colour]] = []
    waves_across = _waves(width, across)
    for y in range(height):
        row = [linear[value] for value in pixels[y * width * 3 : (y + 1) * width * 3]]
        channels = row[0::3], row[1::3], row[2::3]
        rows.append([_along(wave, channels) for wave in waves_across])
    components: list[Colour] = []
    for j, wave in enumerate(_waves(height, down)):
        for i in range(across):
            share = (1 if i == j == 0 else 2) / (width * height)
            red, green, blue = _along(wave, tuple(zip(*(row[i] for row in rows), strict=True)))
            components.append((red * share, green * share, blue * share))
    return components


def _along(wave: Sequence[float], channels: Sequence[Sequence[float]]) -> Colour:
    red, green, blue = (math.sumprod(wave, channel) for channel in channels)
    return red, green, blue


def _waves(length: int, count: int) -> list[list[float]]:
    return [[math.cos(math.pi * number * at / length) for at in range(length)] for number in range(count)]


@lru_cache(1)
def _linear() -> tuple[float, ...]:
    """Return the linear light for each sRGB byte (IEC 61966-2-1)."""
    return tuple(
        value / 255 / 12.92 if value / 255 <= 0.04045 else ((value / 255 + 0.055) / 1.055) ** 2.4
        for value in range(256)
    )


def _to_srgb(light: float) -> int:
    light = max(0.0, min(1.0, light))
    if light <= 0.0031308:
        return int(light * 12.92 * 255 + 0.5)
    return int((1.055 * light ** (1 / 2.4) - 0.055) * 255 + 0.5)


def _quantised(colour: Colour, scale: float) -> int:
    """Quantise a component to 19 x 19 x 19 steps, finer near zero."""
    steps = 0
    for value in colour:
        rooted = math.copysign(math.sqrt(abs(value / scale)), value)
        steps = steps * 19 + max(0, min(18, math.floor(rooted * 9 + 9.5)))
    return steps


def _base83(value: int, digits: int) -> str:
    return "".join(_DIGITS[value // 83 ** (digits - at) % 83] for at in range(1, digits + 1))
