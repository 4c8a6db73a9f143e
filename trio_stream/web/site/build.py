"""The built player, as it is sent: read once, when the server starts, and kept.

Invariant: what is kept is one whole build, so a page and its scripts belong together whatever is built meanwhile, and
no name that a client chose is ever looked up on the disk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from trio_stream.web.site.views import Asset, read_asset

DIST = Path(__file__).parents[2] / "player" / "dist"
"""Where the player is built (`scripts/player.py`), and where it lies in an installed package."""

log = structlog.get_logger("trio_stream.web")


@dataclass(frozen=True, slots=True)
class Build:
    """A built player; without `index` there is none. `gzipped` are those assets that are smaller so."""

    index: Asset | None = None
    assets: Mapping[str, Asset] = field(default_factory=dict)
    gzipped: Mapping[str, Asset] = field(default_factory=dict)


def read_build(folder: Path) -> Build:
    """The build in `folder`. That there is none is logged, and no reason not to serve."""
    try:
        index = read_asset(folder / "index.html", "index.html")
        files = {
            path.name: read_asset(path, path.name.removesuffix(".gz"))
            for path in (folder / "assets").iterdir()
        }
    except OSError as error:
        about = {"folder": str(folder), "reason": error.strerror, "remedy": "scripts/player build"}
        log.warning("the player is not built: browsers are shown how to do that", **about)
        return Build()
    plain = {name: asset for name, asset in files.items() if not name.endswith(".gz")}
    gzipped = {name: files[f"{name}.gz"] for name in plain if f"{name}.gz" in files}
    return Build(index, plain, gzipped)
