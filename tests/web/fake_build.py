"""A small player that is only for tests, with the same files as a build of the real one."""

import gzip
from pathlib import Path

INDEX = (
    b'<!doctype html><title>Trio Stream</title><script type="module" src="/assets/index-a1b2.js"></script>'
)
SCRIPT = b"console.log('a player');\n" * 100
COMPRESSED = gzip.compress(SCRIPT, mtime=0)
ASSETS = {
    "index-a1b2.js": SCRIPT,
    "index-a1b2.js.gz": COMPRESSED,
    "index-c3d4.css": b"body { margin: 0 }",
    "icon-e5f6.svg": b"<svg/>",
    "font-0718.woff2": b"wOF2",
    "what-93a4.ever": b"?",
}


def build(folder: Path) -> Path:
    """Write a player below `folder`, and return its folder: `PLAYER` for `tests.web.player_app`."""
    dist = folder / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_bytes(INDEX)
    for name, content in ASSETS.items():
        (dist / "assets" / name).write_bytes(content)
    (dist / "secret.js").write_bytes(b"not an asset")
    return dist
