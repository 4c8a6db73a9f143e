"""For programs that are started as they stand, with the Python of the system: the project's has what they import.

try:
    import trio
except ModuleNotFoundError as missing:
    from own_python import start_again

    start_again(missing, made_by="scripts/serve")
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
OWN = ROOT / ".venv" / "bin" / "python"


def start_again(missing: ModuleNotFoundError, *, made_by: str = "scripts/test") -> NoReturn:
    """Let this process be the same program in the project's Python.

    Ends with 2 where there is none, or where this is it; `made_by` is the script that sets it up.
    """
    if not OWN.exists() or Path(sys.prefix) == OWN.parents[1]:
        print(f"{sys.argv[0]} needs {missing.name}, which {made_by} sets up", file=sys.stderr)
        sys.exit(2)
    os.execv(OWN, [str(OWN), *sys.argv])
