"""The scenes of the series Saltwater: one for each episode, all with the same girl at the sea."""

import random
from collections.abc import Callable

from drawing.letters import Pen, text
from drawing.person import Person
from drawing.shapes import (
    Stops,
    below,
    circle,
    cloud,
    ellipse,
    glow,
    group,
    line,
    path,
    rect,
    ridge_points,
    sky,
    waves,
)

from .layers import FINISH, Layer, person, sway, titled, travel


def girl(
    place: tuple[float, float, float],
    look: float,
    coat: tuple[str, str] = ("#f5b81f", "#c98a10"),
    *,
    brows: float = -0.4,
    smile: float = 1.0,
) -> Person:
    """The girl of the series, at `place` (x, y and size), with a coat and its collar."""
    return Person(
        *place,
        "#f3c39b", "#d0956d", "#8a3b1e", "hood", *coat, look=look, lips="#b04a3e", brows=brows, smile=smile
    )  # fmt: skip


def episode(
    number: int,
    name: str,
    *,
    air: Stops,
    behind: list[Layer],
    people: list[Layer],
    water: str,
    in_front: tuple[Layer, ...] = (),
    ink: str,
) -> list[Layer]:
    """A scene of the series: what is behind the people, the people, the water, what is in front of it, and the title."""
    return [
        Layer(sky(air)),
        *behind,
        *people,
        Layer(waves(668, 12, 150, water), (-260, 644, 1800, 76), travel(0, -150), sway(5, 2)),
        *in_front,
        titled(
            text("SALTWATER", 88, 76, Pen(68, 0.16, 0.82, 1.1), ink, "start"),
            text(f"{number}", 90, 172, Pen(22, 0.14, 1, 2), ink, "start"),
            line("M118,183H164", ink, 3),
            text(name.upper(), 184, 172, Pen(22, 0.14, 1, 2.6), ink, "start"),
        ),
        FINISH,
    ]


def low_tide() -> list[Layer]:
    """A boat lies on the beach."""
    clouds = cloud(470, 236, 44, "#ffffff", 0.8) + cloud(1200, 190, 74, "#ffffff", 0.7)
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
    sand += group([boat], "rotate(-7 460 570)") + ellipse(470, 616, 140, 10, "#b98f5c", 'opacity="0.6"')
    sand += path("M640,640q10,-30 24,-6q26,-12 14,14q14,26 -16,18q-16,22 -22,-6q-28,-4 0,-20Z", "#e2725b")
    return episode(
        1,
        "Low Tide",
        air=((0, "#86c5d8"), (0.5, "#cfe8e4"), (0.75, "#fbeed2")),
        behind=[
            Layer(glow(250, 300, 330, "#fffbe6", 0.9) + circle(250, 300, 50, "#fffdf0")),
            Layer(clouds, (380, 60, 920, 200), sway(50)),
            Layer(waves(470, 6, 84, "#7fb8b4"), (-240, 460, 1760, 260), travel(0, -84)),
            Layer(sand),
        ],
        people=person(girl((880, 330, 1.3), -0.5), phase=0.5, speaks=(1, 4)),
        water="#3b7d8a",
        ink="#1d4a5c",
    )


def the_boat() -> list[Layer]:
    """The boat sails on a sunny day."""
    clouds = (
        cloud(260, 250, 80, "#ffffff", 0.9)
        + cloud(700, 170, 56, "#ffffff", 0.8)
        + cloud(1240, 240, 84, "#ffffff", 0.85)
    )
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
    sailing = group([boat], "translate(66 104) scale(0.8)")
    return episode(
        2,
        "The Boat",
        air=((0, "#3d7fb0"), (0.5, "#8cc3d6"), (0.75, "#d6ecdf")),
        behind=[
            Layer(clouds, (140, 80, 1240, 200), sway(60)),
            Layer(waves(490, 8, 96, "#4f9db0"), (-240, 476, 1760, 244), travel(0, -96)),
            Layer(sailing, (150, 190, 420, 440), sway(16), sway(9, 2)),
            Layer(waves(566, 11, 128, "#2f7f9b"), (-260, 550, 1800, 170), travel(-128, 0), sway(4, 2)),
        ],
        people=person(girl((930, 350, 1.2), -0.8), phase=1.0),
        water="#1d6283",
        ink="#0f3a5a",
    )


def squall() -> list[Layer]:
    """A storm, with lightning and rain."""
    clouds = "".join(
        cloud(x, y, s, c, 0.95)
        for x, y, s, c in (
            (140, 150, 130, "#2b3a47"),
            (560, 110, 150, "#24323e"),
            (1010, 140, 140, "#2b3a47"),
            (1330, 100, 130, "#24323e"),
        )
    )
    bolt = path("M300,170L250,300H286L244,430L344,270H304L340,170Z", "#fff6c9") + glow(
        300, 290, 300, "#e8f1ff", 0.6
    )
    boat = (
        path("M200,500L240,570H420L470,486Z", "#a83a34")
        + line("M330,500V340", "#4a3024", 7)
        + path("M336,350C400,390 410,440 400,476L336,486Z", "#d8d2c4")
    )
    tossed = group([boat], "rotate(-14 330 520)")
    chance = random.Random(8)
    rain = "".join(
        line(f"M{x:.0f},{y + shift:.0f}l-14,34", "#d6e6ee", 2.4, 'opacity="0.5"')
        for x, y in ((chance.uniform(-40, 1400), chance.uniform(0, 720)) for _ in range(130))
        for shift in (0, -720)
    )
    flashes = "lt(mod(t+0.2,6),3.4)*gt(sin(t*1.0472),-0.9)"
    return episode(
        3,
        "Squall",
        air=((0, "#1c2733"), (0.5, "#3d5262"), (0.75, "#6f8791")),
        behind=[
            Layer(clouds, (-120, -60, 1620, 260), sway(40)),
            Layer(bolt, (0, 0, 620, 600), when=flashes),
            Layer(waves(480, 26, 180, "#3f5a68"), (-260, 440, 1800, 280), travel(-180, 0, 2), sway(8, 3)),
            Layer(tossed, (170, 320, 330, 280), sway(14, 2), sway(22, 3)),
            Layer(
                waves(560, 34, 240, "#2d4452"), (-260, 510, 1800, 210), travel(0, -240, 2), sway(10, 3, 0.3)
            ),
        ],
        people=person(
            girl((880, 318, 1.36), -0.45, ("#e0a21a", "#a8720c"), brows=0.9, smile=-0.6), phase=1.5
        ),
        water="#1e313d",
        in_front=(Layer(rain, (-60, -720, 1480, 1440), "0", "720*mod(t*2,1)"),),
        ink="#f4efe2",
    )


def harbour() -> list[Layer]:
    """The girl and her grandfather at the harbour, at sunset."""
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
        glow(x, 520, 60, "#ffd27a", 0.8) + circle(x, 520, 6, "#fff3c9") + rect(x - 2, 524, 4, 40, "#2c1d3f")
        for x in (350, 388, 540, 610)
    )
    grandfather = Person(
        1060, 300, 1.34, "#d99c74", "#b4744e", "#28486b", "beanie", "#8f3436", "#e0a21a",
        look=-0.6, beard="#e8e4dc", lips="#8a3a30", brows=-0.5,
    )  # fmt: skip
    return episode(
        4,
        "Harbour",
        air=((0, "#3a2f63"), (0.45, "#c46a7c"), (0.75, "#ffc98f")),
        behind=[
            Layer(glow(330, 430, 420, "#ffe6b0", 0.9) + circle(330, 430, 62, "#fff0cf")),
            Layer(below(ridge_points(63, 452, 30, 0.5), "#7a4a78"), (-160, 390, 1600, 330), sway(8)),
            Layer(waves(486, 5, 80, "#b8627a"), (-240, 476, 1760, 244), travel(0, -80)),
            Layer(pier + houses + lights),
            Layer(waves(620, 8, 110, "#6f4376"), (-260, 606, 1800, 114), travel(-110, 0)),
        ],
        people=[
            *person(grandfather, phase=1.7, speaks=(6, 10)),
            *person(girl((760, 392, 1.06), 0.75, ("#f0ab2a", "#c27f16")), phase=2.0, speaks=(1, 4)),
        ],
        water="#3a2a5c",
        ink="#fff3df",
    )


SALTWATER: dict[str, Callable[[], list[Layer]]] = {
    "Low Tide": low_tide,
    "The Boat": the_boat,
    "Squall": squall,
    "Harbour": harbour,
}
"""The episodes in their order."""
