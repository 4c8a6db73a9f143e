"""Scenes of the sea."""

from drawing.letters import Pen, text
from drawing.shapes import (
    below,
    circle,
    glow,
    gradient,
    group,
    hills,
    line,
    path,
    rect,
    ridge_points,
    sky,
    stars,
    waves,
)

from .layers import FINISH, FULL, SMALL, WIDE, Layer, sway, titled, travel


def lighthouse() -> list[Layer]:
    """A lighthouse at night. Its beam sweeps over the waves."""
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


def whale() -> list[Layer]:
    """A whale and her calf under water."""
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
