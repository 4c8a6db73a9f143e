"""Adds the built player to each wheel, and requests a Node for the build if there is none.

An editable install builds nothing, so it works without Node and without an npm registry. A server that is started from
it says what is missing.
"""

import inspect
import os
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import player  # hatchling runs this file by its path
from node import WHEEL


class PlayerHook(BuildHookInterface[Any]):
    """The hook that hatchling calls for a wheel, standard or editable."""

    def dependencies(self) -> list[str]:
        """What the build needs besides hatchling."""
        # Hatchling does not say which kind of wheel it means. This function name is from PEP 660. If hatchling called
        # the hook in another way, an editable install would fetch a Node that it does not use.
        frame = inspect.currentframe()
        while frame is not None:
            if frame.f_code.co_name == "get_requires_for_build_editable":
                return []
            frame = frame.f_back
        return [WHEEL] if player.node_is_needed() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the player if it has changed, and add it to the wheel."""
        if version == "editable":
            return
        try:
            player.build()
        except player.PlayerError as error:
            self.app.abort(f"{error.output}The player could not be built: {error}")
        for folder, _, names in os.walk(player.DIST):
            for name in names:
                path = os.path.join(folder, name)
                if name != player.STAMP:
                    build_data["force_include"][path] = os.path.relpath(path, player.ROOT)
