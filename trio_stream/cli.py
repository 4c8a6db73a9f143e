"""The `trio-stream` command."""

import os
import sys

import click

from trio_stream import __version__
from trio_stream import settings as settings_module
from trio_stream.errors import SettingsError

HYPERCORN = ("-m", "hypercorn", "trio_stream.app:app", "-k", "trio")


@click.group(invoke_without_command=True)
@click.version_option(__version__, prog_name="trio-stream")
@click.pass_context
def main(context: click.Context) -> None:
    """Stream a folder of videos to any browser. Without a command: serve."""
    if context.invoked_subcommand is None:
        context.invoke(serve)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...] = ()) -> None:
    """Start the server; ARGUMENTS go to Hypercorn (`--bind 0.0.0.0:8000`, `--reload`, ...)."""
    _settings_or_exit()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *HYPERCORN, *arguments])  # noqa: S606 - no shell is the point


@main.command()
def check() -> None:
    """Print the settings in force, or what is wrong with them (exit code 2)."""
    rows = settings_module.rows(_settings_or_exit())
    width = max(len(row.variable) for row in rows)
    for row in rows:
        click.echo(f"{row.variable:{width}}  {row.value}  ({'set' if row.chosen else 'default'})")
        click.echo(f"{'':{width}}  {row.about}")


def _settings_or_exit() -> settings_module.Settings:
    try:
        settings = settings_module.load()
        settings.check_videos()
    except SettingsError as error:
        click.echo(f"trio-stream: {error}", err=True)
        raise SystemExit(2) from None
    return settings
