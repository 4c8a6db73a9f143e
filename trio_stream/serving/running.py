"""Run the server: from its options to its exit status."""

from collections.abc import Sequence

import hypercorn.run
from hypercorn.config import Config
from hypercorn.trio.run import trio_worker
from hypercorn.utils import write_pid_file

from trio_stream.errors import SettingsError
from trio_stream.serving.listening import check_addresses, open_sockets
from trio_stream.serving.options import parse
from trio_stream.serving.supervisor import supervise
from trio_stream.settings import Settings
from trio_stream.telemetry import logs


def serve(arguments: Sequence[str], settings: Settings, *, restart: bool) -> int:
    """Serve with the arguments of Hypercorn's command until stopped. Return the exit status.

    Raises `SettingsError`, `CannotListen`.
    """
    config = parse(arguments)
    if config.use_reloader:
        check_addresses(config)
        return hypercorn.run.run(config)  # it watches the source files and restarts its worker
    sockets = open_sockets(config)
    _write_pid(config)
    if config.workers:
        logs.configure(settings.log_format, settings.log_level)
        return supervise(arguments, config, sockets, restart=restart)
    trio_worker(config, sockets)
    return 0


def _write_pid(config: Config) -> None:
    if config.pid_path is None:
        return
    try:
        write_pid_file(config.pid_path)
    except OSError as error:
        raise SettingsError(f"--pid {config.pid_path}: cannot be written ({error.strerror})") from error
