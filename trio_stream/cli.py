"""The `trio-stream` command."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import click

from trio_stream import __version__
from trio_stream import settings as settings_module
from trio_stream.errors import SettingsError, TrioStreamError, first_error

APP = "trio_stream.app:app"

FOR_HYPERCORN = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
"""For commands that accept Hypercorn's arguments."""


@click.group(invoke_without_command=True)
@click.version_option(__version__, prog_name="trio-stream")
@click.pass_context
def main(context: click.Context) -> None:
    """Stream a folder of videos to any browser. The default command is serve."""
    if context.invoked_subcommand is None:
        context.invoke(serve)


@main.command(context_settings=FOR_HYPERCORN)
@click.option(
    "--restart/--no-restart",
    default=True,
    help="Replace a worker that died (with --workers 1 or more), or stop the server.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(restart: bool, arguments: tuple[str, ...]) -> None:
    """Start the server. ARGUMENTS are those of Hypercorn (`--bind 0.0.0.0:8000`, `--workers 2`, `--reload`, ...).

    It serves in this process, or with `--workers N` in N worker processes, which this one supervises.
    """
    settings = _settings_or_exit()
    from trio_stream.serving import running  # noqa: PLC0415 - it takes longer to import than `--help` to run

    try:
        status = running.serve((APP, *arguments), settings, restart=restart)
    except TrioStreamError as error:
        click.echo(f"trio-stream: {error}", err=True)
        status = 2 if isinstance(error, SettingsError) else 1
    raise SystemExit(status)


@main.command(context_settings=FOR_HYPERCORN)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def check(arguments: tuple[str, ...]) -> None:
    """Print the settings, and what would prevent `serve` with these ARGUMENTS from starting (exit code 2)."""
    settings = _settings_or_exit()
    rows = settings_module.rows(settings)
    width = max(len(row.variable) for row in rows)
    for row in rows:
        click.echo(f"{row.variable:{width}}  {row.value}  ({'set' if row.chosen else 'default'})")
        click.echo(f"{'':{width}}  {row.description}")
    _run(lambda console, settings: console.check(settings, (APP, *arguments)))


@main.command()
@click.option(
    "--wait/--no-wait", default=True, help="Also wait until media info, subtitles and artwork are ready."
)
def scan(wait: bool) -> None:
    """Scan all videos now, and show the progress. A running server does it; otherwise this program does."""
    _run(lambda console, settings: console.scan(settings, wait=wait))


@main.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, writable=True, path_type=Path))
def export(file: Path | None) -> None:
    """Write the watch state to FILE as JSON, or print it."""
    _run(lambda console, settings: console.export(settings, file))


@main.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(file: Path) -> None:
    """Import the watch state that `export` wrote to FILE, where it is newer than the stored one."""
    _run(lambda console, settings: console.import_(settings, file))


def _run(command: Callable[[ModuleType, settings_module.Settings], Awaitable[int]]) -> NoReturn:
    """Run a command that works with the library, and exit with its exit code."""
    settings = _settings_or_exit()
    os.environ.setdefault("TRIO_STREAM_LOG_LEVEL", "warning")
    import trio  # noqa: PLC0415 - these take longer to import than the other commands to run

    from trio_stream import console  # noqa: PLC0415 - the same

    try:
        code = trio.run(command, console, settings)
    except* KeyboardInterrupt:
        code = 130
    except* TrioStreamError as group:
        click.echo(f"trio-stream: {first_error(group)}", err=True)
        code = 2
    raise SystemExit(code)


def _settings_or_exit() -> settings_module.Settings:
    try:
        settings = settings_module.load()
        settings.check_videos()
    except SettingsError as error:
        click.echo(f"trio-stream: {error}", err=True)
        raise SystemExit(2) from None
    return settings
