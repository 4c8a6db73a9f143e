"""Scenes of wide landscapes."""

from drawing.letters import Pen, text
from drawing.shapes import (
    WIDTH,
    below,
    bird,
    circle,
    cloud,
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
)

from .layers import FINISH, SMALL, WIDE, Layer, sway, titled


def mountains() -> list[Layer]:
    """A canoe on a lake below snowy mountains, at sunset."""
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


def desert() -> list[Layer]:
    """Camels and cactuses among the dunes of a desert."""
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
