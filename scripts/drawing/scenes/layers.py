"""The layers of a scene, how they move, and the parts that all scenes share."""

from dataclasses import dataclass

from drawing.letters import Pen
from drawing.person import Person
from drawing.shapes import HEIGHT, WIDTH, grain, vignette

PERIOD = 12
"""After this many seconds a scene is the same as at its start, so it can be repeated."""

Box = tuple[int, int, int, int]
"""Left, top, width and height."""
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
    """If given, the layer is shown only while this is not 0."""
    title: bool = False


def sway(amount: float, times: int = 1, phase: float = 0.0) -> str:
    """Back and forth, `times` times per period."""
    return f"{amount}*sin(2*PI*({times}*t/{PERIOD}+{phase}))"


def travel(start: float, end: float, times: int = 1, phase: float = 0.0) -> str:
    """From one place to another, then again from the start."""
    return f"{start}+{end - start}*mod({times}*t/{PERIOD}+{phase},1)"


def blink(phase: float = 0.0) -> str:
    """True for a sixth of a second, every four seconds."""
    return f"lt(mod(t+{phase},4),0.16)"


def speaking(start: float, end: float) -> str:
    """True while the mouth is open: on most syllables between two times of a period."""
    return f"between(mod(t,{PERIOD}),{start},{end})*gt(sin(t*14)+0.6*sin(t*9),-0.2)"


def person(one: Person, *, phase: float = 0.0, speaks: tuple[float, float] | None = None) -> list[Layer]:
    """A person who blinks and, if `speaks` is given, talks between these times of a period."""
    layers = [
        Layer(one.back() + one.body() + one.head() + one.mouth()),
        Layer(one.lids(), one.lids_box(), when=blink(phase)),
    ]
    if speaks:
        layers.append(Layer(one.talking(), one.mouth_box(), when=speaking(*speaks)))
    return layers


def titled(*parts: str) -> Layer:
    """The title of a film, which only its first part shows."""
    return Layer("".join(parts), title=True)


FINISH = Layer(vignette() + grain())
"""The last layer of each scene."""

SMALL = Pen(17, 0.12, 1.0, 3.2)
"""The pen for the line below a title."""
