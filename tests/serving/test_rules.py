"""Exit codes of workers, the pauses before restarts, and the options of the operator."""

import signal
from pathlib import Path

import pytest

from trio_stream.backoff import LONGEST_PAUSE, Backoff
from trio_stream.errors import SettingsError
from trio_stream.serving.endings import describe, exit_status
from trio_stream.serving.options import parse

APP = "trio_stream.app:app"


@pytest.mark.parametrize(
    ("code", "description", "status"),
    [
        (0, "exit code 0", 0),
        (1, "exit code 1", 1),
        (-signal.SIGKILL, "SIGKILL (perhaps out of memory)", 137),
        (-signal.SIGSEGV, "SIGSEGV", 139),
        (-(signal.SIGRTMIN + 1), f"signal {signal.SIGRTMIN + 1}", 128 + signal.SIGRTMIN + 1),
    ],
)
def test_how_an_exit_code_is_described(code: int, description: str, status: int) -> None:
    assert describe(code) == description
    assert exit_status(code) == status


def test_pauses_grow_until_a_process_lives_long() -> None:
    backoff = Backoff()
    assert [backoff.after(1) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff.after(LONGEST_PAUSE) == 60
    assert [backoff.after(lived) for lived in (LONGEST_PAUSE + 1, 1, 1)] == [1, 2, 4]


@pytest.mark.parametrize(
    ("arguments", "workers", "keep_alive"),
    [
        ([], 0, 15),
        (["-w", "2"], 2, 15),
        (["-w0", "--keep-alive", "3"], 0, 3),
        (["--reload"], 1, 15),
        (["-c", "nothing.toml"], 0, 15),
        (["-c", "something.toml"], 3, 7),
        (["-c", "something.toml", "--workers", "1"], 1, 7),
        (["--config=file:something.py"], 2, 15),
        (["--root-path", "/videos"], 0, 15),
    ],
)
def test_workers_and_keep_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], workers: int, keep_alive: float
) -> None:
    """The keep-alive timeout is longer than a player's reporting interval. Options override the file, and both override
    our defaults."""
    monkeypatch.chdir(tmp_path)
    Path("nothing.toml").write_text('bind = "127.0.0.1:1"\n')
    Path("something.toml").write_text("workers = 3\nkeep_alive_timeout = 7\n")
    Path("something.py").write_text("workers = 2\nno_pickle = lambda: None\n")
    config = parse([APP, *arguments])
    assert (config.workers, config.keep_alive_timeout) == (workers, keep_alive)
    assert (config.worker_class, config.application_path) == ("trio", APP)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-c", "none.toml"], r"--config none\.toml: .*No such file"),
        (["--config=bad.toml"], r"--config bad\.toml: .*TOMLDecodeError.*line 1"),
        (["-c", "python:no_module_of_this_name.at_all"], r"--config python:no_module.*ModuleNotFoundError"),
        (["-c", "file:bad.toml"], r"--config file:bad\.toml: "),
        (["-c", "many.toml"], "--workers is 'many'"),
        (["-w", "-1"], "--workers is -1: it must be a whole number"),
        (["--reload", "-w", "0"], "--reload needs a worker"),
    ],
)
def test_invalid_options_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text("workers\n")
    Path("many.toml").write_text('workers = "many"\n')
    with pytest.raises(SettingsError, match=message):
        parse([APP, *arguments])


def test_a_wrong_argument_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        parse([APP, "--bnid", "127.0.0.1:0"])
    assert exited.value.code == 2
    assert "unrecognized arguments: --bnid" in capsys.readouterr().err
