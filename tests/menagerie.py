"""The menagerie of awkward files, which `scripts/menagerie` generates and a cache keeps between runs."""

import functools
import subprocess
import sys
from pathlib import Path

from tests.media_cache import cached_folder, key

SCRIPT = Path(__file__).parents[1] / "scripts" / "menagerie"
LIST = "menagerie.json"
"""The list of all files in the folder, which the script writes last."""


@functools.cache
def menagerie() -> Path:
    """The folder of the files."""
    with cached_folder(f"menagerie-{key(SCRIPT.read_bytes())}") as folder:
        if not (folder / LIST).exists():
            process = subprocess.run(
                [sys.executable, SCRIPT, folder], capture_output=True, text=True, check=False
            )
            assert process.returncode == 0, process.stdout + process.stderr
        return folder
