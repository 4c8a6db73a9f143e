"""The menagerie of awkward files, made by `scripts/menagerie` and kept from run to run."""

import functools
import subprocess
import sys
from pathlib import Path

from tests.kept import kept_folder, key

SCRIPT = Path(__file__).parents[1] / "scripts" / "menagerie"
LIST = "menagerie.json"
"""What the script writes last: of all files in the folder."""


@functools.cache
def menagerie() -> Path:
    """The folder of the files."""
    with kept_folder(f"menagerie-{key(SCRIPT.read_bytes())}") as folder:
        if not (folder / LIST).exists():
            made = subprocess.run(
                [sys.executable, SCRIPT, folder], capture_output=True, text=True, check=False
            )
            assert made.returncode == 0, made.stdout + made.stderr
        return folder
