"""For programs that users start with the system's Python: starts them again in the project's, which has their packages.

try:
    import trio
except ModuleNotFoundError as missing:
    from own_python import start_again

    start_again(missing, set_up_by="scripts/serve")
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
OWN = ROOT / ".venv" / "bin" / "python"


def start_again(missing: ModuleNotFoundError, *, set_up_by: str = "scripts/test") -> NoReturn:
    """Replace this process with the same program in the project's Python.

    Exits with status 2 if that does not exist or is already running; `set_up_by` names the script that sets it up.
    """
    if not OWN.exists() or Path(sys.prefix) == OWN.parents[1]:
        print(f"{sys.argv[0]} needs {missing.name}, which {set_up_by} sets up", file=sys.stderr)
        sys.exit(2)
    os.execv(OWN, [str(OWN), *sys.argv])
