"""Options for addresses, TLS and workers. They are Hypercorn's options, and Hypercorn parses them."""

import argparse
from collections.abc import Sequence

import hypercorn.__main__
from hypercorn.config import Config

from trio_stream.errors import SettingsError

WORKERS = 0
"""The default: serve in the process that was started, without workers."""

KEEP_ALIVE = 15.0
"""Seconds. A player reports its position every 10 s; with Hypercorn's default of 5 it would reconnect each time."""


def parse(arguments: Sequence[str]) -> Config:
    """Parse the arguments of Hypercorn's command, including the application, and the file given with `-c`.

    Our own defaults apply to options that neither sets.

    Raises `SettingsError` if the file cannot be read. For a wrong argument it prints the usage and exits with status 2.
    """
    parsed: list[Config] = []

    def keep(config: Config) -> int:
        parsed.append(config)
        return 0

    # Hypercorn has no function that only parses: its command parses and then calls `run`, which is replaced here.
    command = vars(hypercorn.__main__)
    run = command["run"]
    command["run"] = keep
    try:
        hypercorn.__main__.main(list(arguments))
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        raise SettingsError(f"--config {_config_file(arguments)}: cannot be used ({reason})") from error
    finally:
        command["run"] = run
    [config] = parsed
    config.worker_class = "trio"
    given = vars(config)  # without the defaults, which are attributes of the class
    if "keep_alive_timeout" not in given:
        config.keep_alive_timeout = KEEP_ALIVE
    if "workers" not in given:
        config.workers = 1 if config.use_reloader else WORKERS
    if type(config.workers) is not int or config.workers < 0:
        raise SettingsError(f"--workers is {config.workers!r}: it must be a whole number, 0 or more")
    if config.use_reloader and not config.workers:
        raise SettingsError("--reload needs a worker: remove --workers 0")
    return config


def _config_file(arguments: Sequence[str]) -> str | None:
    """The file given with `-c`."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-c", "--config")
    config: str | None = parser.parse_known_args(arguments)[0].config
    return config
