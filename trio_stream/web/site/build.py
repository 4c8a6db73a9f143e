"""The built player, read into memory once, when the server starts.

Invariant: what is in memory is one complete build, so a page and its scripts belong together even if the player
is built again, and no file name that a client sends is looked up on the disk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from trio_stream.web.site.views import Asset, read_asset

DIST = Path(__file__).parents[2] / "player" / "dist"
"""Where `scripts/player.py` builds the player, and where it is in an installed package."""

log = structlog.get_logger("trio_stream.web")


@dataclass(frozen=True, slots=True)
class Build:
    """A built player; without `index` it is not built. `gzipped` has the assets that gzip makes smaller."""

    index: Asset | None = None
    assets: Mapping[str, Asset] = field(default_factory=dict)
    gzipped: Mapping[str, Asset] = field(default_factory=dict)


def read_build(folder: Path) -> Build:
    """Read the build in `folder`. If there is none, log a warning and serve without it."""
    try:
        index = read_asset(folder / "index.html", "index.html")
        files = {
            path.name: read_asset(path, path.name.removesuffix(".gz"))
            for path in (folder / "assets").iterdir()
        }
    except OSError as error:
        log.warning(
            "the player is not built; the pages explain how to build it",
            folder=str(folder),
            reason=error.strerror,
            remedy="scripts/player build",
        )
        return Build()
    plain = {name: asset for name, asset in files.items() if not name.endswith(".gz")}
    gzipped = {name: files[f"{name}.gz"] for name in plain if f"{name}.gz" in files}
    return Build(index, plain, gzipped)
