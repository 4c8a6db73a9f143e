"""The command line: what it prints, and how it exits."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support import START_DEADLINE, STOP_DEADLINE, wait_for
from trio_stream.settings import Settings

PROGRAM = (str(Path(sys.executable).with_name("trio-stream")),)
MODULE = (sys.executable, "-m", "trio_stream")
HYPERCORN = (sys.executable, "-m", "hypercorn", "trio_stream.app:app", "-k", "trio", "--bind", "127.0.0.1:0")
ANYWHERE = ("--bind", "127.0.0.1:0")
BIND = ("serve", *ANYWHERE)
CHECK = (*PROGRAM, "check", *ANYWHERE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with an empty library."""
    (tmp_path / "videos").mkdir()
    return tmp_path


def environment(folder: Path, **variables: str) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("TRIO_STREAM_")}
    return {**inherited, "TRIO_STREAM_DATA": str(folder / "data"), **variables}


def run(command: tuple[str, ...], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `command` until it exits."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(folder, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@contextmanager
def serving(
    command: tuple[str, ...], folder: Path, **variables: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address and the process of a server that runs during the block."""
    log = folder / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(folder, **variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )

    def address() -> str | None:
        text = log.read_text(errors="replace")
        assert process.poll() is None, f"the server ended:\n{text}"
        found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", text)
        return found[1] if found else None

    try:
        yield wait_for(address, START_DEADLINE, "the server to start"), process
    finally:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.wait()


def assert_one_clear_line(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    assert ended.stdout == ""
    [line] = ended.stderr.splitlines()
    assert line.startswith("trio-stream: "), line
    for word in words:
        assert word in line


def parse_check(text: str) -> Mapping[str, tuple[str, str]]:
    """The settings that `check` printed: the value and its source, by variable."""
    found = re.findall(r"^(TRIO_STREAM_\w+) +(.*?)  \((\w+)\)\n +(\S.*\.)$", text, re.MULTILINE)
    return {variable: (value, origin) for variable, value, origin, _ in found}


@pytest.mark.parametrize("program", [PROGRAM, MODULE], ids=["trio-stream", "python -m"])
def test_check_prints_each_setting(folder: Path, program: tuple[str, ...]) -> None:
    (folder / "trio_stream.toml").write_text('log_format = "json"\n', encoding="utf-8")
    ended = run(
        (*program, "check", *ANYWHERE),
        folder,
        TRIO_STREAM_MAX_STREAMS="7",
        TRIO_STREAM_CORS_ORIGINS="http://b,http://a",
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    settings = parse_check(ended.stdout)
    assert list(settings) == [f"TRIO_STREAM_{each.name.upper()}" for each in fields(Settings)]
    assert len(ended.stdout.splitlines()) == 2 * len(settings)
    assert settings["TRIO_STREAM_VIDEOS"] == (str(folder / "videos"), "default")
    assert settings["TRIO_STREAM_DATA"] == (str(folder / "data"), "set")
    assert settings["TRIO_STREAM_MAX_STREAMS"] == ("7", "set")
    assert settings["TRIO_STREAM_CORS_ORIGINS"] == ("http://a, http://b", "set")
    assert settings["TRIO_STREAM_LOG_FORMAT"] == ("json", "set")
    assert settings["TRIO_STREAM_SEND_TIMEOUT"] == ("60", "default")


WAYS = [
    pytest.param(CHECK, id="check"),
    pytest.param((*PROGRAM, *BIND), id="serve"),
    pytest.param(PROGRAM, id="no command"),
    pytest.param(MODULE, id="python -m"),
    pytest.param((*HYPERCORN, "--workers", "0"), id="hypercorn without workers"),
]


@pytest.mark.parametrize("command", WAYS)
@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"TRIO_STREAM_MAX_STREAMS": "many"},
            ["TRIO_STREAM_MAX_STREAMS", "'many'", "it must be a whole number"],
        ),
        ({"TRIO_STREAM_VIDEOS": "/nowhere/at all"}, ["TRIO_STREAM_VIDEOS=/nowhere/at all", "cannot be read"]),
    ],
    ids=["wrong number", "missing folder"],
)
def test_a_wrong_setting_prevents_every_way_of_starting(
    folder: Path, command: tuple[str, ...], variables: dict[str, str], words: list[str]
) -> None:
    ended = run(command, folder, **variables)
    assert ended.returncode == 2
    assert_one_clear_line(ended, *words)


def test_a_wrong_setting_stops_hypercorn_with_a_worker(folder: Path) -> None:
    ended = run(HYPERCORN, folder, TRIO_STREAM_LOG_LEVEL="loud")  # its exit code is Hypercorn's, and 0
    assert_one_clear_line(
        ended, "TRIO_STREAM_LOG_LEVEL is 'loud': it must be one of debug, info, warning, error"
    )


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"TRIO_STREAM_MAX_STREAM": "5"}, ["TRIO_STREAM_MAX_STREAM: ", "did you mean max_streams?"]),
        ({"TRIO_STREAM_CONFIG": "none.toml"}, ["TRIO_STREAM_CONFIG=none.toml", "no such file"]),
        ({"TRIO_STREAM_CONFIG": "bad.toml"}, ["bad.toml: ", "line 1"]),
        ({"TRIO_STREAM_CONFIG": "wrong.toml"}, ["wrong.toml: disk_threads is 0", "from 1 to 256"]),
        ({"TRIO_STREAM_DATA": "videos/data"}, ["is inside the videos"]),
        ({"TRIO_STREAM_VIDEOS": "bad.toml"}, ["TRIO_STREAM_VIDEOS=", "Not a directory"]),
    ],
)
def test_check_reports_wrong_settings(folder: Path, variables: dict[str, str], words: list[str]) -> None:
    (folder / "bad.toml").write_text("max_streams\n", encoding="utf-8")
    (folder / "wrong.toml").write_text("disk_threads = 0\n", encoding="utf-8")
    ended = run(CHECK, folder, **variables)
    assert ended.returncode == 2
    assert_one_clear_line(ended, *words)


UNUSABLE = [
    pytest.param({"TRIO_STREAM_DATA": "file"}, "file: cannot be used", id="data folder"),
    pytest.param({"TRIO_STREAM_DATA": "damaged"}, "is damaged or not a database", id="damaged database"),
    pytest.param(
        {"TRIO_STREAM_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        "cannot be used now",
        id="database away",
    ),
]


@pytest.fixture
def unusable(folder: Path) -> Path:
    """A folder with the files of `UNUSABLE`."""
    (folder / "file").touch()
    (folder / "damaged").mkdir()
    (folder / "damaged" / "library.db").write_bytes(b"no database" * 1000)
    return folder


@pytest.mark.parametrize(("variables", "words"), UNUSABLE)
def test_check_finds_what_prevents_a_start(unusable: Path, variables: dict[str, str], words: str) -> None:
    ended = run(CHECK, unusable, **variables)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert words in ended.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param((*PROGRAM, *BIND), 1, id="serve"),
        pytest.param(
            (*HYPERCORN, "--bind", "127.0.0.1:0", "-w", "1"),
            0,  # its master loses the exit code
            id="with a worker",
            marks=pytest.mark.thorough("hypercorn"),
        ),
    ],
)
@pytest.mark.parametrize(("variables", "words"), UNUSABLE)
def test_a_failed_start_is_reported_in_one_line(
    unusable: Path, variables: dict[str, str], words: str, command: tuple[str, ...], code: int
) -> None:
    started = run(command, unusable, **variables)
    lines = [line for line in started.stderr.splitlines() if "Running on" not in line]
    assert len(lines) == 1, started.stderr
    assert lines[0].startswith("the server does not start: ")
    assert words in lines[0]
    assert started.returncode == code


def test_a_failed_start_with_workers_is_reported_once(unusable: Path) -> None:
    started = run((*PROGRAM, *BIND, "-w", "2"), unusable, TRIO_STREAM_DATA="file")
    assert started.returncode == 1
    [line] = [line for line in started.stderr.splitlines() if "Running on" not in line]
    assert line.startswith("the server does not start: ")
    assert "file: cannot be used" in line


def test_an_export_that_cannot_be_written_is_reported_in_one_line(folder: Path) -> None:
    ended = run((*PROGRAM, "export", "nowhere/export.json"), folder)
    assert ended.returncode == 2
    assert_one_clear_line(ended, "nowhere/export.json cannot be written: No such file or directory")


def test_a_missing_default_folder_is_an_error(tmp_path: Path) -> None:
    ended = run(CHECK, tmp_path)
    assert ended.returncode == 2
    assert_one_clear_line(
        ended, f"TRIO_STREAM_VIDEOS={tmp_path / 'videos'}: ", "No such file or directory", "create it, or set"
    )


@pytest.mark.parametrize("program", [PROGRAM, MODULE], ids=["trio-stream", "python -m"])
def test_version_is_printed(tmp_path: Path, program: tuple[str, ...]) -> None:
    ended = run((*program, "--version"), tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"trio-stream, version {version('trio-stream')}\n"


def test_help_needs_no_settings(tmp_path: Path) -> None:
    ended = run((*PROGRAM, "--help"), tmp_path, TRIO_STREAM_MAX_STREAMS="many")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert {"serve", "check", "--version"} <= set(ended.stdout.split())


def test_an_unknown_command_is_an_error(tmp_path: Path) -> None:
    ended = run((*PROGRAM, "stream"), tmp_path)
    assert ended.returncode == 2
    assert "No such command 'stream'" in ended.stderr


@pytest.mark.parametrize(
    ("command", "stop"),
    [
        ((*PROGRAM, *BIND), signal.SIGTERM),
        ((*MODULE, *BIND), signal.SIGTERM),
        ((*PROGRAM, *BIND), signal.SIGINT),
        ((*HYPERCORN, "--workers", "0"), signal.SIGTERM),
    ],
    ids=["trio-stream", "python -m", "interrupted", "hypercorn without workers"],
)
def test_it_serves_until_it_is_stopped(folder: Path, command: tuple[str, ...], stop: signal.Signals) -> None:
    (folder / "videos" / "v.mp4").write_bytes(b"video")
    with serving(command, folder) as (url, process), httpx.Client(base_url=url, verify=False) as client:
        health = client.get("/healthz")
        assert (health.status_code, health.json()["status"]) == (200, "ok")
        assert client.get("/api/stream/v.mp4").content == b"video"
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(stop)
        assert process.wait(STOP_DEADLINE) == 0
        wait_for(lambda: not any(each.is_running() for each in family), 5, "its processes to end")
    assert "Traceback" not in (folder / "output.log").read_text()


@pytest.mark.parametrize(
    ("arguments", "workers"),
    [((), 0), (("--config", "hypercorn.toml"), 1)],
    ids=["one process", "as the file says"],
)
def test_it_serves_in_the_started_process(folder: Path, arguments: tuple[str, ...], workers: int) -> None:
    (folder / "hypercorn.toml").write_text("workers = 1\n", encoding="utf-8")
    with serving((*PROGRAM, *BIND, *arguments), folder) as (_, process):
        family = psutil.Process(process.pid).children()
        assert sum("--multiprocessing-fork" in each.cmdline() for each in family) == workers
        process.terminate()
        assert process.wait(STOP_DEADLINE) == 0


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param((*PROGRAM, "serve"), 1, id="serve"),
        pytest.param((*PROGRAM, "serve", "--workers", "2"), 1, id="with workers"),
        pytest.param((*PROGRAM, "serve", "--reload"), 1, id="that reloads"),
        pytest.param((*PROGRAM, "check"), 2, id="check"),
    ],
)
def test_a_busy_port_is_reported_in_one_line(folder: Path, command: tuple[str, ...], code: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        ended = run((*command, "--bind", address), folder)
    assert ended.returncode == code
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"trio-stream: cannot listen at {address}: another program uses it")


def test_check_succeeds_while_the_server_runs(folder: Path) -> None:
    with serving((*PROGRAM, *BIND), folder) as (url, process):
        ended = run((*PROGRAM, "check", "--bind", url.removeprefix("http://")), folder)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert f"a server uses the data folder: process {process.pid}" in ended.stdout
        process.terminate()
        assert process.wait(STOP_DEADLINE) == 0


def test_hypercorn_reports_a_bad_certificate_in_one_line(folder: Path) -> None:
    ended = run((*HYPERCORN, "-w", "0", "--certfile", "none.pem", "--keyfile", "none.pem"), folder)
    assert ended.returncode == 1
    assert ended.stderr == "the server does not start: none.pem cannot be read: No such file or directory\n"


def test_its_parent_sees_that_it_was_killed(folder: Path) -> None:
    with serving((*PROGRAM, *BIND), folder) as (url, process):
        with httpx.Client(base_url=url, verify=False) as client:
            assert client.get("/healthz").status_code == 200
        process.kill()
        assert process.wait(STOP_DEADLINE) == -signal.SIGKILL


def test_it_starts_in_any_folder(tmp_path: Path) -> None:
    films, elsewhere = tmp_path / "films", tmp_path / "elsewhere"
    films.mkdir()
    elsewhere.mkdir()
    (films / "v.mp4").write_bytes(b"video")
    with serving((*PROGRAM, *BIND), elsewhere, TRIO_STREAM_VIDEOS="../films") as (url, process):
        with httpx.Client(base_url=url, verify=False) as client:
            assert client.get("/api/videos").json()["videos"] == ["v.mp4"]
            assert client.get("/api/stream/v.mp4").content == b"video"
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_DEADLINE) == 0
    assert sorted(path.name for path in elsewhere.iterdir()) == ["data", "output.log"]
