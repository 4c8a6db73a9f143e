"""Capital letters drawn with a pen, so that titles look the same wherever they are drawn: no font is needed."""

import math
from dataclasses import dataclass

Point = tuple[float, float]
Stroke = list[Point]


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> Stroke:
    """Points of an elliptic arc; degrees, clockwise from the right, as y points down."""
    angles = [math.radians(start + (end - start) * step / 28) for step in range(29)]
    return [(x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles]


SIX = [*arc(54, 69, 54, 69, 278, 180), *arc(31, 69, 31, 31, 180, 540)]

GLYPHS: dict[str, tuple[float, list[Stroke]]] = {
    " ": (34, []),
    "A": (80, [[(0, 100), (40, 0), (80, 100)], [(14, 66), (66, 66)]]),
    "B": (
        60,
        [
            [(0, 100), (0, 0), *arc(32, 23.5, 23.5, 23.5, -90, 90), (0, 47)],
            [(30, 47), *arc(33.5, 73.5, 26.5, 26.5, -90, 90), (0, 100)],
        ],
    ),
    "C": (84, [arc(50, 50, 50, 50, -46, -314)]),
    "D": (76, [[(0, 0), *arc(27, 50, 49, 50, -90, 90), (0, 100), (0, 0)]]),
    "E": (52, [[(52, 0), (0, 0), (0, 100), (52, 100)], [(0, 48), (45, 48)]]),
    "F": (50, [[(50, 0), (0, 0), (0, 100)], [(0, 48), (43, 48)]]),
    "G": (96, [[*arc(49, 50, 49, 50, -46, -360), (58, 50)]]),
    "H": (70, [[(0, 0), (0, 100)], [(70, 0), (70, 100)], [(0, 48), (70, 48)]]),
    "I": (0, [[(0, 0), (0, 100)]]),
    "J": (44, [[(44, 0), *arc(22, 76, 22, 24, 0, 165)]]),
    "K": (62, [[(0, 0), (0, 100)], [(60, 0), (0, 60)], [(20, 41), (62, 100)]]),
    "L": (48, [[(0, 0), (0, 100), (48, 100)]]),
    "M": (90, [[(0, 100), (0, 0), (45, 64), (90, 0), (90, 100)]]),
    "N": (72, [[(0, 100), (0, 0), (72, 100), (72, 0)]]),
    "O": (100, [arc(50, 50, 50, 50, 0, 360)]),
    "P": (58, [[(0, 100), (0, 0), *arc(30, 28, 28, 28, -90, 90), (0, 56)]]),
    "Q": (100, [arc(50, 50, 50, 50, 0, 360), [(62, 66), (98, 106)]]),
    "R": (60, [[(0, 100), (0, 0), *arc(30, 28, 28, 28, -90, 90), (0, 56)], [(28, 56), (60, 100)]]),
    "S": (58, [[*arc(29, 25, 26, 25, -28, -270), *arc(29, 75, 29, 25, -90, 152)]]),
    "T": (66, [[(0, 0), (66, 0)], [(33, 0), (33, 100)]]),
    "U": (70, [[(0, 0), *arc(35, 65, 35, 35, 180, 0), (70, 0)]]),
    "V": (78, [[(0, 0), (39, 100), (78, 0)]]),
    "W": (116, [[(0, 0), (29, 100), (58, 12), (87, 100), (116, 0)]]),
    "X": (68, [[(0, 0), (68, 100)], [(68, 0), (0, 100)]]),
    "Y": (70, [[(0, 0), (35, 52), (70, 0)], [(35, 52), (35, 100)]]),
    "Z": (64, [[(2, 0), (64, 0), (0, 100), (64, 100)]]),
    "0": (66, [arc(33, 50, 33, 50, 0, 360)]),
    "1": (26, [[(0, 22), (26, 0), (26, 100)]]),
    "2": (58, [[*arc(29, 29, 28, 29, 195, 395), (0, 100), (58, 100)]]),
    "3": (56, [[*arc(27, 25, 25, 25, 205, 450), *arc(27, 74, 29, 26, 270, 512)]]),
    "4": (66, [[(48, 100), (48, 0), (0, 70), (66, 70)]]),
    "5": (56, [[(50, 0), (8, 0), (4, 46), *arc(25, 68, 31, 32, 232, 510)]]),
    "6": (62, [SIX]),
    "7": (58, [[(0, 0), (58, 0), (20, 100)]]),
    "8": (58, [arc(29, 24, 24, 24, 0, 360), arc(29, 74, 29, 26, 0, 360)]),
    "9": (62, [[(62 - x, 100 - y) for x, y in SIX]]),
    "'": (0, [[(0, 0), (0, 18)]]),
    ".": (0, [[(0, 99), (0, 100)]]),
    ",": (4, [[(4, 96), (0, 112)]]),
    ":": (0, [[(0, 34), (0, 35)], [(0, 89), (0, 90)]]),
    "-": (34, [[(0, 54), (34, 54)]]),
    "&": (
        76,
        [
            [
                (76, 100),
                (16, 32),
                *arc(33, 20, 20, 20, 145, 400),
                (10, 60),
                *arc(30, 74, 29, 26, 215, 20),
                (74, 52),
            ]
        ],
    ),
}

GAP = 15
"""Between the strokes of two letters, where the height of a letter is 100."""


@dataclass(frozen=True)
class Pen:
    """How letters are drawn: their height, the weight of the pen as a part of it, width, spacing and slant."""

    height: float
    weight: float = 0.11
    width: float = 1.0
    tracking: float = 1.0
    slant: float = 0.0
    cap: str = "round"


def length(text: str, pen: Pen) -> float:
    """How wide a text is."""
    scale = pen.height / 100
    widths = sum(GLYPHS[char][0] * pen.width for char in text)
    return (widths + _gap(pen) * (len(text) - 1)) * scale


def _gap(pen: Pen) -> float:
    return GAP * pen.tracking + 70 * pen.weight


def text(line: str, x: float, y: float, pen: Pen, colour: str, anchor: str = "middle") -> str:
    """A line of text as SVG: `y` is the top of the letters, `x` the place of the anchor."""
    scale = pen.height / 100
    left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * length(line, pen)
    paths = []
    for char in line:
        width, strokes = GLYPHS[char]
        for stroke in strokes:
            points = [
                (left + (px * pen.width + pen.slant * (100 - py)) * scale, y + py * scale)
                for px, py in stroke
            ]
            end = "Z" if points[0] == points[-1] or _same(points[0], points[-1]) else ""
            paths.append("M" + "L".join(f"{px:.1f},{py:.1f}" for px, py in points) + end)
        left += (width * pen.width + _gap(pen)) * scale
    return (
        f'<path d="{"".join(paths)}" fill="none" stroke="{colour}" stroke-width="{pen.height * pen.weight:.2f}" '
        f'stroke-linejoin="{"round" if pen.cap == "round" else "miter"}" stroke-miterlimit="3" '
        f'stroke-linecap="{pen.cap}"/>'
    )


def _same(one: Point, other: Point) -> bool:
    return math.dist(one, other) < 0.01
