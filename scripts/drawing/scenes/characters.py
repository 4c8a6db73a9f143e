"""Scenes of a main character that is not human: a cat and a robot."""

import random

from drawing.letters import Pen, text
from drawing.shapes import below, circle, cloud, ellipse, glow, gradient, group, hills, line, path, rect, sky

from .layers import FINISH, FULL, Layer, sway, titled


def cat() -> list[Layer]:
    """A cat on a windowsill, on a rainy night."""
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
    return [
        Layer(back),
        Layer(drops, (520, -480, 660, 1040), "0", "480*mod(t,1)-480+0"),
        Layer(frame),
        Layer(curtain, FULL, sway(5, 2)),
        Layer(pot),
        *_cat(),
        titled(
            text("A CAT", 84, 214, Pen(92, 0.16, 0.84, 1.0), "#ffe7c2", "start"),
            text("NAMED", 86, 340, Pen(34, 0.14, 0.95, 2.7), "#ff9fa8", "start"),
            text("TUESDAY", 84, 408, Pen(64, 0.17, 0.74, 0.9), "#ffe7c2", "start"),
        ),
        FINISH,
    ]


def _cat() -> list[Layer]:
    """The cat, who blinks and wags its tail."""
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
        Layer(tail, (980, 380, 140, 170), sway(6, 4), sway(4, 4, 0.2)),
        Layer(body),
        Layer(head, (770, 190, 270, 220), "0", sway(3, 3)),
        Layer(lids, (836, 282, 140, 62), "0", sway(3, 3), when="lt(mod(t+1,3),0.22)"),
    ]


def robot() -> list[Layer]:
    """A robot with an apple in an orchard."""
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
    return [
        Layer(back),
        Layer(clouds, (120, 40, 1400, 200), sway(60)),
        Layer(far + trees),
        Layer(ground),
        Layer(big, (960, 220, 320, 500), sway(4, 1)),
        *_robot(),
        titled(
            text("RUST", 92, 130, Pen(118, 0.19, 0.86, 1.1), "#5a2d22", "start"),
            text("& APPLES", 92, 286, Pen(74, 0.19, 0.8, 1.0), "#c8372f", "start"),
        ),
        FINISH,
    ]


def _robot() -> list[Layer]:
    """The robot, who nods and blinks."""
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
        Layer(group([body, arm], where)),
        Layer(
            group([gradient("metal", ((0, "#f0b259"), (1, "#c2703a"))), head], where),
            (640, 190, 320, 280),
            sway(5),
            nod,
        ),
        Layer(group([lids], where), (710, 304, 184, 80), sway(5), nod, when="lt(mod(t+1.5,4),0.2)"),
    ]
