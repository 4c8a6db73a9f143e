"""What the end of a process says, as `multiprocessing` has it: an exit code, or minus the number of a signal."""

import signal

HINTS = {signal.SIGKILL: "perhaps out of memory"}


def describe(code: int) -> str:
    """Of what it ended, for people."""
    if code >= 0:
        return f"exit code {code}"
    try:
        number = signal.Signals(-code)
    except ValueError:  # one of the real-time signals
        return f"signal {-code}"
    hint = HINTS.get(number)
    return number.name if hint is None else f"{number.name} ({hint})"


def exit_status(code: int) -> int:
    """The exit status that passes it on: 128 and the number of the signal, as shells have it."""
    return code if code >= 0 else 128 - code
