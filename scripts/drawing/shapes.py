"""Shapes as SVG, in a scene of 1280 by 720: skies, ridges, trees, clouds, waves."""

import itertools
import math
import random
from collections.abc import Iterable, Sequence

WIDTH, HEIGHT = 1280, 720

Stops = Sequence[tuple[float, str]]


def gradient(name: str, stops: Stops, *, across: bool = False) -> str:
    """A linear gradient, from the top down or from left to right, to be used as `url(#name)`."""
    ends = 'x1="0" y1="0" x2="1" y2="0"' if across else 'x1="0" y1="0" x2="0" y2="1"'
    return f'<linearGradient id="{name}" {ends}>{_stops(stops)}</linearGradient>'


def _stops(stops: Stops) -> str:
    return "".join(f'<stop offset="{at}" stop-color="{colour}"/>' for at, colour in stops)


def sky(stops: Stops) -> str:
    """All of the scene, in a gradient from the top down."""
    return (
        gradient("sky", stops)
        + f'<rect x="-200" y="-60" width="{WIDTH + 400}" height="{HEIGHT + 120}" fill="url(#sky)"/>'
    )


def glow(x: float, y: float, radius: float, colour: str, strength: float = 1.0) -> str:
    """Light around a point, which fades outwards."""
    name = f"glow{int(x)}-{int(y)}-{int(radius)}-{colour[1:]}"
    stops = "".join(
        f'<stop offset="{at}" stop-color="{colour}" stop-opacity="{strength * part:.3f}"/>'
        for at, part in ((0, 1), (0.25, 0.55), (0.5, 0.22), (0.75, 0.06), (1, 0))
    )
    return (
        f'<radialGradient id="{name}">{stops}</radialGradient>'
        f'<circle cx="{x}" cy="{y}" r="{radius}" fill="url(#{name})"/>'
    )


def circle(x: float, y: float, radius: float, colour: str, more: str = "") -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}" {more}/>'


def ellipse(x: float, y: float, rx: float, ry: float, colour: str, more: str = "") -> str:
    return f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{rx:.1f}" ry="{ry:.1f}" fill="{colour}" {more}/>'


def rect(
    x: float, y: float, width: float, height: float, colour: str, radius: float = 0, more: str = ""
) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius}" '
        f'fill="{colour}" {more}/>'
    )


def path(d: str, colour: str, more: str = "") -> str:
    return f'<path d="{d}" fill="{colour}" {more}/>'


def line(d: str, colour: str, width: float, more: str = "") -> str:
    return (
        f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round" '
        f'stroke-linejoin="round" {more}/>'
    )


def group(parts: Iterable[str], transform: str = "", more: str = "") -> str:
    return f'<g transform="{transform}" {more}>{"".join(parts)}</g>'


def stars(seed: int, number: int, bottom: float, colour: str = "#ffffff") -> str:
    chance = random.Random(seed)
    return "".join(
        circle(
            chance.uniform(-40, WIDTH + 40),
            bottom * chance.random() ** 1.3,
            chance.choice((0.8, 1.0, 1.2, 1.6, 2.2)),
            colour,
            f'opacity="{chance.uniform(0.25, 0.95):.2f}"',
        )
        for _ in range(number)
    )


def ridge_points(
    seed: int, y: float, height: float, rough: float = 0.5, left: float = -160, right: float = WIDTH + 160
) -> list[tuple[float, float]]:
    """The line of a ridge by midpoint displacement: `rough` from 0.3 (hills) to 0.65 (rocks)."""
    chance = random.Random(seed)
    points = [y + chance.uniform(-1, 1) * height for _ in range(4)]
    spread = height
    while len(points) < 190:
        spread *= rough
        between = [
            (one + other) / 2 + chance.uniform(-1, 1) * spread for one, other in itertools.pairwise(points)
        ]
        points = [each for pair in zip(points, between, strict=False) for each in pair] + [points[-1]]
    step = (right - left) / (len(points) - 1)
    return [(left + step * index, each) for index, each in enumerate(points)]


def below(points: Sequence[tuple[float, float]], colour: str, bottom: float = HEIGHT + 60) -> str:
    """All that is under a line."""
    drawn = "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return path(f"M{points[0][0]:.1f},{bottom}L{drawn}L{points[-1][0]:.1f},{bottom}Z", colour)


def hills(
    y: float,
    height: float,
    waves: float,
    phase: float,
    colour: str,
    left: float = -160,
    right: float = WIDTH + 160,
) -> str:
    """Soft hills: the sum of two sines."""
    points = []
    for step in range(121):
        x = left + (right - left) * step / 120
        at = 2 * math.pi * waves * x / WIDTH + phase
        points.append((x, y - height * (0.7 * math.sin(at) + 0.3 * math.sin(2.3 * at + 1))))
    return below(points, colour)


def pine(x: float, y: float, height: float, colour: str) -> str:
    """A fir tree that stands at a point."""
    parts = [rect(x - height * 0.025, y - height * 0.12, height * 0.05, height * 0.14, colour)]
    for level in range(4):
        top, bottom = y - height * (1 - 0.2 * level), y - height * (0.56 - 0.155 * level)
        half = height * (0.12 + 0.055 * level)
        parts.append(
            path(
                f"M{x:.1f},{top:.1f}Q{x + half * 0.35:.1f},{bottom - height * 0.1:.1f} {x + half:.1f},{bottom:.1f}"
                f"Q{x:.1f},{bottom - height * 0.05:.1f} {x - half:.1f},{bottom:.1f}"
                f"Q{x - half * 0.35:.1f},{bottom - height * 0.1:.1f} {x:.1f},{top:.1f}Z",
                colour,
            )
        )
    return "".join(parts)


def cloud(x: float, y: float, size: float, colour: str, opacity: float = 1.0) -> str:
    """A cloud with a flat base."""
    puffs = (
        (-0.9, -0.18, 0.3),
        (-0.5, -0.38, 0.42),
        (0.02, -0.56, 0.58),
        (0.52, -0.34, 0.4),
        (0.92, -0.16, 0.28),
    )
    parts = [circle(x + dx * size, y + dy * size, r * size, colour) for dx, dy, r in puffs]
    parts.append(rect(x - 1.2 * size, y - 0.3 * size, 2.4 * size, 0.42 * size, colour, 0.21 * size))
    return group(parts, more=f'opacity="{opacity}"')


def waves(
    y: float, height: float, length: float, colour: str, left: float = -240, right: float = WIDTH + 240
) -> str:
    """Water whose surface is a row of crests."""
    count = math.ceil((right - left) / length)
    crests = "".join(
        f"q{length * 0.3:.1f},{height:.1f} {length / 2:.1f},0t{length / 2:.1f},0" for _ in range(count)
    )
    return path(f"M{left},{y}{crests}V{HEIGHT + 60}H{left}Z", colour)


def bird(x: float, y: float, size: float, colour: str) -> str:
    return line(
        f"M{x - size},{y - size * 0.25}Q{x - size * 0.45},{y - size * 0.6} {x},{y}"
        f"Q{x + size * 0.45},{y - size * 0.6} {x + size},{y - size * 0.25}",
        colour,
        max(1.6, size * 0.16),
    )


def vignette(strength: float = 0.45) -> str:
    return (
        '<radialGradient id="vignette" cx="0.5" cy="0.46" r="0.78"><stop offset="0.55" stop-color="#000" stop-opacity="0"/>'
        f'<stop offset="1" stop-color="#000" stop-opacity="{strength}"/></radialGradient>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#vignette)"/>'
    )


def grain(strength: float = 0.10) -> str:
    """Grain of paper, which also hides the steps of gradients."""
    return (
        '<filter id="grain" x="0" y="0" width="100%" height="100%"><feTurbulence type="fractalNoise" '
        'baseFrequency="0.9" numOctaves="2" seed="7"/><feColorMatrix values="0 0 0 0 0.5  0 0 0 0 0.5  0 0 0 0 0.5  '
        f'{strength * 3:.3f} 0 0 0 {-strength:.3f}"/></filter>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" filter="url(#grain)"/>'
    )
