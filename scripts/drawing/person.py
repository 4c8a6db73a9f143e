"""People as SVG: a bust with a face that can blink and talk."""

import math
from dataclasses import dataclass

from .shapes import circle, ellipse, group, line, path, rect


@dataclass(frozen=True)
class Person:
    """A bust with a drawn face. Its middle is the tip of the nose; the head is about 200 high where `size` is 1."""

    x: float
    y: float
    size: float
    skin: str
    shade: str
    hair: str
    style: str
    clothes: str
    collar: str = ""
    look: float = 0.0
    """Where the face is turned to: -1 is left, 1 is right."""
    glasses: str = ""
    brows: float = 0.0
    lips: str = "#9f4038"
    beard: str = ""
    smile: float = 1.0

    def placed(self, *parts: str) -> str:
        return group(parts, f"translate({self.x} {self.y}) scale({self.size})")

    def box(self, left: float, top: float, width: float, height: float) -> tuple[int, int, int, int]:
        """A part of it, in the coordinates of the scene; on even pixels, as video has them."""
        corner = (self.x + left * self.size, self.y + top * self.size)
        x, y = (int(each // 2 * 2) for each in corner)
        return x, y, int(width * self.size // 2 * 2 + 4), int(height * self.size // 2 * 2 + 4)

    def _eyes(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The place and the size of either eye, which the turn of the head brings nearer to its edge."""
        return (-34 + 20 * self.look, 1 - 0.18 * max(0, -self.look)), (
            34 + 20 * self.look,
            1 - 0.18 * max(0, self.look),
        )

    def body(self) -> str:
        """Shoulders and neck, which do not move."""
        parts = [
            path(
                "M-36,70L-36,132Q-40,150 -118,168Q-176,184 -186,330H186Q176,184 118,168Q40,150 36,132V70Z",
                self.clothes,
            ),
            path("M-36,60V134Q0,172 36,134V60Z", self.shade),
        ]
        if self.style == "hood":
            parts += [
                path(
                    "M-66,122L-6,190L-20,220L-112,158Z",
                    self.clothes,
                    f'stroke="{self.collar}" stroke-width="4"',
                ),
                path(
                    "M66,122L6,190L20,220L112,158Z", self.clothes, f'stroke="{self.collar}" stroke-width="4"'
                ),
                line("M0,196V330", self.collar, 5),
                *(line(f"M-20,{y}H20", "#7a4a20", 9) for y in (244, 290)),
            ]
        elif self.collar:
            parts.append(line("M-58,146Q0,206 58,146", self.collar, 17))
        return self.placed(*parts)

    def back(self) -> str:
        """Hair behind the head."""
        match self.style:
            case "long":
                return self.placed(
                    path(
                        "M-96,-40C-104,-150 104,-150 96,-40C104,40 110,120 122,176H60L40,60H-40L-60,176H-122C-110,120 -104,40 -96,-40Z",
                        self.hair,
                    )
                )
            case "bun":
                return self.placed(
                    circle(-18 * self.look, -146, 42, self.hair), ellipse(0, -30, 92, 92, self.hair)
                )
            case "hood":
                return self.placed(
                    path("M-132,196C-164,60 -146,-156 0,-166C146,-156 164,60 132,196Z", self.clothes),
                    path("M-102,190C-130,40 -116,-124 0,-132C116,-124 130,40 102,190Z", self.collar),
                    path("M-90,150C-100,40 -60,0 0,0C60,0 100,40 90,150Z", self.hair),
                )
            case "curls":
                places = [(math.cos(math.radians(a)), math.sin(math.radians(a))) for a in range(150, 391, 24)]
                return self.placed(
                    *(circle(86 * cx, -34 + 78 * cy, 44, self.hair) for cx, cy in places),
                    ellipse(0, -48, 92, 84, self.hair),
                )
        return ""

    def head(self) -> str:
        """The head without what moves in it: lids and lips."""
        turn = 20 * self.look
        ear = (
            "<g>"
            + "".join(
                ellipse(side * 84 - turn * 0.5, 6, 15, 22, self.skin)
                + ellipse(side * 84 - turn * 0.5, 6, 7, 12, self.shade)
                for side in (-1, 1)
                if side * self.look <= 0.2
            )
            + "</g>"
        )
        parts = [
            ear,
            path("M-82,-30C-82,-128 82,-128 82,-30C82,40 58,102 0,106C-58,102 -82,40 -82,-30Z", self.skin),
            ellipse(-44 + turn, 40, 19, 12, "#e2574c", 'opacity="0.28"'),
            ellipse(44 + turn, 40, 19, 12, "#e2574c", 'opacity="0.28"'),
        ]
        if self.beard:
            parts.append(
                path(
                    "M-82,-4C-80,66 -56,122 0,124C56,122 80,66 82,-4C70,44 46,40 28,40Q0,28 -28,40C-46,40 -70,44 -82,-4Z",
                    self.beard,
                )
            )
        for (x, wide), side in zip(self._eyes(), (-1, 1), strict=True):
            parts += [
                ellipse(x, 0, 15 * wide, 16, "#fffaf2"),
                circle(x + 5.5 * self.look, 2, 9.5, "#241a1c"),
                circle(x + 5.5 * self.look + 3, -2, 3, "#ffffff"),
                path(
                    f"M{x - 18 * wide},-4Q{x - 16 * wide},-20 {x},-20Q{x + 16 * wide},-20 {x + 18 * wide},-4"
                    f"Q{x},-15 {x - 18 * wide},-4Z",
                    self.skin,
                ),
                line(f"M{x - 16 * wide},-5Q{x},-15 {x + 16 * wide},-5", "#241a1c", 4),
                line(
                    f"M{x - 19 * wide},{-30 + side * self.brows * 6}Q{x},{-41} {x + 19 * wide},{-30 - side * self.brows * 6}",
                    self.beard or (self.shade if self.style in {"bun", "beanie"} else self.hair),
                    6,
                ),
            ]
        tip = 9 * self.look
        parts.append(
            line(
                f"M{turn - 1},4Q{turn + 9 + tip},28 {turn + tip},33Q{turn - 6},35 {turn - 10},31",
                self.shade,
                5,
            )
        )
        parts.append(self._fringe())
        if self.glasses:
            parts += [
                circle(
                    x,
                    1,
                    29 * (0.5 + wide / 2),
                    "rgba(255,255,255,0.12)",
                    f'stroke="{self.glasses}" stroke-width="5"',
                )
                for x, wide in self._eyes()
            ]
            parts.append(line(f"M{turn - 6},-3Q{turn},-8 {turn + 6},-3", self.glasses, 5))
        return self.placed(*parts)

    def _fringe(self) -> str:
        match self.style:
            case "short":
                return path(
                    "M-88,-20C-96,-136 96,-148 90,-20C84,-52 78,-66 62,-76C30,-58 -20,-62 -52,-84C-76,-64 -84,-46 -88,-20Z",
                    self.hair,
                )
            case "long":
                return path(
                    "M-90,-8C-98,-142 98,-142 90,-8C84,-52 60,-84 12,-94C-20,-62 -74,-58 -90,-8Z", self.hair
                )
            case "bun":
                return path(
                    "M-88,-14C-92,-134 92,-134 88,-14C80,-60 44,-84 0,-86C-44,-84 -80,-60 -88,-14Z", self.hair
                )
            case "curls":
                return "".join(
                    circle(x, y, 28, self.hair)
                    for x, y in ((-66, -70), (-30, -92), (14, -96), (54, -80), (78, -56))
                )
            case "beanie":
                return (
                    path("M-90,-46C-92,-158 92,-158 90,-46Z", self.hair)
                    + rect(-98, -64, 196, 34, self.collar or self.shade, 16)
                    + circle(0, -146, 20, self.collar or self.shade)
                )
            case "hood":
                return path(
                    "M-86,52C-104,-60 -70,-120 0,-122C70,-120 104,-60 86,52C80,0 66,-42 38,-70C4,-44 -50,-52 -68,-30C-76,0 -78,24 -86,52Z",
                    self.hair,
                )
        return ""

    def lids(self) -> str:
        """Closed eyes, to be shown for a moment."""
        return self.placed(
            *(
                ellipse(x, 0, 17 * wide, 18, self.skin)
                + line(f"M{x - 14 * wide},4Q{x},12 {x + 14 * wide},4", "#241a1c", 4)
                for x, wide in self._eyes()
            )
        )

    def lids_box(self) -> tuple[int, int, int, int]:
        return self.box(-80, -24, 164, 48)

    def mouth(self) -> str:
        x = 18 * self.look
        return self.placed(line(f"M{x - 21},62Q{x},{62 + 16 * self.smile} {x + 21},62", self.lips, 6))

    def talking(self) -> str:
        """An open mouth over the closed one."""
        x = 18 * self.look
        return self.placed(
            ellipse(x, 66, 29, 19, self.beard or self.skin),
            path(f"M{x - 21},60Q{x},54 {x + 21},60Q{x + 16},86 {x},86Q{x - 16},86 {x - 21},60Z", "#6b1f24"),
            path(f"M{x - 15},61Q{x},57 {x + 15},61L{x + 12},66H{x - 12}Z", "#fffaf2"),
            ellipse(x, 80, 10, 5, "#d9646a"),
        )

    def mouth_box(self) -> tuple[int, int, int, int]:
        return self.box(-54, 44, 110, 48)
