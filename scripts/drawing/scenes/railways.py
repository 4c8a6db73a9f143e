"""Scenes in which a tram or a train passes."""

import math
import random

from drawing.letters import Pen, text
from drawing.shapes import (
    HEIGHT,
    WIDTH,
    below,
    circle,
    cloud,
    glow,
    hills,
    path,
    pine,
    rect,
    ridge_points,
    sky,
    stars,
)

from .layers import FINISH, WIDE, Layer, sway, titled, travel


def city() -> list[Layer]:
    """A tram passes the skyline of a city at dusk. Some of its windows twinkle."""
    back = sky(((0, "#120a2e"), (0.45, "#3b1a63"), (0.72, "#a32c6f"), (1, "#ff7a59")))
    back += stars(9, 90, 300) + glow(640, 560, 560, "#ff9a6a", 0.55) + glow(1128, 128, 170, "#ffd9c2", 0.6)
    back += circle(1128, 128, 52, "#ffe6cf")

    def skyline(
        seed: int, low: int, high: int, wide: tuple[int, int], colour: str, lit: str, part: float
    ) -> str:
        chance = random.Random(seed)
        parts, x = [], -120.0
        while x < WIDTH + 160:
            width, height = chance.randint(*wide), chance.randint(low, high)
            top = HEIGHT - height
            parts.append(rect(x, top, width, height + 60, colour))
            kind = chance.random()
            if kind < 0.25:
                parts.append(
                    rect(x + width / 2 - 2, top - 46, 4, 46, colour)
                    + circle(x + width / 2, top - 46, 3, "#ff5a5a")
                )
            elif kind < 0.45:
                parts.append(path(f"M{x},{top}L{x + width / 2},{top - 34}L{x + width},{top}Z", colour))
            elif kind < 0.6:
                parts.append(rect(x + width * 0.2, top - 20, width * 0.6, 22, colour))
            for row in range(int(top + 14), HEIGHT - 8, 20):
                for column in range(int(width - 12) // 15):
                    if chance.random() < part:
                        parts.append(
                            rect(
                                x + 8 + column * 15,
                                row,
                                8,
                                11,
                                lit,
                                1,
                                f'opacity="{chance.uniform(0.45, 1):.2f}"',
                            )
                        )
            x += width + chance.choice((0, 0, 4, 12))
        return "".join(parts)

    far = skyline(2, 210, 360, (54, 100), "#4a1e66", "#ff9d7c", 0.16)
    middle = skyline(4, 150, 330, (70, 124), "#2c1350", "#ffc46b", 0.3)
    near = skyline(6, 60, 190, (90, 160), "#150a2e", "#ffe08a", 0.34)
    twinkle = skyline(4, 150, 330, (70, 124), "rgba(0,0,0,0)", "#fff0b8", 0.05)
    rail = rect(-60, 640, WIDTH + 120, 12, "#0b0518") + "".join(
        rect(x, 640, 14, 90, "#0b0518") for x in range(40, 1300, 150)
    )
    tram = (
        rect(0, 586, 470, 54, "#e8eef7", 14)
        + rect(0, 618, 470, 10, "#e0345f")
        + "".join(rect(16 + 37 * i, 596, 27, 18, "#ffe08a", 4) for i in range(12))
    )
    tram += circle(464, 630, 5, "#fff7cf") + glow(478, 630, 90, "#fff1b0", 0.8)
    lower = (
        cloud(200, 250, 60, "#7b2a6f", 0.5)
        + cloud(760, 320, 80, "#8e2f70", 0.45)
        + cloud(1380, 240, 66, "#7b2a6f", 0.5)
    )
    return [
        Layer(back),
        Layer(lower, (60, 160, 1500, 190), sway(80)),
        Layer(far, (-120, 300, 1560, 420), sway(8)),
        Layer(middle, (-120, 320, 1560, 400), sway(16)),
        Layer(twinkle, (-120, 320, 1560, 400), sway(16), when="gt(sin(t*2.618),0)"),
        Layer(rail),
        Layer(tram, (-10, 540, 590, 110), travel(-620, 1340, 1)),
        Layer(near, (-120, 480, 1560, 240), sway(30)),
        titled(
            text("NINE MILLION", 640, 96, Pen(62, 0.16, 0.8, 1.5), "#fff3df"),
            text("WINDOWS", 640, 182, Pen(112, 0.16, 0.95, 1.35), "#fff3df"),
        ),
        FINISH,
    ]


def train() -> list[Layer]:
    """A steam train crosses a viaduct."""
    back = sky(((0, "#1f4e6b"), (0.3, "#5b8f93"), (0.55, "#f0b66b"), (0.78, "#f7d59a")))
    back += glow(330, 330, 420, "#ffe6a6", 0.95) + circle(330, 330, 70, "#fff2cc")
    clouds = cloud(560, 130, 56, "#f4d3a4", 0.6) + cloud(180, 110, 50, "#e9c79e", 0.5)
    far = below(ridge_points(31, 400, 54, 0.5), "#c98a5f") + below(ridge_points(37, 456, 40, 0.5), "#9d6a56")
    valley = hills(560, 46, 1.3, 0.6, "#6d4a4c")
    bridge = rect(-60, 408, WIDTH + 120, 22, "#3a2638") + rect(-60, 400, WIDTH + 120, 8, "#553446")
    for index in range(8):
        x = -60 + index * 176
        bridge += path(f"M{x},430H{x + 176}V560H{x + 150}V520A62,76 0 0 0 {x + 26},520V560H{x}Z", "#3a2638")
        bridge += rect(x - 26, 500, 52, 260, "#3a2638") + rect(x - 26, 500, 12, 260, "#4c3144")
    engine = (
        rect(560, 344, 128, 44, "#7e2230", 10)
        + rect(650, 316, 58, 72, "#8f2a38", 6)
        + rect(662, 328, 32, 24, "#ffe6a6", 3)
    )
    engine += (
        rect(586, 308, 20, 40, "#2a1a28")
        + rect(580, 302, 32, 10, "#2a1a28", 3)
        + path("M560,388L530,400H560Z", "#2a1a28")
    )
    engine += "".join(
        circle(x, 390, 14, "#2a1a28") + circle(x, 390, 5, "#a8767a") for x in (580, 616, 652, 690)
    )
    for car, colour in enumerate(("#2f5d62", "#2f5d62", "#37696c", "#2f5d62")):
        x = 720 + car * 154
        engine += (
            rect(x, 330, 144, 58, colour, 7)
            + rect(x - 4, 324, 152, 10, "#203f45", 5)
            + rect(x, 366, 144, 5, "#f0c987")
        )
        engine += "".join(rect(x + 11 + 26 * w, 340, 18, 20, "#ffe6a6", 3) for w in range(5)) + rect(
            x - 12, 380, 14, 4, "#2a1a28"
        )
        engine += "".join(circle(x + dx, 390, 10, "#2a1a28") for dx in (22, 48, 98, 122))
    steam = "".join(
        circle(
            600 + 42 * i,
            288 - 13 * i + 8 * math.sin(i * 1.7),
            17 + 5.4 * i,
            "#fff6e4",
            f'opacity="{0.85 - 0.085 * i:.2f}"',
        )
        for i in range(10)
    )
    front = hills(676, 30, 1.7, 2.4, "#2a1a28") + "".join(
        pine(x, y, h, "#241523")
        for x, y, h in (
            (70, 690, 150),
            (130, 704, 110),
            (1010, 712, 120),
            (1190, 694, 170),
            (1250, 706, 120),
            (560, 716, 90),
        )
    )
    moving = travel(900, -1560, 1, 0.42)
    return [
        Layer(back),
        Layer(clouds, (0, 60, 1340, 190), sway(50)),
        Layer(far, (-160, 300, 1600, 420), sway(10)),
        Layer(valley, (-160, 480, 1600, 240), sway(18)),
        Layer(steam, (560, 60, 520, 270), moving, sway(3, 6)),
        Layer(engine, (520, 296, 830, 112), moving),
        Layer(bridge),
        Layer(front, WIDE, sway(30, 1, 0.1)),
        titled(
            text("THE 4:10 TO", 1196, 86, Pen(40, 0.13, 0.9, 2.0), "#fff4dc", "end"),
            text("MARROW", 1200, 146, Pen(112, 0.15, 0.84, 1.0), "#fff4dc", "end"),
        ),
        FINISH,
    ]
