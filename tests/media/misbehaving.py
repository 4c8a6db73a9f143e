"""A worker whose jobs do what a hijacked parser might do. `python -m tests.media.misbehaving`"""

import ctypes
import encodings.idna  # noqa: F401 - a child can no longer import
import errno
import importlib
import itertools
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from trio_stream.media.jobs import Job, MediaFile, Reply, TooLarge, Unreadable
from trio_stream.media.worker import forking, lockdown

_LIBC = ctypes.CDLL(None, use_errno=True)


def echo(file: MediaFile, options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    for name, size in options.get("blobs", {}).items():
        reply.blob(name, name.encode() * size)
    return {"read": len(file.read()), "options": dict(options), "pid": os.getpid()}


def refuse(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    raise Unreadable("this job refuses every file")


def exceed(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    raise TooLarge("the segment is too large")


def fail(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    raise LookupError("a bug of the job")


def crash(_file: MediaFile, options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    if options["how"] == "segv":
        ctypes.string_at(8)
    if options["how"] == "abort":
        os.abort()
    if options["how"] == "exit":
        os._exit(3)
    raise AssertionError


def spin(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    while True:
        pass


def sleep(_file: MediaFile, options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    time.sleep(options.get("seconds", 3600))
    return {}


def devour(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    held = [bytearray(8 << 20) for _ in itertools.count()]
    return {"held": len(held)}


def devour_and_abort(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    try:
        held = [bytearray(8 << 20) for _ in itertools.count()]
    except MemoryError:
        os.abort()  # as a C++ library does
    return {"held": len(held)}


def flood(_file: MediaFile, _options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    for number in itertools.count():
        reply.blob(f"{number}", bytes(1 << 20))
    raise AssertionError


def litter(_file: MediaFile, _options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    for number in range(100_000):
        reply.blob(f"{number}", b"")
    return {}


def babble(_file: MediaFile, options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    os.write(forking.REPLY, bytes.fromhex(options["hex"]))
    os._exit(0)


def linger(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """Reply as if done, and do not exit."""
    os.write(forking.REPLY, b"\0\0\0\x0d\0\0\0\0" + b'{"result":{}}')
    time.sleep(3600)
    raise AssertionError


def read_on(file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """Read, and treat an error as the end of the file, as FFmpeg does."""
    try:
        return {"read": len(file.read(100))}
    except OSError:
        return {"read": 0}


def escape(_file: MediaFile, options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """Try everything a child must not do; return the outcome of each attempt."""
    server, folder, port = options["server"], options["folder"], options["port"]
    tries: dict[str, Callable[[], object]] = {
        "open a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
        "create a file": lambda: os.open(f"{folder}/created", os.O_WRONLY | os.O_CREAT),
        "list a folder": lambda: os.listdir("/"),
        "stat a file": lambda: os.stat("/etc/passwd"),
        "remove a file": lambda: os.unlink(f"{folder}/there"),
        "write to the media": lambda: os.write(forking.MEDIA, b"x"),
        "create a socket": socket.socket,
        "connect": lambda: socket.create_connection(("127.0.0.1", port), 1),
        "fork": _fork,
        "run a program": lambda: os.execv("/bin/true", ["true"]),
        "kill the server": lambda: os.kill(server, 0),
        "kill the worker": lambda: os.kill(os.getppid(), 0),
        "trace the worker": lambda: _called(_LIBC.ptrace, 16, os.getppid(), 0, 0),
        "read memory of the server": lambda: _called(_LIBC.process_vm_readv, server, None, 0, None, 0, 0),
        "map executable memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_EXEC | mmap.PROT_READ),
        "raise a limit": lambda: _called(_LIBC.setrlimit, 7, (ctypes.c_ulong * 2)(64, 64)),
        "leave its process group": os.setsid,
        "duplicate a descriptor": lambda: os.dup(forking.MEDIA),
        "outlive its parent": lambda: _called(_LIBC.prctl, 1, 0, 0, 0, 0),
        "call sendfile": lambda: os.sendfile(forking.REPLY, forking.MEDIA, 0, 1),
        "change its user": lambda: os.setuid(65534),
        "set up io_uring": lambda: _called(_LIBC.syscall, 425, 1, 0),  # io_uring_setup
    }
    return {
        "tries": {name: _outcome(attempt) for name, attempt in tries.items()},
        "environment": sorted(os.environ),
        "descriptors": [number for number in range(64) if _is_open(number)],
    }


def import_late(_file: MediaFile, options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    if options["what"] == "module":
        importlib.import_module("colorsys")
    return {"text": b"a".decode("cp037")}


def exceed_limits(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """Try what the limits refuse, even without a filter."""
    tries: dict[str, Callable[[], object]] = {
        "open a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
        "create a socket": socket.socket,
        "create a pipe": os.pipe,
        "raise a limit": lambda: os.dup2(forking.MEDIA, 9),
    }
    return {name: _outcome(attempt) for name, attempt in tries.items()}


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _called(function: Any, *arguments: Any) -> int:
    if function(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return 0


def _outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "done"


def _is_open(number: int) -> bool:
    try:
        os.lseek(number, 0, os.SEEK_CUR)
    except OSError as error:
        return error.errno != errno.EBADF
    return True


JOBS: dict[str, Job] = {
    job.__name__: job
    for job in (
        *(echo, refuse, exceed, fail, crash, spin, sleep, devour, devour_and_abort),
        *(flood, litter, babble, linger, read_on, escape, import_late, exceed_limits),
    )
}

if __name__ == "__main__":
    if "--unfiltered" in sys.argv:
        lockdown.why_unfiltered = lambda: "disabled by the test"
    if "--mute" in sys.argv:
        signal.pause()
    forking.main(JOBS)
