"""If a server cannot listen, one sentence names the address and the reason."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http2 import certified
from trio_stream.errors import CannotListen
from trio_stream.serving.listening import check_addresses, close_sockets, open_sockets, reason_for
from trio_stream.serving.options import parse

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # Hypercorn does not close a socket that it cannot bind
)

APP = "trio_stream.app:app"


def error_of(*arguments: str) -> str:
    """Return why a server with these arguments cannot listen."""
    with pytest.raises(CannotListen) as caught:
        close_sockets(open_sockets(parse([APP, *arguments])))
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def busy() -> Iterator[str]:
    """An address on which another program listens, with `SO_REUSEPORT`."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield f"127.0.0.1:{other.getsockname()[1]}"


@pytest.mark.parametrize("workers", ["0", "1", "2"])
def test_a_busy_port(busy: str, workers: str) -> None:
    """With several workers, Hypercorn would share it with the other server."""
    message = error_of("-w", workers, "--bind", "127.0.0.1:0", "--bind", busy)
    assert message == (
        f"cannot listen at {busy}: another program uses it: stop that program, or choose another address with --bind"
    )


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("host.invalid:8000", "the host name cannot be resolved"),
        ("192.0.2.1:0", "this machine has no such address"),
        ("127.0.0.1:65536", "ports are numbers from 0 to 65535"),
        ("unix:nowhere/here.sock", "No such file or directory"),
        ("unix:a.file", "a file that is not a socket has this name"),
        ("unix:" + 200 * "a", "AF_UNIX path too long"),
        ("fd://12345", "this process has no such descriptor"),
        ("fd://one", "invalid literal for int() with base 10: 'one'"),
    ],
)
def test_reason_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, reason: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.file").touch()
    assert error_of("--bind", address) == f"cannot listen at {address}: {reason}"


def test_a_reserved_port() -> None:
    """The user who runs this may be allowed to use it, so only the message is tested."""
    assert reason_for("127.0.0.1:1", PermissionError(errno.EACCES, "Permission denied")).startswith(
        "this user is not allowed to"
    )
    assert reason_for("unix:a", PermissionError(errno.EACCES, "Permission denied")) == "Permission denied"


def test_the_socket_of_another_server_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But a socket without a server is replaced."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as client:
        other.bind("here.sock")
        other.listen()
        assert "another program uses it" in error_of("--bind", "unix:here.sock")
        client.connect("here.sock")
    close_sockets(open_sockets(parse([APP, "--bind", "unix:here.sock"])))


def test_a_check_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_addresses(parse([APP, "--bind", "unix:here.sock", "--bind", "127.0.0.1:0"]))
    assert os.listdir() == []


def test_an_unusable_certificate(tmp_path: Path) -> None:
    _, certificate, _, key = certified(tmp_path)
    bad = tmp_path / "bad.pem"
    bad.touch()

    def tls_error(*arguments: object) -> str:
        return error_of("--bind", "127.0.0.1:0", *map(str, arguments))

    assert "--keyfile must be given together" in tls_error("--certfile", certificate)
    assert "--keyfile must be given together" in tls_error("--keyfile", key)
    assert (
        tls_error("--certfile", "none.pem", "--keyfile", key)
        == "none.pem cannot be read: No such file or directory"
    )
    assert tls_error("--certfile", certificate, "--keyfile", key, "--ca-certs", tmp_path).endswith(
        "Is a directory"
    )
    assert f"{bad} and {key} cannot be used for TLS" in tls_error("--certfile", bad, "--keyfile", key)
    assert "cannot be used for TLS: No cipher can be selected" in tls_error(
        "--certfile", certificate, "--keyfile", key, "--ciphers", "none"
    )
