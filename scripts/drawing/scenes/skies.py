"""Scenes of the sky: space, an aurora, balloons."""

import math
import random

from drawing.letters import Pen, text
from drawing.person import Person
from drawing.shapes import (
    below,
    circle,
    cloud,
    ellipse,
    glow,
    gradient,
    group,
    hills,
    line,
    path,
    pine,
    rect,
    ridge_points,
    sky,
    stars,
)

from .layers import FINISH, Layer, blink, sway, titled, travel


def orbit() -> list[Layer]:
    """An astronaut floats above a planet with rings."""
    back = sky(((0, "#0a0820"), (0.6, "#191043"), (1, "#2b1a5e"))) + stars(21, 260, 720)
    back += glow(260, 180, 330, "#7a3fd0", 0.38) + glow(1120, 500, 300, "#2f7fd0", 0.3)
    planet = gradient("planet", ((0, "#ffb26b"), (0.45, "#f0647c"), (1, "#6a2a8c")))
    planet += (
        '<clipPath id="disc"><circle cx="300" cy="560" r="300"/></clipPath>'
        + glow(300, 560, 430, "#ff8f7a", 0.5)
        + circle(300, 560, 300, "url(#planet)")
    )
    planet += group(
        [
            ellipse(260, y, 420, h, c, f'opacity="{o}"')
            for y, h, c, o in (
                (380, 26, "#ffd9a0", 0.5),
                (450, 18, "#fff0c8", 0.35),
                (520, 34, "#c2417f", 0.45),
                (600, 22, "#ffd0a8", 0.28),
                (670, 30, "#4d1f78", 0.5),
            )
        ],
        more='clip-path="url(#disc)"',
    )
    ring = '<ellipse cx="300" cy="560" rx="440" ry="92" fill="none" stroke="#ffd9b0" stroke-width="20" opacity="0.85"/>'
    ring += '<ellipse cx="300" cy="560" rx="484" ry="116" fill="none" stroke="#e894a8" stroke-width="8" opacity="0.7"/>'
    behind = group([ring], "rotate(-16 300 560)")
    front = group(
        [
            '<clipPath id="front"><rect x="-400" y="560" width="1400" height="400"/></clipPath>',
            group([ring], more='clip-path="url(#front)"'),
        ],
        "rotate(-16 300 560)",
    )
    moon = (
        circle(720, 130, 40, "#c9c4e8")
        + circle(708, 120, 8, "#a9a3d0")
        + circle(734, 142, 11, "#a9a3d0")
        + circle(730, 112, 5, "#a9a3d0")
    )
    suit = path("M-150,330C-160,220 -130,160 -70,140H70C130,160 160,220 150,330Z", "#eef1f7") + path(
        "M60,140H70C130,160 160,220 150,330H90C110,240 100,180 60,140Z", "#b9c0d6"
    )
    suit += (
        rect(-56, 206, 112, 74, "#c9d1e2", 12)
        + circle(-28, 232, 10, "#f0647c")
        + circle(0, 232, 10, "#ffcf6b")
        + circle(28, 232, 10, "#5ec8b4")
        + rect(-40, 254, 80, 10, "#8d97b5", 5)
    )
    suit += (
        path("M-118,190L-96,180L-70,330H-104Z", "#f0834a")
        + path("M118,190L96,180L70,330H104Z", "#d9683a")
        + rect(-96, 112, 192, 40, "#c9d1e2", 20)
    )
    helmet = (
        circle(0, 0, 152, "#f4f6fb")
        + path("M60,-140A152,152 0 0 1 60,140A190,190 0 0 0 60,-140Z", "#c3cadd")
        + rect(-168, -28, 26, 64, "#c9d1e2", 12)
        + rect(142, -28, 26, 64, "#aab3cc", 12)
    )
    visor = (
        '<clipPath id="visor"><ellipse cx="-8" cy="4" rx="118" ry="112"/></clipPath>'
        + ellipse(-8, 4, 124, 118, "#8d97b5")
        + ellipse(-8, 4, 118, 112, "#1b1648")
    )
    astronaut = Person(
        -8, 12, 0.86, "#c68a5e", "#9c6541", "#24161a", "bun", "#1b1648", look=-0.5, lips="#8a2f38", brows=-0.3
    )
    face = group([astronaut.back(), astronaut.head(), astronaut.mouth()], more='clip-path="url(#visor)"')
    shine = path(
        "M-92,-60A118,112 0 0 1 10,-106A130,130 0 0 0 -80,-20Z", "#ffffff", 'opacity="0.35"'
    ) + ellipse(70, 70, 20, 9, "#ff9f8a", 'opacity="0.35" transform="rotate(-42 70 70)"')
    place = (940, 400, 1.22)
    where = f"translate({place[0]} {place[1]}) scale({place[2]})"
    lids = group([astronaut.lids()], where)
    box = (int(940 + (-8 - 80 * 0.86) * 1.22) // 2 * 2, int(400 + (12 - 24 * 0.86) * 1.22) // 2 * 2, 176, 52)
    float_x, float_y = sway(12), sway(14, 1, 0.25)
    trail = glow(0, 200, 26, "#ffffff", 1) + path("M0,198L220,150L0,203Z", "#ffffff", 'opacity="0.7"')
    return [
        Layer(back),
        Layer(stars(77, 50, 720, "#ffe9c8"), when="gt(sin(t*2.0944),0)"),
        Layer(trail, (-30, 140, 260, 90), travel(1400, -900), travel(-160, 260)),
        Layer(moon, (676, 86, 88, 88), sway(24, 1, 0.5)),
        Layer(behind + planet + front, (-240, 120, 1100, 600), sway(8), sway(5, 1, 0.3)),
        Layer(group([suit, helmet, visor, face, shine], where), (720, 190, 460, 560), float_x, float_y),
        Layer(lids, box, float_x, float_y, when=blink(1)),
        titled(
            text("LOW", 92, 76, Pen(118, 0.1, 1.0, 1.7), "#fff6ea", "start"),
            text("ORBIT", 92, 226, Pen(118, 0.1, 1.0, 1.7), "#fff6ea", "start"),
        ),
        FINISH,
    ]


def aurora() -> list[Layer]:
    """An aurora over a cabin in the snow."""
    back = sky(((0, "#050d24"), (0.5, "#0c2d4a"), (0.85, "#1c5a68"))) + stars(41, 190, 470)

    def curtain(y: float, amplitude: float, phase: float, colour: str, height: float) -> str:
        top = [
            (x, y + amplitude * math.sin(x / 150 + phase) + amplitude * 0.5 * math.sin(x / 67 + phase * 2))
            for x in range(-200, 1500, 14)
        ]
        stripes = "".join(
            f'<rect x="{x}" y="{ty - height * (0.72 + 0.28 * math.sin(x / 31)):.0f}" width="15" height="{height * (0.78 + 0.28 * math.sin(x / 31)):.0f}" fill="url(#ray{colour[1:]})" opacity="{0.62 + 0.3 * math.sin(x / 43 + phase):.2f}"/>'
            for x, ty in top
        )
        fade = f'<linearGradient id="ray{colour[1:]}" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{colour}" stop-opacity="0"/><stop offset="0.82" stop-color="{colour}" stop-opacity="0.85"/><stop offset="1" stop-color="{colour}" stop-opacity="0"/></linearGradient>'
        return (
            fade
            + '<filter id="soft"><feGaussianBlur stdDeviation="9 3"/></filter>'
            + group([stripes], more='filter="url(#soft)"')
        )

    first, second = curtain(330, 46, 0.4, "#3df0a2", 300), curtain(250, 34, 2.1, "#8a6bff", 220)
    ridge = below(ridge_points(52, 470, 50, 0.5), "#17405a") + below(
        ridge_points(58, 520, 30, 0.5), "#0f2c46"
    )
    snow = gradient("snow", ((0, "#bfe6ea"), (1, "#4f8fa6"))) + path(
        "M-80,590C200,540 500,600 760,566C980,540 1180,590 1360,566V780H-80Z", "url(#snow)"
    )
    cabin = (
        rect(852, 500, 190, 92, "#3a2230")
        + "".join(rect(852, y, 190, 4, "#2a1723") for y in (520, 542, 564))
        + path("M828,508L947,420L1066,508L1052,516L947,440L842,516Z", "#e6f6f7")
        + path("M852,504L947,434L1042,504Z", "#3a2230")
    )
    cabin += (
        rect(880, 526, 44, 38, "#ffcf70", 4)
        + rect(968, 526, 40, 66, "#8a3b2c", 4)
        + line("M902,526V564M880,545H924", "#3a2230", 4)
        + glow(902, 546, 150, "#ffb84d", 0.65)
        + rect(1000, 410, 24, 54, "#4a2c38")
        + rect(996, 404, 32, 10, "#e6f6f7", 4)
    )
    smoke = "".join(
        circle(1012 + 9 * math.sin(i), 392 - 20 * i, 9 + 3 * i, "#cfe8ee", f'opacity="{0.5 - 0.06 * i:.2f}"')
        for i in range(8)
    )
    trees = "".join(
        pine(x, y, h, c)
        for x, y, h, c in (
            (60, 640, 300, "#0a2233"),
            (150, 660, 220, "#0d2a3c"),
            (-10, 670, 260, "#0d2a3c"),
            (230, 640, 150, "#0a2233"),
            (760, 590, 150, "#0d2a3c"),
            (1140, 610, 230, "#0a2233"),
            (1226, 640, 300, "#0d2a3c"),
            (1296, 640, 220, "#0a2233"),
        )
    )
    front = path("M-80,690C260,640 560,700 860,668C1080,646 1240,680 1360,664V780H-80Z", "#9fd3dc")
    chance = random.Random(4)
    flakes = "".join(
        circle(x, y + shift, r, "#ffffff", 'opacity="0.75"')
        for x, y, r in (
            (chance.uniform(0, 1280), chance.uniform(0, 720), chance.choice((1.2, 1.8, 2.4)))
            for _ in range(90)
        )
        for shift in (0, -720)
    )
    return [
        Layer(back),
        Layer(second, (-200, 0, 1680, 480), sway(60, 1, 0.4)),
        Layer(first, (-200, 0, 1680, 480), sway(44)),
        Layer(ridge, (-160, 400, 1600, 320), sway(6)),
        Layer(snow + trees),
        Layer(smoke, (960, 200, 120, 220), sway(4, 2)),
        Layer(cabin, (740, 390, 360, 320)),
        Layer(front, (-80, 630, 1440, 100), sway(12)),
        Layer(flakes, (0, -720, 1280, 1440), "0", travel(0, 720, 1)),
        titled(
            text("AURORA", 640, 108, Pen(118, 0.1, 1.02, 2.0), "#f0fffa"),
            text("STATION", 640, 258, Pen(36, 0.13, 1.1, 6.4), "#f0fffa"),
        ),
        FINISH,
    ]


def balloons() -> list[Layer]:
    """Hot-air balloons over a village."""
    back = sky(((0, "#5aa9d6"), (0.45, "#a9d8e8"), (0.8, "#fdebc8"))) + glow(200, 470, 380, "#fff3c4", 0.85)
    clouds = (
        cloud(180, 170, 84, "#ffffff", 0.85)
        + cloud(720, 320, 66, "#ffffff", 0.7)
        + cloud(1120, 120, 62, "#ffffff", 0.8)
        + cloud(1560, 250, 80, "#ffffff", 0.8)
    )

    def balloon(x: float, y: float, size: float, colours: tuple[str, str, str]) -> str:
        one, two, dark = colours
        drawn = '<clipPath id="b"><path d="M0,-110C76,-110 104,-50 96,2C88,52 40,84 22,112H-22C-40,84 -88,52 -96,2C-104,-50 -76,-110 0,-110Z"/></clipPath>'.replace(
            '"b"', f'"b{int(x)}"'
        )
        stripes = (
            rect(-110, -120, 220, 240, one)
            + ellipse(0, 0, 66, 150, two)
            + ellipse(0, 0, 26, 150, one)
            + path("M60,-120Q140,0 20,124H120V-120Z", dark, 'opacity="0.28"')
            + path("M-100,36Q0,84 100,36V60Q0,104 -100,60Z", dark, 'opacity="0.75"')
        )
        drawn += group([stripes], more=f'clip-path="url(#b{int(x)})"')
        drawn += (
            line("M-20,114L-14,140M20,114L14,140", "#5a3a2a", 2.5)
            + rect(-19, 138, 38, 28, "#9a6238", 5)
            + rect(-21, 136, 42, 7, "#6b4026", 3)
        )
        drawn += circle(-7, 128, 6, "#e8b48a") + circle(8, 129, 6, "#8d5535")
        return group([drawn], f"translate({x} {y}) scale({size})")

    one = balloon(960, 318, 1.62, ("#e2483d", "#ffd166", "#6d1b2a"))
    two = balloon(690, 470, 0.6, ("#2a9d8f", "#f4f1de", "#114b4a"))
    three = balloon(1190, 180, 0.5, ("#7b4fb5", "#ffb4a2", "#3a2060"))
    four = balloon(430, 520, 0.42, ("#f3873f", "#fff1d0", "#8a3b12"))
    ground = hills(610, 32, 1.2, 0.4, "#9cc28a") + hills(650, 26, 1.6, 2.1, "#6fa571")
    front = hills(694, 20, 1.0, 0.7, "#3f7d5a")
    houses = (
        "".join(
            rect(x, y, 30, 20, "#fff1d8") + path(f"M{x - 4},{y}L{x + 15},{y - 16}L{x + 34},{y}Z", "#d9583b")
            for x, y in ((236, 610), (280, 618), (320, 608), (1120, 624), (1160, 616))
        )
        + rect(256, 584, 12, 40, "#fff1d8")
        + path("M252,586L262,560L272,586Z", "#d9583b")
    )
    return [
        Layer(back),
        Layer(clouds, (60, 50, 1640, 300), sway(60)),
        Layer(four, (380, 460, 100, 140), sway(20, 1, 0.2), sway(12, 1, 0.6)),
        Layer(three, (1130, 120, 120, 150), sway(16, 1, 0.5), sway(10, 1, 0.1)),
        Layer(ground + houses),
        Layer(two, (620, 390, 140, 190), sway(22, 1, 0.8), sway(14, 1, 0.3)),
        Layer(one, (780, 120, 360, 480), sway(14), sway(18, 1, 0.25)),
        Layer(front, (-160, 660, 1600, 60), sway(14)),
        titled(
            text("BALLOON", 88, 210, Pen(86, 0.18, 0.84, 1.1), "#1f3d5c", "start"),
            text("SEASON", 88, 322, Pen(86, 0.18, 0.9, 1.42), "#e2483d", "start"),
        ),
        FINISH,
    ]
