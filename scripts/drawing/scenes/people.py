"""Scenes of people who talk or play music."""

import random

from drawing.letters import Pen, text
from drawing.person import Person
from drawing.shapes import circle, cloud, ellipse, glow, gradient, group, line, path, rect, sky

from .layers import FINISH, WIDE, Layer, person, sway, titled


def coffees() -> list[Layer]:
    """Two people talk at a table in a café."""
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


def lanterns() -> list[Layer]:
    """A girl and a boy with a lantern in a forest, at night."""
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
    """A grandmother plays the accordion."""
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
