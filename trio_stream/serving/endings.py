"""Describe how a process ended, from the code `multiprocessing` gives: an exit code, or minus a signal number."""

import signal

HINTS = {signal.SIGKILL: "perhaps out of memory"}


def describe(code: int) -> str:
    """Return how the process ended, as text."""
    if code >= 0:
        return f"exit code {code}"
    try:
        number = signal.Signals(-code)
    except ValueError:  # one of the real-time signals
        return f"signal {-code}"
    hint = HINTS.get(number)
    return number.name if hint is None else f"{number.name} ({hint})"


def exit_status(code: int) -> int:
    """Return the exit status that shells use for it: 128 plus the signal number for a signal."""
    return code if code >= 0 else 128 - code
