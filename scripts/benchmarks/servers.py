"""The measured servers, and how each one is started, pinned to a CPU and stopped."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import machine
from .machine import BenchError

START = 20.0  # seconds in which a server must listen
MEMRAY_RUNNER = """\
import runpy, sys
sys.path.append(sys.argv.pop(1))
runpy.run_module("memray", run_name="__main__", alter_sys=True)
"""
"""Runs memray from the folder that is the first argument. It comes last in the module path, so that the server's own
packages are found first."""

STOP = 8.0  # ... in which it must end after a signal
SETTLE = 300.0  # ... in which Trio Stream must have scanned its videos

NGINX = """\
worker_processes 1;
worker_rlimit_nofile {files};
daemon off;
pid {work}/nginx.pid;
error_log {work}/error.log crit;
{user}
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 10000000;
    types {{ video/mp4 mp4; }}
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root "{folder}";
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """One kind of server; `kind` selects how it is started, and `about` describes it for readers.

    `arguments` are for Hypercorn, if the server runs on it.
    """

    name: str
    kind: str
    about: str
    path: str = "/{name}"
    environment: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()


SERVERS = (
    Server("trio-stream", "trio-stream", "Trio Stream, one worker", "/api/stream/{name}"),
    Server(
        "trio-stream-plain",
        "trio-stream",
        "the same with TRIO_STREAM_ZERO_COPY=0",
        "/api/stream/{name}",
        {"TRIO_STREAM_ZERO_COPY": "0"},
    ),
    Server("nginx", "nginx", "nginx, one worker, sendfile"),
    Server(
        "fastapi", "uvicorn fastapi_stream", "FastAPI on Uvicorn (uvloop), 64 KiB chunks from a generator"
    ),
    Server("starlette", "uvicorn starlette_file", "Starlette's FileResponse on Uvicorn (uvloop)"),
    Server("aiohttp", "aiohttp", "aiohttp's static route (sendfile)"),
    Server("granian", "granian", "Starlette's FileResponse on Granian (ASGI, one worker)"),
)

NOT_MEASURED = (
    "Granian's own static files (`--static-path-mount`) are not measured. It sends them without a length and without "
    "ranges, so a viewer could not seek in a video."
)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens on 127.0.0.1."""

    server: Server
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def leader(self) -> int:
        """The first process; all others are in its group."""
        return self.process.pid

    def path(self, name: str) -> str:
        return self.server.path.format(name=name)


def available(chosen: list[str] | None) -> list[Server]:
    """The servers to measure: the chosen ones that this version of Trio Stream supports."""
    unknown = set(chosen or ()) - {server.name for server in SERVERS}
    if unknown:
        raise BenchError(
            f"no server {', '.join(sorted(unknown))}; there are {', '.join(s.name for s in SERVERS)}"
        )
    wanted = [server for server in SERVERS if chosen is None or server.name in chosen]
    if any(server.kind == "nginx" for server in wanted) and not machine.nginx_installed():
        raise BenchError(
            "nginx is missing (Debian, Ubuntu: apt install nginx-light); or choose other servers with --only"
        )
    settings = machine.output_of(machine.own_python(), "-m", "trio_stream", "check", "--bind", "127.0.0.1:0")
    return [
        server
        for server in wanted
        if all(variable in settings for variable in server.environment if server.kind == "trio-stream")
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(server: Server, folder: Path, cpu: int) -> Iterator[Running]:
    """Run the server on `folder`, pinned to `cpu`, in its own process group, which ends with the block."""
    with tempfile.TemporaryDirectory(prefix="trio-stream-bench-") as temporary:
        work, port = Path(temporary), free_port()
        log = work / "log"
        command = command_for(server, folder, work, port)
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["taskset", "-c", str(cpu), *command],
                cwd=work,
                env=environment(server, folder, work),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            running = Running(server, port, process, log)
            wait_listening(running)
            yield running
        finally:
            stop(process)


def environment(server: Server, folder: Path, work: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRIO_STREAM_")}
    own = {"BENCH_FOLDER": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    if server.path.startswith("/api/"):
        own = {
            "TRIO_STREAM_VIDEOS": str(folder),
            "TRIO_STREAM_DATA": str(work / "data"),
            "TRIO_STREAM_LOG_LEVEL": "warning",
        }
    return inherited | own | server.environment


def command_for(server: Server, folder: Path, work: Path, port: int) -> list[str]:
    peers = Path(__file__).parent / "peers"
    address = f"127.0.0.1:{port}"
    match server.kind.split():
        case ["trio-stream"]:
            hypercorn = [str(machine.own_python()), "-m", "hypercorn", "trio_stream.app:app"]
            return [*hypercorn, "-k", "trio", "--bind", address, *server.arguments]
        case ["memray"]:  # see profiling.py
            record = server.environment["BENCH_RECORD"]
            memray = [str(machine.own_python()), "-c", MEMRAY_RUNNER, sysconfig.get_path("platlib")]
            arguments = ["run", "--force", "--output", record, "-m", "hypercorn", "trio_stream.app:app"]
            return [*memray, *arguments, "-k", "trio", "--workers", "0", "--bind", address]
        case ["nginx"]:
            files = machine.raise_open_files()
            config = work / "nginx.conf"
            config.write_text(
                NGINX.format(
                    work=work,
                    folder=folder,
                    port=port,
                    files=files,
                    connections=files - 64,
                    user="user root;" if os.getuid() == 0 else "",
                )
            )
            return ["nginx", "-e", str(work / "error.log"), "-p", str(work), "-c", str(config)]
        case ["uvicorn", app]:
            return [sys.executable, "-m", "uvicorn", *_options(port), "--app-dir", str(peers), f"{app}:app"]
        case ["aiohttp"]:
            return [sys.executable, str(peers / "aiohttp_static.py"), str(port)]
        case ["granian"]:
            options = [*_options(port), "--interface", "asgi", "--workers", "1", "--working-dir", str(peers)]
            return [sys.executable, "-m", "granian", *options, "starlette_file:app"]
        case _:
            raise BenchError(f"there is no way to start {server.kind}")


def _options(port: int) -> list[str]:
    """The options that Uvicorn and Granian have in common."""
    return ["--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--log-level", "warning"]


def uses_tls(server: Server) -> bool:
    return "--certfile" in server.arguments


def unverified_tls(protocol: str) -> ssl.SSLContext:
    """TLS for a client that accepts any certificate, with `protocol` as the only ALPN protocol."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    return context


def wait_listening(running: Running) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and running.process.poll() is None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=START))
            if uses_tls(running.server):
                sock = stack.enter_context(unverified_tls("http/1.1").wrap_socket(sock))
            # Some servers listen long before they respond.
            sock.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            if sock.recv(1):
                return
        time.sleep(0.02)
    log = running.log.read_text("utf-8", "replace")[-2000:]
    raise BenchError(
        f"{running.server.name} does not listen:\n{re.sub(r'^', '    ', log, flags=re.MULTILINE)}"
    )


def wait_settled(running: Running) -> None:
    """Wait until Trio Stream has scanned its videos, so that the scan does not count as a cost of requests."""
    if not running.server.path.startswith("/api/"):
        return
    end = time.monotonic() + SETTLE
    state: dict[str, Any] = {}
    while time.monotonic() < end:
        link = http.client.HTTPConnection("127.0.0.1", running.port, timeout=START)
        link.request("GET", "/api/library")
        state = json.load(link.getresponse())
        link.close()
        if state["idle"] and state["look"]["ended"] is not None and not state["look"]["resting"]:
            return
        time.sleep(0.2)
    raise BenchError(f"{running.server.name} is not idle after {SETTLE:g} s: {state}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the whole process group; kill it if that takes too long."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        end = time.monotonic() + STOP
        while time.monotonic() < end:
            process.poll()
            if not machine.group(process.pid):
                return
            time.sleep(0.02)
