"""The scenes: each is a list of layers, from the back to the front, of which some move.

A scene is 1280 by 720 and comes back to where it began after `PERIOD` seconds, so it can be repeated.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from .letters import Pen, text
from .shapes import (
    HEIGHT,
    WIDTH,
    Person,
    below,
    bird,
    circle,
    cloud,
    ellipse,
    glow,
    gradient,
    grain,
    group,
    hills,
    line,
    path,
    pine,
    rect,
    ridge_points,
    sky,
    stars,
    vignette,
    waves,
)

PERIOD = 12

Box = tuple[int, int, int, int]
FULL: Box = (0, 0, WIDTH, HEIGHT)
WIDE: Box = (-120, 0, WIDTH + 240, HEIGHT)


@dataclass(frozen=True)
class Layer:
    """A drawing, the part of the scene it covers, and how it moves: FFmpeg expressions of `t`."""

    svg: str
    box: Box = FULL
    x: str = "0"
    y: str = "0"
    when: str = ""
    """If given: it is shown only while this is not 0."""
    title: bool = False


def sway(amount: float, times: int = 1, phase: float = 0.0) -> str:
    """Back and forth, so many times in a period."""
    return f"{amount}*sin(2*PI*({times}*t/{PERIOD}+{phase}))"


def travel(start: float, end: float, times: int = 1, phase: float = 0.0) -> str:
    """From one place to another, then from the beginning."""
    return f"{start}+{end - start}*mod({times}*t/{PERIOD}+{phase},1)"


def blink(phase: float = 0.0) -> str:
    return f"lt(mod(t+{phase},4),0.16)"


def speaking(start: float, end: float) -> str:
    """An open mouth on most syllables between two moments of a period."""
    return f"between(mod(t,{PERIOD}),{start},{end})*gt(sin(t*14)+0.6*sin(t*9),-0.2)"


def person(one: Person, *, phase: float = 0.0, speaks: tuple[float, float] | None = None) -> list[Layer]:
    layers = [
        Layer(one.back() + one.body() + one.head() + one.mouth()),
        Layer(one.lids(), one.lids_box(), when=blink(phase)),
    ]
    if speaks:
        layers.append(Layer(one.talking(), one.mouth_box(), when=speaking(*speaks)))
    return layers


def titled(*parts: str) -> Layer:
    return Layer("".join(parts), title=True)


FINISH = Layer(vignette() + grain())

SMALL = Pen(17, 0.12, 1.0, 3.2)


def lighthouse() -> list[Layer]:
    back = sky(((0, "#070d26"), (0.55, "#16315f"), (0.8, "#2f5f86"), (1, "#4c8094")))
    back += stars(3, 150, 430) + glow(250, 150, 230, "#cfe0ff", 0.5) + circle(250, 150, 46, "#f3f1de")
    back += circle(238, 140, 9, "#dcdac6") + circle(264, 162, 12, "#dcdac6") + circle(258, 134, 5, "#dcdac6")
    far = below(ridge_points(5, 486, 22, 0.5), "#1b3a5e") + below(ridge_points(8, 506, 14, 0.5), "#17304f")
    rock = path(
        "M690,720C720,600 800,560 870,548C920,520 1060,520 1110,556C1190,580 1260,640 1330,720Z", "#0a1428"
    )
    rock += path("M820,720C850,620 900,584 960,574C1040,566 1130,600 1180,720Z", "#111f3a")
    tower = gradient("tower", ((0, "#f6ead8"), (0.55, "#e6d2bd"), (1, "#8e8698")), across=True)
    tower += path("M944,548L962,236H1034L1052,548Z", "url(#tower)")
    for top, bottom in ((300, 356), (420, 480)):
        high, low = (18 * (548 - y) / 312 for y in (top, bottom))
        tower += path(
            f"M{944 + high},{top}L{1052 - high},{top}L{1052 - low},{bottom}L{944 + low},{bottom}Z",
            "#b8323a",
        )
        tower += path(f"M1012,{top}L{1052 - high},{top}L{1052 - low},{bottom}L1014,{bottom}Z", "#7f2134")
    tower += (
        rect(946, 226, 104, 14, "#22304e", 4)
        + rect(968, 176, 60, 52, "#ffe9a8")
        + rect(996, 176, 4, 52, "#22304e")
    )
    tower += rect(968, 176, 4, 52, "#22304e") + rect(1024, 176, 4, 52, "#22304e")
    tower += path("M956,178Q998,118 1040,178Z", "#b8323a") + circle(998, 142, 6, "#f6ead8")
    tower += rect(988, 500, 22, 48, "#22304e", 10) + rect(990, 384, 16, 22, "#ffd984", 7)
    house = path("M1060,552V500L1112,462L1164,500V566Z", "#d8c6b4") + path(
        "M1050,506L1112,456L1174,506L1164,514L1112,472L1060,514Z", "#7f2134"
    )
    house += (
        rect(1084, 506, 24, 26, "#ffd984", 3)
        + rect(1120, 506, 22, 26, "#ffd984", 3)
        + glow(1108, 520, 90, "#ffc76a", 0.4)
    )
    beam = gradient("beam", ((0, "rgba(255,236,170,0)"), (1, "rgba(255,236,170,0.62)")), across=True)
    beam += path("M998,200L-120,60V330Z", "url(#beam)")
    wide = gradient("beam", ((0, "rgba(255,236,170,0.62)"), (1, "rgba(255,236,170,0)")), across=True)
    wide += path("M998,200L1500,110V280Z", "url(#beam)")
    lamp = glow(998, 202, 210, "#ffe9a8", 0.95)
    return [
        Layer(back),
        Layer(far, (-160, 420, 1600, 300), sway(10)),
        Layer(beam, FULL, y=sway(34)),
        Layer(wide, FULL, y=sway(-20)),
        Layer(waves(548, 9, 92, "#1d4468"), (-240, 530, 1760, 190), travel(0, -184, 1)),
        Layer(tower + rock + house),
        Layer(lamp, (780, 0, 440, 420), when="gte(sin(2*PI*t/3),-0.6)"),
        Layer(waves(606, 12, 128, "#143350"), (-260, 580, 1800, 140), travel(-128, 0, 1), sway(4, 2)),
        Layer(waves(652, 14, 164, "#0c2139"), (-260, 620, 1800, 100), travel(0, -164, 1), sway(5, 2, 0.3)),
        titled(
            text("THE KEEPER'S", 96, 300, Pen(66, 0.13, 0.86, 1.1), "#ffefc4", "start"),
            text("LAMP", 96, 396, Pen(122, 0.13, 0.98, 1.3), "#ffefc4", "start"),
            text("A WINTER ON THE ROCK", 98, 552, SMALL, "#cfe0ff", "start"),
        ),
        FINISH,
    ]


def mountains() -> list[Layer]:
    back = sky(((0, "#35477d"), (0.34, "#c0748c"), (0.58, "#f6a981"), (0.8, "#fddca9")))
    back += glow(860, 372, 420, "#fff0c0", 0.95) + circle(860, 372, 58, "#fff6dc")
    clouds = (
        cloud(190, 262, 62, "#f3b9a5", 0.6)
        + cloud(1060, 262, 54, "#f3b9a5", 0.6)
        + cloud(1560, 250, 70, "#f3b9a5", 0.6)
    )
    layers = [Layer(back), Layer(clouds, (60, 190, 1640, 110), sway(70))]
    peaks = path("M-80,720V470L120,318L210,372L330,214L452,352L520,318L690,470V720Z", "#8f6d93")
    peaks += path("M330,214L282,276L306,268L326,300L350,272L384,276Z", "#fbe3d4") + path(
        "M120,318L92,340L112,346L128,338L150,338Z", "#fbe3d4"
    )
    peaks += path("M560,720V500L900,396L1010,300L1098,372L1190,286L1400,470V720Z", "#84648f")
    peaks += path("M1190,286L1150,322L1172,320L1192,342L1212,324L1232,322Z", "#fbe3d4") + path(
        "M1010,300L978,330L1000,326L1014,344L1040,324Z", "#fbe3d4"
    )
    layers.append(Layer(peaks, (-80, 190, 1480, 530), sway(6)))
    layers.append(Layer(below(ridge_points(14, 452, 46, 0.52), "#6a4f80"), (-160, 360, 1600, 360), sway(10)))
    layers.append(Layer(below(ridge_points(23, 506, 34, 0.5), "#4b3c6b"), (-160, 440, 1600, 280), sway(16)))
    lake = gradient("lake", ((0, "#fdd0a0"), (0.35, "#c98391"), (1, "#2b2a52")))
    lake += rect(-60, 548, WIDTH + 120, 200, "url(#lake)")
    lake += "".join(
        rect(860 - w / 2, 556 + 14 * i, w, 4, "#fff1cc", 2, f'opacity="{0.85 - 0.07 * i}"')
        for i, w in enumerate((150, 96, 128, 70, 110, 54, 84, 40))
    )
    shore = hills(700, 26, 0.9, 2.2, "#171a33") + "".join(
        pine(x, y, h, c)
        for x, y, h, c in (
            (40, 716, 330, "#1b1d38"),
            (150, 724, 250, "#141630"),
            (-10, 730, 240, "#141630"),
            (236, 724, 168, "#1b1d38"),
            (1120, 724, 210, "#1b1d38"),
            (1210, 716, 320, "#141630"),
            (1288, 730, 280, "#1b1d38"),
            (1046, 726, 140, "#141630"),
        )
    )
    canoe = path("M560,598Q640,626 720,598Q706,624 640,624Q574,624 560,598Z", "#2a1c33")
    canoe += (
        circle(640, 560, 11, "#2a1c33")
        + path("M624,604Q622,572 640,570Q658,572 656,604Z", "#b5434a")
        + line("M612,556L676,622", "#2a1c33", 4)
    )
    canoe += path("M566,630Q640,648 714,630Q690,642 640,642Q590,642 566,630Z", "#3a2c4e", 'opacity="0.5"')
    birds = (
        bird(430, 300, 15, "#3b2f52")
        + bird(474, 282, 11, "#3b2f52")
        + bird(396, 276, 10, "#3b2f52")
        + bird(520, 304, 9, "#3b2f52")
    )
    return [
        *layers,
        Layer(lake),
        Layer(canoe, (540, 540, 200, 116), sway(36), sway(3, 3)),
        Layer(birds, (370, 260, 180, 60), sway(60, 1, 0.2), sway(10, 2)),
        Layer(shore, WIDE, sway(8, 1, 0.5)),
        titled(
            text("NORTH OF QUIET", 640, 84, Pen(76, 0.1, 1.0, 1.8), "#fff6e4"),
            text("FOUR SEASONS BY A LAKE", 640, 192, SMALL, "#fff6e4"),
        ),
        FINISH,
    ]


def city() -> list[Layer]:
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
    twinkle = [skyline(seed, 150, 330, (70, 124), "rgba(0,0,0,0)", "#fff0b8", 0.05) for seed in (4,)]
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
        Layer(twinkle[0], (-120, 320, 1560, 400), sway(16), when="gt(sin(t*2.618),0)"),
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


def coffees() -> list[Layer]:
    back = gradient("wall", ((0, "#274a4e"), (1, "#17312f"))) + rect(-60, -60, 1400, 840, "url(#wall)")
    back += gradient("pane", ((0, "#f6c177"), (0.6, "#f3d9a2"), (1, "#e88f6a"))) + rect(
        392, 70, 496, 350, "url(#pane)", 6
    )
    back += glow(760, 250, 240, "#fff2c4", 0.7)
    blocks = ((410, 210, 74), (490, 260, 60), (556, 190, 88), (650, 250, 70), (726, 220, 64), (796, 270, 80))
    back += "".join(rect(x, y, w, 420 - y, "#c9785f", 2, 'opacity="0.55"') for x, y, w in blocks)
    frame = (
        "".join(rect(x, 62, 10, 366, "#10211f") for x in (386, 635, 884))
        + rect(380, 60, 520, 12, "#10211f")
        + rect(372, 416, 536, 18, "#10211f", 4)
    )
    frame += rect(386, 236, 508, 7, "#10211f")
    frame += (
        line("M640,-10V40", "#0c1a18", 5)
        + path("M586,84Q590,36 640,34Q690,36 694,84Z", "#d9583b")
        + ellipse(640, 86, 30, 9, "#ffe9b0")
    )
    frame += glow(640, 130, 300, "#ffd98c", 0.5)
    left = Person(
        306,
        306,
        1.26,
        "#8d5535",
        "#6d3d26",
        "#1d1214",
        "curls",
        "#d9583b",
        "#f2c879",
        look=0.85,
        brows=-0.6,
        lips="#5f211d",
    )
    right = Person(
        974,
        306,
        1.26,
        "#f2c7a0",
        "#d39b74",
        "#7a3b22",
        "short",
        "#33518a",
        "#dfe7f2",
        look=-0.85,
        glasses="#1c2430",
        beard="#7a3b22",
        lips="#f0b09a",
    )
    table = (
        gradient("wood", ((0, "#7a4a31"), (1, "#4a2a1e")))
        + rect(-60, 556, 1400, 220, "url(#wood)")
        + rect(-60, 556, 1400, 10, "#9a6243")
    )
    for x in (510, 770):
        table += ellipse(x, 574, 62, 13, "#f4ead8") + path(
            f"M{x - 38},510H{x + 38}Q{x + 36},572 {x},574Q{x - 36},572 {x - 38},510Z", "#fffaf0"
        )
        table += ellipse(x, 510, 38, 8, "#6b3d24") + line(
            f"M{x + 36},524Q{x + 64},522 {x + 56},544Q{x + 48},556 {x + 31},554", "#fffaf0", 8
        )
    steam = "".join(
        line(f"M{x},496Q{x - 18},470 {x},446T{x},400", "#fff6e4", 5, 'opacity="0.45"')
        for x in (498, 520, 758, 780)
    )
    return [
        Layer(back),
        Layer(cloud(700, 190, 44, "#fbe6c0", 0.8), (640, 140, 120, 60), sway(60)),
        Layer(frame),
        *person(left, phase=0.7, speaks=(0.4, 4.6)),
        *person(right, phase=2.2, speaks=(5.6, 11.2)),
        Layer(table),
        Layer(steam, (460, 386, 360, 116), sway(5, 2), sway(6, 3)),
        titled(
            text("TWO COFFEES, ONE SUGAR", 84, 606, Pen(50, 0.15, 0.84, 1.3), "#ffedc9", "start"),
        ),
        FINISH,
    ]


def cat() -> list[Layer]:
    back = gradient("wall", ((0, "#4c3a63"), (1, "#2c2144"))) + rect(-60, -60, 1400, 840, "url(#wall)")
    back += gradient("pane", ((0, "#0f2a4f"), (0.6, "#2a5a86"), (1, "#6ea0b0"))) + rect(
        520, 40, 640, 500, "url(#pane)", 8
    )
    back += glow(1010, 160, 150, "#fff2c4", 0.7) + circle(1010, 160, 40, "#fff4d2")
    back += below(
        [(520, 440), (600, 400), (660, 430), (760, 380), (880, 430), (980, 390), (1090, 436), (1160, 410)],
        "#173a5c",
        540,
    )
    back += "".join(
        rect(x, y, 9, 12, "#ffd98c", 2)
        for x, y in (
            (604, 452),
            (640, 470),
            (770, 430),
            (796, 462),
            (900, 470),
            (1010, 452),
            (1086, 474),
            (724, 490),
        )
    )
    chance = random.Random(12)
    drops = "".join(
        line(f"M{x},{y}l-5,22", "#d8ecff", 2, f'opacity="{chance.uniform(0.25, 0.6):.2f}"')
        for x, y in ((chance.uniform(530, 1160), chance.uniform(-460, 540)) for _ in range(150))
    )
    drops += "".join(
        line(f"M{x},{y}l-5,22", "#d8ecff", 2, 'opacity="0.4"')
        for x, y in ((chance.uniform(530, 1160), chance.uniform(-460, 540)) for _ in range(30))
    )
    frame = (
        rect(506, 26, 668, 16, "#f1e3cf", 4)
        + rect(506, 26, 16, 530, "#f1e3cf", 4)
        + rect(1158, 26, 16, 530, "#f1e3cf", 4)
        + rect(832, 40, 12, 500, "#f1e3cf")
        + rect(520, 250, 640, 10, "#f1e3cf")
    )
    cover = (
        rect(-60, -60, 580, 840, "url(#wall2)")
        + rect(1160, -60, 200, 840, "url(#wall2)")
        + rect(500, -60, 700, 100, "url(#wall2)")
    )
    frame = gradient("wall2", ((0, "#4c3a63"), (1, "#2c2144"))) + cover + frame
    frame += (
        rect(450, 540, 790, 34, "#f8ecda", 6)
        + rect(450, 568, 790, 12, "#cdb79e", 4)
        + rect(-60, 580, 1400, 200, "#241a39")
    )
    curtain = path("M1100,20C1130,200 1090,380 1150,560H1300V20Z", "#c8475a") + "".join(
        line(f"M{x},20C{x + 26},200 {x - 16},380 {x + 30},560", "#a2344d", 7) for x in (1160, 1210, 1262)
    )
    curtain += (
        path("M580,20C566,170 590,330 520,520H480V20Z", "#c8475a")
        + "".join(line(f"M{x},20C{x - 14},200 {x + 12},340 {x - 26},510", "#a2344d", 7) for x in (520, 550))
        + rect(460, 10, 860, 14, "#8b5a3c", 7)
    )
    pot = path("M620,542L610,484H700L690,542Z", "#d9734a") + rect(602, 474, 106, 18, "#e88a5c", 6)
    pot += "".join(
        path(
            f"M655,478Q{655 + dx * 0.4},{440 - dy * 0.3} {655 + dx},{478 - dy}Q{655 + dx * 0.9},{470 - dy * 0.3} 655,478Z",
            c,
        )
        for dx, dy, c in (
            (-52, 74, "#3f8a63"),
            (52, 80, "#3f8a63"),
            (-18, 112, "#5aa877"),
            (22, 120, "#4b9a6c"),
            (-70, 34, "#5aa877"),
            (68, 38, "#5aa877"),
        )
    )
    tail = line("M1010,520C1090,520 1110,470 1094,430C1086,408 1066,412 1066,428", "#e0863a", 30) + line(
        "M1094,434C1088,408 1066,410 1066,428", "#fff1dc", 28
    )
    body = path("M800,542C776,440 830,366 906,366C990,366 1046,450 1030,542Z", "#e8934a")
    body += path("M862,542C850,480 866,430 904,424C944,430 958,480 948,542Z", "#fff1dc")
    body += "".join(
        line(f"M{x1},{y1}Q{x1 - 22},{y1 + 8} {x1 - 34},{y1 + 2}", "#c46c2a", 9)
        for x1, y1 in ((1022, 452), (1030, 482), (1030, 512))
    )
    body += (
        ellipse(872, 534, 34, 15, "#fff1dc")
        + ellipse(940, 534, 34, 15, "#fff1dc")
        + line("M862,532v8M878,534v8M930,534v8M946,534v8", "#d9b48c", 3)
    )
    head = (
        path("M822,300L812,206L880,258Z", "#e8934a")
        + path("M986,300L996,206L928,258Z", "#e8934a")
        + path("M830,268L826,228L858,254Z", "#f7b4a2")
        + path("M978,268L982,228L950,254Z", "#f7b4a2")
    )
    head += ellipse(904, 318, 98, 82, "#e8934a") + ellipse(904, 354, 54, 36, "#fff1dc")
    head += "".join(
        line(f"M{x},{y}l{dx},{dy}", "#c46c2a", 9)
        for x, y, dx, dy in (
            (904, 246, 0, 28),
            (882, 250, 3, 22),
            (926, 250, -3, 22),
            (810, 318, 22, 3),
            (812, 340, 20, -3),
            (998, 318, -22, 3),
            (996, 340, -20, -3),
        )
    )
    for x in (866, 942):
        head += (
            ellipse(x, 312, 22, 24, "#f6f0a8")
            + ellipse(x, 312, 9, 21, "#1d1a24")
            + circle(x + 5, 303, 5, "#ffffff")
        )
    head += path("M894,340H914L904,352Z", "#d4606a") + line(
        "M904,352V360Q890,376 878,364M904,360Q918,376 930,364", "#6b3a2a", 4
    )
    head += "".join(
        line(f"M{904 + s * 44},{y}L{904 + s * 122},{y + d}", "#fff6ea", 2.5)
        for s in (-1, 1)
        for y, d in ((352, -10), (360, 4), (368, 18))
    )
    lids = "".join(
        ellipse(x, 312, 25, 27, "#e8934a") + line(f"M{x - 20},314Q{x},330 {x + 20},314", "#8a4a1e", 5)
        for x in (866, 942)
    )
    return [
        Layer(back),
        Layer(drops, (520, -480, 660, 1040), "0", f"480*mod(t,1)-480+{0}"),
        Layer(frame),
        Layer(curtain, FULL, sway(5, 2)),
        Layer(pot),
        Layer(tail, (980, 380, 140, 170), sway(6, 4), sway(4, 4, 0.2)),
        Layer(body),
        Layer(head, (770, 190, 270, 220), "0", sway(3, 3)),
        Layer(lids, (836, 282, 140, 62), "0", sway(3, 3), when="lt(mod(t+1,3),0.22)"),
        titled(
            text("A CAT", 84, 214, Pen(92, 0.16, 0.84, 1.0), "#ffe7c2", "start"),
            text("NAMED", 86, 340, Pen(34, 0.14, 0.95, 2.7), "#ff9fa8", "start"),
            text("TUESDAY", 84, 408, Pen(64, 0.17, 0.74, 0.9), "#ffe7c2", "start"),
        ),
        FINISH,
    ]


def whale() -> list[Layer]:
    back = sky(((0, "#3fb6c6"), (0.35, "#137a9f"), (0.75, "#0a3f70"), (1, "#061f45")))
    rays = "".join(
        path(
            f"M{x},-40L{x + w},-40L{x + w + lean + 120},760L{x + lean - 60},760Z", "#d9fbff", f'opacity="{o}"'
        )
        for x, w, lean, o in (
            (180, 60, -120, 0.11),
            (330, 110, -90, 0.1),
            (560, 50, -30, 0.13),
            (700, 130, 60, 0.08),
            (950, 70, 140, 0.11),
        )
    )
    small = "".join(
        path(f"M{x},{y}q14,-10 30,0q-16,10 -30,0l-10,-8v16Z", "#0b5784")
        for x, y in ((120, 250), (170, 280), (96, 300), (210, 246), (158, 322), (250, 300), (60, 268))
    )
    mother = gradient("back", ((0, "#4b7ba6"), (1, "#1d3c64")))
    mother += path(
        "M470,380C500,270 720,236 900,270C1010,292 1080,340 1160,330C1200,322 1220,270 1270,256C1268,300 1250,326 1230,344C1262,362 1276,392 1282,430C1230,414 1196,384 1160,380C1060,410 980,470 830,486C640,500 480,470 470,380Z",
        "url(#back)",
    )
    mother += path(
        "M470,384C500,404 620,420 720,404C800,392 830,440 800,488C640,500 480,470 470,384Z", "#d7e8ec"
    )
    mother += "".join(
        line(f"M{500 + 6 * i},{410 + 11 * i}Q{640},{428 + 12 * i} {786 - 2 * i},{418 + 11 * i}", "#9dbcc9", 3)
        for i in range(6)
    )
    mother += path("M716,440C740,520 800,580 880,600C876,540 850,470 800,430Z", "#2a517d") + path(
        "M900,268C920,240 950,232 972,236C966,256 960,270 950,284Z", "#35618c"
    )
    mother += (
        circle(588, 376, 13, "#0a1b33")
        + circle(592, 372, 4, "#ffffff")
        + line("M568,350Q590,336 610,346", "#16304f", 4)
    )
    mother += line("M474,386C520,404 570,410 616,402", "#16304f", 5) + "".join(
        circle(x, y, r, "#7fa6c6", 'opacity="0.5"')
        for x, y, r in (
            (700, 300, 7),
            (760, 320, 5),
            (820, 300, 6),
            (880, 330, 4),
            (660, 330, 4),
            (940, 320, 5),
        )
    )
    calf = group([mother], "translate(-60 372) scale(0.36)")
    bubbles = "".join(
        circle(x, y, r, "rgba(220,250,255,0.22)", 'stroke="#dffaff" stroke-width="2" stroke-opacity="0.7"')
        for x, y, r in (
            (440, 300, 9),
            (424, 250, 6),
            (452, 214, 12),
            (430, 160, 7),
            (980, 120, 8),
            (1010, 60, 11),
            (300, 560, 8),
            (310, 500, 5),
        )
    )
    bottom = hills(690, 26, 1.2, 0.8, "#04142e") + "".join(
        line(f"M{x},720C{x - 26},670 {x + 26},640 {x},{590 + (i * 37) % 60}", c, 12)
        for i, (x, c) in enumerate(
            (
                (60, "#0b4a55"),
                (100, "#0f6a63"),
                (132, "#0b4a55"),
                (1120, "#0f6a63"),
                (1160, "#0b4a55"),
                (1206, "#0f6a63"),
                (1240, "#0b4a55"),
            )
        )
    )
    return [
        Layer(back),
        Layer(rays, (-120, 0, 1500, 720), sway(46)),
        Layer(small, (40, 230, 260, 110), sway(60, 1, 0.3), sway(8, 2)),
        Layer(calf, (90, 440, 330, 170), sway(22, 1, 0.1), sway(14, 2, 0.3)),
        Layer(mother, (450, 220, 850, 400), sway(20), sway(16, 1, 0.25)),
        Layer(bubbles, (280, 40, 760, 540), "0", sway(30, 1, 0.5)),
        Layer(bottom, WIDE, sway(8)),
        titled(
            text("WHAT THE WHALES", 92, 76, Pen(52, 0.12, 0.96, 1.6), "#f1fdff", "start"),
            text("HEARD", 92, 150, Pen(102, 0.12, 1.0, 1.5), "#f1fdff", "start"),
        ),
        FINISH,
    ]


def desert() -> list[Layer]:
    back = sky(((0, "#1d6f7a"), (0.3, "#67a698"), (0.52, "#f3c57c"), (0.75, "#f39a5b")))
    back += glow(900, 330, 430, "#fff0b8", 0.9) + circle(900, 330, 110, "#fff0c2")
    mesa = (
        path("M40,500V420H90V372H250V410H300V500Z", "#c0623f")
        + path("M250,372V410H300V500H330L316,410Z", "#9a4632")
        + path("M560,500V430H600V400H700V440H740V500Z", "#c7714b")
    )
    dune1 = path("M-80,520C160,430 380,500 560,470C760,440 980,520 1360,460V780H-80Z", "#d97a45")
    dune2 = path("M-80,600C140,520 420,640 700,560C900,500 1100,560 1360,540V780H-80Z", "#b95a36") + path(
        "M-80,600C140,520 420,640 700,560C560,640 300,700 -80,690Z", "#cf6d3f"
    )
    dune3 = path("M-80,690C240,610 520,700 760,660C980,620 1200,660 1360,640V780H-80Z", "#6e2d2b")

    def cactus(x: float, y: float, size: float, colour: str, light: str) -> str:
        drawn = (
            rect(-22, -230, 44, 240, colour, 22)
            + line("M-20,-90H-62V-150", colour, 30)
            + line("M20,-120H60V-186", colour, 30)
        )
        drawn += (
            line("M-6,-214V0M8,-214V0", light, 3, 'opacity="0.6"')
            + circle(0, -234, 9, "#f26a8d")
            + circle(-62, -166, 7, "#f26a8d")
        )
        return group([drawn], f"translate({x} {y}) scale({size})")

    plants = (
        cactus(180, 700, 1.24, "#1f5a4c", "#3b8a6d")
        + cactus(1120, 690, 0.72, "#1f5a4c", "#3b8a6d")
        + cactus(330, 640, 0.42, "#2a6a56", "#3b8a6d")
    )
    camels = ""
    for x, size in ((500, 0.86), (596, 0.78), (680, 0.82)):
        shape = path(
            "M-30,-34Q-34,-50 -20,-52Q-8,-84 8,-54Q22,-52 28,-44Q38,-50 38,-76Q40,-88 52,-86L62,-80L60,-74L48,-74Q50,-44 30,-28Q0,-20 -30,-34Z",
            "#5b2430",
        )
        shape += line("M-26,-34L-28,0M-18,-30L-16,0M20,-32L18,0M28,-34L30,0", "#5b2430", 5) + line(
            "M-31,-42Q-38,-34 -36,-22", "#5b2430", 3
        )
        camels += group([shape], f"translate({x} 560) scale({size})")
    hawk = bird(600, 270, 24, "#5b2430") + bird(666, 240, 15, "#5b2430")
    return [
        Layer(back),
        Layer(mesa, (20, 360, 740, 150), sway(6)),
        Layer(dune1, (-80, 430, 1440, 290), sway(10)),
        Layer(camels, (450, 470, 300, 100), sway(60)),
        Layer(dune2, (-80, 500, 1440, 220), sway(16)),
        Layer(hawk, (560, 210, 140, 90), sway(80, 1, 0.2), sway(18, 2)),
        Layer(plants, (90, 380, 1130, 340), sway(4)),
        Layer(dune3, (-80, 600, 1440, 120), sway(26)),
        titled(
            text("THE DESERT", 92, 74, Pen(84, 0.16, 0.86, 1.1), "#fff4d9", "start"),
            text("REMEMBERS", 92, 184, Pen(42, 0.14, 1.0, 3.0), "#fff4d9", "start"),
        ),
        FINISH,
    ]


def orbit() -> list[Layer]:
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


def robot() -> list[Layer]:
    back = (
        sky(((0, "#7fc4b8"), (0.5, "#cfe6b4"), (0.8, "#f6ecb0")))
        + glow(980, 140, 320, "#fffbe0", 0.9)
        + circle(980, 140, 54, "#fffbe6")
    )
    clouds = (
        cloud(560, 90, 44, "#ffffff", 0.8)
        + cloud(1130, 230, 46, "#ffffff", 0.7)
        + cloud(1400, 180, 70, "#ffffff", 0.7)
    )
    far = hills(470, 34, 1.1, 0.3, "#9bc47a") + hills(530, 30, 1.5, 2.0, "#76ab62")

    def tree(x: float, y: float, size: float, seed: int) -> str:
        chance = random.Random(seed)
        drawn = path("M-16,0C-8,-60 -14,-110 -34,-150H34C14,-110 8,-60 18,0Z", "#6b4430")
        drawn += "".join(
            circle(px, py, r, c)
            for px, py, r, c in (
                (-60, -180, 62, "#3f8550"),
                (60, -176, 64, "#357647"),
                (0, -236, 80, "#4b9a5c"),
                (-26, -170, 60, "#4b9a5c"),
                (40, -220, 44, "#5aad69"),
            )
        )
        drawn += "".join(
            circle(chance.uniform(-90, 90), chance.uniform(-270, -150), 10, "#e0453a") for _ in range(13)
        )
        return group([drawn], f"translate({x} {y}) scale({size})")

    trees = (
        tree(120, 610, 0.62, 1)
        + tree(330, 590, 0.46, 2)
        + tree(1180, 600, 0.6, 3)
        + tree(1010, 582, 0.44, 4)
        + tree(520, 580, 0.36, 5)
    )
    ground = hills(640, 18, 0.8, 1.0, "#4f8c4a") + "".join(
        circle(x, y, 9, "#e0453a") for x, y in ((150, 668), (210, 690), (470, 680), (1080, 672), (1150, 694))
    )
    big = tree(1190, 720, 1.42, 9)
    body = gradient("metal", ((0, "#e8a24c"), (1, "#b8652f")))
    body += (
        rect(-84, 96, 168, 168, "url(#metal)", 26)
        + rect(-58, 128, 116, 74, "#5d3526", 14)
        + circle(-26, 164, 18, "#f2e3c2")
        + line("M-26,164L-16,152", "#e0453a", 4)
        + rect(8, 146, 36, 8, "#7fd1b9", 4)
        + rect(8, 164, 26, 8, "#ffe07a", 4)
        + rect(8, 182, 36, 6, "#7fd1b9", 3)
    )
    body += (
        rect(-62, 262, 34, 70, "#7a4a35", 10)
        + rect(28, 262, 34, 70, "#7a4a35", 10)
        + rect(-26, 76, 52, 28, "#7a4a35", 8)
    )
    body += "".join(circle(x, y, 5, "#8a4c25") for x, y in ((-70, 112), (70, 112), (-70, 248), (70, 248)))
    arm = (
        line("M82,140C140,150 160,110 166,70", "#7a4a35", 24)
        + circle(168, 56, 26, "#e8a24c")
        + circle(168, 26, 24, "#e0453a")
        + line("M168,6Q170,-8 182,-10", "#5d3526", 5)
        + path("M172,-2q16,-14 30,-4q-14,14 -30,4Z", "#4b9a5c")
        + circle(160, 18, 6, "#ffb0a2")
    )
    arm += line("M-82,140C-130,170 -136,214 -128,240", "#7a4a35", 24) + circle(-126, 250, 22, "#e8a24c")
    head = (
        line("M0,-108V-146", "#7a4a35", 7)
        + circle(0, -152, 11, "#e0453a")
        + rect(-122, -108, 244, 184, "url(#metal)", 48)
        + rect(-136, -52, 22, 64, "#7a4a35", 8)
        + rect(114, -52, 22, 64, "#7a4a35", 8)
    )
    head += rect(-96, -80, 192, 116, "#2f2a3c", 34)
    head += "".join(
        circle(x, -28, 30, "#bff5e4") + circle(x + 8, -32, 15, "#15323a") + circle(x + 13, -38, 6, "#ffffff")
        for x in (-46, 46)
    )
    head += line("M-26,14Q0,34 26,14", "#bff5e4", 7) + path(
        "M70,-108Q118,-100 122,-60L100,-76Z", "#9a5a34", 'opacity="0.6"'
    )
    lids = "".join(
        rect(x - 33, -60, 66, 64, "#2f2a3c") + line(f"M{x - 24},-26Q{x},-14 {x + 24},-26", "#bff5e4", 6)
        for x in (-46, 46)
    )
    where = "translate(800 372) scale(1.04)"
    nod = sway(4, 2)
    return [
        Layer(back),
        Layer(clouds, (120, 40, 1400, 200), sway(60)),
        Layer(far + trees),
        Layer(ground),
        Layer(big, (960, 220, 320, 500), sway(4, 1)),
        Layer(group([body, arm], where)),
        Layer(
            group([gradient("metal", ((0, "#f0b259"), (1, "#c2703a"))), head], where),
            (640, 190, 320, 280),
            sway(5),
            nod,
        ),
        Layer(group([lids], where), (710, 304, 184, 80), sway(5), nod, when="lt(mod(t+1.5,4),0.2)"),
        titled(
            text("RUST", 92, 130, Pen(118, 0.19, 0.86, 1.1), "#5a2d22", "start"),
            text("& APPLES", 92, 286, Pen(74, 0.19, 0.8, 1.0), "#c8372f", "start"),
        ),
        FINISH,
    ]


def aurora() -> list[Layer]:
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


def lanterns() -> list[Layer]:
    back = sky(((0, "#0a1f2b"), (0.6, "#12424a"), (1, "#0c2a30"))) + glow(640, 330, 520, "#3f9a7a", 0.35)
    chance = random.Random(15)
    trunks = "".join(
        path(
            f"M{x - w},760C{x - w * 0.6},400 {x - w * 0.8},200 {x - w * 1.4},-40H{x + w * 1.4}C{x + w * 0.8},200 {x + w * 0.6},400 {x + w},760Z",
            c,
        )
        for x, w, c in (
            (120, 26, "#0d343b"),
            (300, 18, "#10404a"),
            (470, 14, "#134a50"),
            (820, 15, "#134a50"),
            (990, 20, "#10404a"),
            (1180, 30, "#0d343b"),
        )
    )
    near = "".join(
        path(
            f"M{x - w},760C{x - w * 0.5},400 {x - w * 0.8},160 {x - w * 1.6},-40H{x + w * 1.6}C{x + w * 0.8},160 {x + w * 0.5},400 {x + w},760Z",
            "#06171d",
        )
        for x, w in ((10, 56), (1276, 60))
    )
    leaves = "".join(
        circle(
            chance.uniform(-40, 1320),
            chance.uniform(-60, 50),
            chance.uniform(34, 80),
            chance.choice(("#0a2a30", "#08232a", "#0d343b")),
        )
        for _ in range(44)
    )
    grass = "".join(
        line(
            f"M{x},730q{chance.uniform(-14, 14):.0f},-36 {chance.uniform(-26, 26):.0f},-{chance.uniform(40, 84):.0f}",
            chance.choice(("#06171d", "#0a2a30")),
            6,
        )
        for x in range(-20, 1310, 12)
    )
    flies = [
        "".join(
            glow(x, y, 26, "#ffe58a", 0.9) + circle(x, y, 3, "#fff7cf")
            for x, y in ((chance.uniform(40, 1240), chance.uniform(120, 600)) for _ in range(13))
        )
        for _ in range(2)
    ]
    girl = Person(
        790,
        404,
        1.28,
        "#f0bf95",
        "#cf9268",
        "#3a1c18",
        "long",
        "#b8433f",
        "#f6d9a8",
        look=-0.55,
        brows=-0.5,
        lips="#a8443e",
    )
    boy = Person(
        1062,
        466,
        1.08,
        "#a86b45",
        "#824c2e",
        "#2b5f73",
        "beanie",
        "#2f6f5f",
        "#f0b259",
        look=-0.7,
        brows=-0.7,
        lips="#6d2a24",
    )
    lantern = (
        glow(0, 0, 250, "#ffc35a", 0.85)
        + line("M0,-150V-74", "#3a2418", 4)
        + rect(-26, -78, 52, 12, "#5a3424", 4)
        + path("M-54,-64Q-70,0 -54,64H54Q70,0 54,-64Z", "#ffb347")
        + path("M-30,-66Q-40,0 -30,66H30Q40,0 30,-66Z", "#ffd98c")
        + rect(-40, 62, 80, 12, "#5a3424", 4)
        + line("M-54,-30H54M-58,4H58M-54,36H54", "#e08a2e", 3)
    )
    lantern += path("M-14,26Q-22,0 0,-28Q22,0 14,26Q0,40 -14,26Z", "#fff6d8")
    warm = glow(560, 470, 420, "#ffb347", 0.34)
    return [
        Layer(back + trunks),
        Layer(leaves, (-120, -140, 1520, 300), sway(10)),
        Layer(flies[0], (20, 90, 1260, 540), sway(26), sway(16, 2), "gt(sin(t*1.0472),-0.5)"),
        *person(boy, phase=1.4),
        *person(girl, phase=0.3, speaks=(2, 5)),
        Layer(warm),
        Layer(group([lantern], "translate(520 470)"), (260, 220, 520, 500), sway(8), sway(6, 2)),
        Layer(near + grass, WIDE, sway(6, 2)),
        Layer(flies[1], (20, 90, 1260, 540), sway(40, 1, 0.4), sway(24, 1, 0.2), "gt(sin(t*1.0472+2),-0.5)"),
        titled(
            text("PAPER", 92, 116, Pen(84, 0.12, 0.9, 1.5), "#ffe3a6", "start"),
            text("LANTERNS", 92, 226, Pen(84, 0.12, 0.86, 1.3), "#ffe3a6", "start"),
        ),
        FINISH,
    ]


def portrait() -> list[Layer]:
    back = gradient("wall", ((0, "#e7b98a"), (1, "#c98763"))) + rect(-60, -60, 1400, 840, "url(#wall)")
    paper = "".join(
        group(
            [
                path("M0,-26Q16,-10 0,10Q-16,-10 0,-26Z", "#b9724f", 'opacity="0.35"'),
                circle(0, 18, 4, "#b9724f", 'opacity="0.35"'),
            ],
            f"translate({x + (40 if row % 2 else 0)} {y})",
        )
        for row, y in enumerate(range(20, 740, 66))
        for x in range(-20, 1320, 80)
    )
    frames = (
        rect(108, 92, 150, 186, "#6b3a2a", 6)
        + rect(124, 108, 118, 154, "#f6e4c6")
        + circle(183, 166, 26, "#c98763")
        + path("M140,262Q142,202 183,200Q224,202 226,262Z", "#3d5a6c")
    )
    frames += (
        rect(298, 130, 116, 96, "#6b3a2a", 6)
        + rect(310, 142, 92, 72, "#9ec1b6")
        + path("M310,214L340,170L362,196L378,180L402,214Z", "#5d8a74")
        + circle(386, 158, 8, "#fff1c2")
    )
    lamp = (
        line("M1160,720V330", "#4a2a22", 10)
        + path("M1080,330L1120,200H1200L1240,330Z", "#f3d08a")
        + glow(1160, 300, 330, "#fff0b8", 0.7)
    )
    woman = Person(
        800,
        272,
        1.3,
        "#d9a47c",
        "#b47a56",
        "#e9e6e2",
        "bun",
        "#2f5d62",
        "#f2d6b0",
        look=-0.25,
        glasses="#5a2d22",
        lips="#a8443e",
        smile=1.3,
    )
    keys = (
        rect(936, 466, 116, 280, "#8f1f2e", 18)
        + rect(950, 484, 50, 240, "#fffaf0", 6)
        + "".join(line(f"M950,{y}H1000", "#c9b9a6", 2) for y in range(504, 720, 22))
        + "".join(rect(976, y, 24, 11, "#221418", 2) for y in (498, 520, 564, 586, 608, 652, 674))
        + "".join(circle(1026, y, 8, "#f0c36b") for y in (500, 530, 560))
    )
    buttons = (
        rect(520, 466, 116, 280, "#8f1f2e", 18)
        + "".join(circle(x, y, 7, "#fffaf0") for x in (546, 572, 598) for y in range(494, 720, 24))
        + line("M534,480V730", "#f0c36b", 4)
    )
    folds = "".join(
        path(
            f"M{640 + i * 42},{480 + (i % 2) * 10}L{661 + i * 42},{490 - (i % 2) * 10}V740H{640 + i * 42}Z",
            "#c2394a" if i % 2 else "#a82b3c",
        )
        + path(
            f"M{661 + i * 42},{490 - (i % 2) * 10}L{682 + i * 42},{480 + (i % 2) * 10}V740H{661 + i * 42}Z",
            "#7d1b2b",
        )
        for i in range(7)
    )
    left = ellipse(548, 640, 34, 52, "#d9a47c") + "".join(
        line(f"M{560 + 4 * i},{610 + 20 * i}h26", "#d9a47c", 16) for i in range(4)
    )
    right = ellipse(1040, 640, 32, 52, "#d9a47c") + "".join(
        line(f"M{1028 - 2 * i},{606 + 20 * i}h-30", "#d9a47c", 15) for i in range(4)
    )
    notes = "".join(
        ellipse(x, y, 13, 10, "#5a2d22", f'transform="rotate(-18 {x} {y})"')
        + line(f"M{x + 11},{y - 4}V{y - 52}q16,6 14,24", "#5a2d22", 5)
        for x, y in ((520, 250), (600, 190), (1050, 230))
    )
    return [
        Layer(back + paper + frames + lamp),
        Layer(notes, (440, 110, 680, 190), sway(10, 1, 0.2), sway(18, 2)),
        *person(woman, phase=1.1),
        Layer(folds, (630, 470, 320, 250), sway(6, 3)),
        Layer(buttons + left, (500, 460, 160, 260), sway(-14, 3)),
        Layer(keys + right, (920, 460, 170, 260), sway(14, 3)),
        titled(
            text("NONNA'S", 92, 352, Pen(72, 0.17, 0.82, 1.1), "#5a1a24", "start"),
            text("LAST", 92, 452, Pen(72, 0.17, 0.84, 1.2), "#5a1a24", "start"),
            text("WALTZ", 92, 552, Pen(72, 0.17, 0.8, 1.0), "#5a1a24", "start"),
        ),
        FINISH,
    ]


SKIES = {
    1: ((0, "#86c5d8"), (0.5, "#cfe8e4"), (0.75, "#fbeed2")),
    2: ((0, "#3d7fb0"), (0.5, "#8cc3d6"), (0.75, "#d6ecdf")),
    3: ((0, "#1c2733"), (0.5, "#3d5262"), (0.75, "#6f8791")),
    4: ((0, "#3a2f63"), (0.45, "#c46a7c"), (0.75, "#ffc98f")),
}


def _saltwater(number: int, name: str) -> Callable[[], list[Layer]]:
    def drawn() -> list[Layer]:
        back = sky(SKIES[number])
        sea = {
            1: ("#7fb8b4", "#5a9ca3", "#3b7d8a"),
            2: ("#4f9db0", "#2f7f9b", "#1d6283"),
            3: ("#3f5a68", "#2d4452", "#1e313d"),
            4: ("#b8627a", "#6f4376", "#3a2a5c"),
        }[number]
        layers = [Layer(back)]
        coat = {1: "#f5b81f", 2: "#f5b81f", 3: "#e0a21a", 4: "#f0ab2a"}[number]
        girl = Person(
            {1: 880, 2: 930, 3: 880, 4: 760}[number],
            {1: 330, 2: 350, 3: 318, 4: 392}[number],
            {1: 1.3, 2: 1.2, 3: 1.36, 4: 1.06}[number],
            "#f3c39b",
            "#d0956d",
            "#8a3b1e",
            "hood",
            coat,
            {1: "#c98a10", 2: "#c98a10", 3: "#a8720c", 4: "#c27f16"}[number],
            look={1: -0.5, 2: -0.8, 3: -0.45, 4: 0.75}[number],
            lips="#b04a3e",
            brows=-0.4 if number != 3 else 0.9,
            smile=1.0 if number != 3 else -0.6,
        )
        match number:
            case 1:
                layers.append(Layer(glow(250, 300, 330, "#fffbe6", 0.9) + circle(250, 300, 50, "#fffdf0")))
                layers.append(
                    Layer(
                        cloud(470, 236, 44, "#ffffff", 0.8) + cloud(1200, 190, 74, "#ffffff", 0.7),
                        (380, 60, 920, 200),
                        sway(50),
                    )
                )
                layers.append(Layer(waves(470, 6, 84, sea[0]), (-240, 460, 1760, 260), travel(0, -84)))
                sand = path("M-80,560C260,520 620,600 1360,540V780H-80Z", "#e9cf9f") + path(
                    "M-80,640C300,590 760,670 1360,620V780H-80Z", "#d8b57f"
                )
                sand += "".join(
                    ellipse(x, y, 26, 7, "#c49d69", 'opacity="0.7"')
                    for x, y in ((180, 640), (300, 690), (520, 620), (430, 672))
                )
                boat = (
                    path("M330,560L360,612H560L600,546Z", "#2f6f8a")
                    + path("M338,574L600,560L594,572L346,588Z", "#fff6e4")
                    + line("M470,566V420", "#6b4430", 8)
                )
                sand += group([boat], "rotate(-7 460 570)") + ellipse(
                    470, 616, 140, 10, "#b98f5c", 'opacity="0.6"'
                )
                sand += path(
                    "M640,640q10,-30 24,-6q26,-12 14,14q14,26 -16,18q-16,22 -22,-6q-28,-4 0,-20Z", "#e2725b"
                )
                layers.append(Layer(sand))
            case 2:
                layers.append(
                    Layer(
                        cloud(260, 250, 80, "#ffffff", 0.9)
                        + cloud(700, 170, 56, "#ffffff", 0.8)
                        + cloud(1240, 240, 84, "#ffffff", 0.85),
                        (140, 80, 1240, 200),
                        sway(60),
                    )
                )
                layers.append(Layer(waves(490, 8, 96, sea[0]), (-240, 476, 1760, 244), travel(0, -96)))
                boat = (
                    path("M150,520L210,610H520L580,500Z", "#c8372f")
                    + path("M156,530L580,508L572,526L170,550Z", "#fff6e4")
                    + line("M360,520V130", "#6b4430", 10)
                )
                boat += (
                    path("M372,146C470,220 500,340 490,470L372,486Z", "#fff6e4")
                    + path("M348,176C280,260 240,370 226,470L348,484Z", "#ffd98c")
                    + path("M360,130L410,146L360,162Z", "#c8372f")
                )
                layers.append(
                    Layer(
                        group([boat], "translate(66 104) scale(0.8)"),
                        (150, 190, 420, 440),
                        sway(16),
                        sway(9, 2),
                    )
                )
                layers.append(
                    Layer(waves(566, 11, 128, sea[1]), (-260, 550, 1800, 170), travel(-128, 0), sway(4, 2))
                )
            case 3:
                layers.append(
                    Layer(
                        "".join(
                            cloud(x, y, s, c, 0.95)
                            for x, y, s, c in (
                                (140, 150, 130, "#2b3a47"),
                                (560, 110, 150, "#24323e"),
                                (1010, 140, 140, "#2b3a47"),
                                (1330, 100, 130, "#24323e"),
                            )
                        ),
                        (-120, -60, 1620, 260),
                        sway(40),
                    )
                )
                bolt = path("M300,170L250,300H286L244,430L344,270H304L340,170Z", "#fff6c9") + glow(
                    300, 290, 300, "#e8f1ff", 0.6
                )
                layers.append(
                    Layer(bolt, (0, 0, 620, 600), when="lt(mod(t+0.2,6),3.4)*gt(sin(t*1.0472),-0.9)")
                )
                layers.append(
                    Layer(waves(480, 26, 180, sea[0]), (-260, 440, 1800, 280), travel(-180, 0, 2), sway(8, 3))
                )
                boat = (
                    path("M200,500L240,570H420L470,486Z", "#a83a34")
                    + line("M330,500V340", "#4a3024", 7)
                    + path("M336,350C400,390 410,440 400,476L336,486Z", "#d8d2c4")
                )
                layers.append(
                    Layer(
                        group([boat], "rotate(-14 330 520)"), (170, 320, 330, 280), sway(14, 2), sway(22, 3)
                    )
                )
                layers.append(
                    Layer(
                        waves(560, 34, 240, sea[1]),
                        (-260, 510, 1800, 210),
                        travel(0, -240, 2),
                        sway(10, 3, 0.3),
                    )
                )
            case 4:
                layers.append(Layer(glow(330, 430, 420, "#ffe6b0", 0.9) + circle(330, 430, 62, "#fff0cf")))
                layers.append(
                    Layer(below(ridge_points(63, 452, 30, 0.5), "#7a4a78"), (-160, 390, 1600, 330), sway(8))
                )
                layers.append(Layer(waves(486, 5, 80, sea[0]), (-240, 476, 1760, 244), travel(0, -80)))
                pier = rect(-60, 560, 700, 18, "#2c1d3f") + "".join(
                    rect(x, 560, 16, 200, "#2c1d3f") for x in range(20, 640, 110)
                )
                houses = "".join(
                    rect(x, y, w, 560 - y, c)
                    + path(f"M{x - 8},{y}L{x + w / 2},{y - 34}L{x + w + 8},{y}Z", "#3a2440")
                    + rect(x + 14, y + 20, 20, 24, "#ffd27a", 3)
                    + rect(x + w - 34, y + 20, 20, 24, "#ffd27a", 3)
                    for x, y, w, c in (
                        (30, 470, 90, "#c8575f"),
                        (134, 450, 84, "#e2956b"),
                        (232, 476, 96, "#8f6fa3"),
                        (420, 484, 86, "#d9776a"),
                    )
                )
                lights = "".join(
                    glow(x, 520, 60, "#ffd27a", 0.8)
                    + circle(x, 520, 6, "#fff3c9")
                    + rect(x - 2, 524, 4, 40, "#2c1d3f")
                    for x in (350, 388, 540, 610)
                )
                layers.append(Layer(pier + houses + lights))
                layers.append(Layer(waves(620, 8, 110, sea[1]), (-260, 606, 1800, 114), travel(-110, 0)))
        if number == 4:
            grandfather = Person(
                1060,
                300,
                1.34,
                "#d99c74",
                "#b4744e",
                "#28486b",
                "beanie",
                "#8f3436",
                "#e0a21a",
                look=-0.6,
                beard="#e8e4dc",
                lips="#8a3a30",
                brows=-0.5,
            )
            layers += person(grandfather, phase=1.7, speaks=(6, 10))
        layers += person(girl, phase=0.5 * number, speaks=(1, 4) if number in {1, 4} else None)
        layers.append(Layer(waves(668, 12, 150, sea[2]), (-260, 644, 1800, 76), travel(0, -150), sway(5, 2)))
        if number == 3:
            chance = random.Random(8)
            rain = "".join(
                line(f"M{x:.0f},{y + shift:.0f}l-14,34", "#d6e6ee", 2.4, 'opacity="0.5"')
                for x, y in ((chance.uniform(-40, 1400), chance.uniform(0, 720)) for _ in range(130))
                for shift in (0, -720)
            )
            layers.append(Layer(rain, (-60, -720, 1480, 1440), "0", "720*mod(t*2,1)"))
        ink = {1: "#1d4a5c", 2: "#0f3a5a", 3: "#f4efe2", 4: "#fff3df"}[number]
        layers.append(
            titled(
                text("SALTWATER", 88, 76, Pen(68, 0.16, 0.82, 1.1), ink, "start"),
                text(f"{number}", 90, 172, Pen(22, 0.14, 1, 2), ink, "start"),
                line("M118,183H164", ink, 3),
                text(name.upper(), 184, 172, Pen(22, 0.14, 1, 2.6), ink, "start"),
            )
        )
        return [*layers, FINISH]

    return drawn


SALTWATER = {
    name: _saltwater(number, name)
    for number, name in enumerate(("Low Tide", "The Boat", "Squall", "Harbour"), 1)
}


def all_scenes() -> dict[str, list[Layer]]:
    """All scenes by their names."""
    single = (
        lighthouse, mountains, city, train, coffees, cat, whale, desert, orbit, robot, aurora, balloons, lanterns, portrait
    )  # fmt: skip
    return {each.__name__: each() for each in single} | {name: each() for name, each in SALTWATER.items()}
