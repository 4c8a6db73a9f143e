"""Shared by tests of how servers stop: a slow application, its clients, and checks of what is left."""

import socket
from contextlib import suppress

import psutil
import trio

from tests.support import Server, connect, read_head, wait_until

CHUNK = 1000
CHUNKS = 15

APP = f"""
import os
import trio

async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        print("cleaned up", flush=True)
        return
    chunks = {{"/slow": {CHUNKS}, "/endless": 10**6}}.get(scope["path"], 1)
    length = str(chunks * {CHUNK}).encode()
    fields = [(b"content-length", length), (b"x-pid", str(os.getpid()).encode())]
    await send({{"type": "http.response.start", "status": 200, "headers": fields}})
    try:
        for left in reversed(range(chunks)):
            await send({{"type": "http.response.body", "body": bytes({CHUNK}), "more_body": left > 0}})
            await trio.sleep(0.1)
    except trio.Cancelled:
        print("cancelled", flush=True)
        raise
"""


def processes_of(server: Server) -> list[psutil.Process]:
    """The master first, then its workers and helpers."""
    master = psutil.Process(server.process.pid)
    return [master, *master.children(recursive=True)]


def workers_of(server: Server) -> list[psutil.Process]:
    workers = []
    for process in psutil.Process(server.process.pid).children():  # not deeper, where sandboxes start and end
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if "--multiprocessing-fork" in process.cmdline():
                workers.append(process)
    return workers


def still_running(processes: list[psutil.Process]) -> list[psutil.Process]:
    left = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:  # not every system reaps orphans
                left.append(process)
    return left


def signal_all(number: int, processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def is_port_free(server: Server) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((server.host, server.port))
            sock.listen()
        except OSError:
            return False
        return True


async def start_response(server: Server, path: str) -> trio.SocketStream:
    """Return a connection whose response has started."""
    stream = await connect(server)
    await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
    head, _ = await read_head(stream)
    assert b" 200 " in head
    return stream


async def read_rest(stream: trio.SocketStream, within: float = 15) -> bytes:
    """Return what arrives until the end of the connection. Fails if it does not end `within` this many seconds."""
    got = bytearray()
    with trio.fail_after(within), suppress(trio.BrokenResourceError):
        while data := await stream.receive_some(65536):
            got += data
    return bytes(got)


def is_complete(body: bytes) -> bool:
    """Whether this is the response of `/slow`. One chunk of it may have come with the head."""
    return (CHUNKS - 1) * CHUNK <= len(body) <= CHUNKS * CHUNK


async def accepts_connections(server: Server) -> bool:
    try:
        async with await connect(server):
            return True
    except OSError:
        return False


async def check_clean_exit(
    server: Server, processes: list[psutil.Process], workers: int, code: int = 0
) -> None:
    """Wait until the server has exited, and check that it cleaned up and left nothing behind."""
    await wait_until(lambda: server.process.poll() is not None, 10, "the server to exit")
    assert server.process.returncode == code, server.log
    await wait_until(lambda: not still_running(processes), 5, "its processes to be gone")
    assert server.log.count("cleaned up") == max(workers, 1), server.log
    assert "Traceback" not in server.log, server.log
    assert is_port_free(server)
