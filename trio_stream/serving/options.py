"""What the operator says of addresses, TLS and workers, in the words of Hypercorn and read by Hypercorn itself."""

import argparse
from collections.abc import Sequence

import hypercorn.__main__
from hypercorn.config import Config

from trio_stream.errors import SettingsError

WORKERS = 0
"""One process, the one that was started, unless the operator says how many workers there should be."""

KEEP_ALIVE = 15.0
"""Seconds. A player says every 10 s where it is; Hypercorn's own 5 would have it connect anew each time."""


def parse(arguments: Sequence[str]) -> Config:
    """What the arguments of Hypercorn's command say, the application among them, and the file that `-c` names.

    Where neither says otherwise, our own defaults count.

    Raises `SettingsError` for a file that cannot be read. For a wrong argument it prints the usage and exits with 2.
    """
    parsed: list[Config] = []

    def keep(config: Config) -> int:
        parsed.append(config)
        return 0

    # Hypercorn has no function that only parses: its command parses, and then calls what this module calls `run`.
    command = vars(hypercorn.__main__)
    run = command["run"]
    command["run"] = keep
    try:
        hypercorn.__main__.main(list(arguments))
    except Exception as error:
        why = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        raise SettingsError(f"--config {_config_file(arguments)}: cannot be used ({why})") from error
    finally:
        command["run"] = run
    [config] = parsed
    config.worker_class = "trio"
    said = vars(config)  # the defaults are those of the class
    if "keep_alive_timeout" not in said:
        config.keep_alive_timeout = KEEP_ALIVE
    if "workers" not in said:
        config.workers = 1 if config.use_reloader else WORKERS
    if type(config.workers) is not int or config.workers < 0:
        raise SettingsError(f"--workers is {config.workers!r}: a whole number is needed, 0 or more")
    if config.use_reloader and not config.workers:
        raise SettingsError("--reload needs a worker: leave --workers 0 out")
    return config


def _config_file(arguments: Sequence[str]) -> str | None:
    """What `-c` names."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-c", "--config")
    config: str | None = parser.parse_known_args(arguments)[0].config
    return config
