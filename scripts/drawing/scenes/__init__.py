"""The scenes: each is a list of layers from back to front, some of which move.

A scene is 1280 by 720. It ends as it began, after `PERIOD` seconds, so it can be repeated.
"""

from .characters import cat, robot
from .landscapes import desert, mountains
from .layers import PERIOD, Box, Layer
from .people import coffees, lanterns, portrait
from .railways import city, train
from .saltwater import SALTWATER
from .sea import lighthouse, whale
from .skies import aurora, balloons, orbit

__all__ = ["PERIOD", "SALTWATER", "Box", "Layer", "all_scenes"]


def all_scenes() -> dict[str, list[Layer]]:
    """All scenes by their names."""
    single = (
        lighthouse, mountains, city, train, coffees, cat, whale, desert, orbit, robot, aurora, balloons, lanterns, portrait
    )  # fmt: skip
    return {each.__name__: each() for each in single} | {name: each() for name, each in SALTWATER.items()}
