"""The worker: imports FFmpeg once, and forks a child for each job. `python -m trio_stream.media.worker.forking`

It never reads media itself, has one thread, and no state worth saving: when the server is gone, its socket (standard
input) ends, and it ends with all its children. A child has two descriptors, the media and the reply, and is locked down
before it reads the media.

On the socket, in frames of `wire`:

    from the server  {"job", "number", "options", "memory", "seconds", "urgent"} + descriptors of media and reply
                     {"kill": number}
    from the worker  {"ready": pid, "unfiltered": why or null}   {"began": number, "pid": pid}
                     {"killed": number, "reading": bool, "starved": bool}
                     {"ended": number, "status": of wait(2), or null, "cpu": seconds}
    from a child     {"blob": name} + bytes ..., then one of {"result": ...}, {"unreadable": reason},
                     {"too_large": reason}, {"disk": reason}, {"fault": reason}
"""

import gc
import importlib
import os
import pkgutil
import select
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NoReturn

import av

from trio_stream.media import wire
from trio_stream.media.artwork import generate
from trio_stream.media.containers import probe
from trio_stream.media.jobs import Job, MediaFile, Reply, TooLarge, Unreadable
from trio_stream.media.remux import describing, segments
from trio_stream.media.subtitles import extract
from trio_stream.media.worker import lockdown

JOBS: Mapping[str, Job] = {
    "probe": probe.probe,
    "artwork": generate.generate_artwork,
    "subtitle_tracks": extract.extract_tracks,
    "subtitle_file": extract.convert_file,
    "outline": describing.outline,
    "init": segments.init,
    "segment": segments.segment,
}
"""All jobs, by name."""

MEDIA, REPLY = 3, 4
"""The descriptors of a child, in addition to three of the null device."""

REQUEST_LIMIT = 1 << 20
"""Bytes of one request: options are small."""


def main(jobs: Mapping[str, Job] = JOBS) -> None:
    """Serve until standard input ends."""
    control = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    import_package(av)
    gc.collect()
    gc.freeze()  # keeps memory shared with the children
    with control:
        ForkServer(control, jobs).run()


def import_package(package: ModuleType) -> None:
    """Import a whole package: PyAV imports some modules late, and a child can import nothing."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.rpartition(".")[2] not in {"__main__", "datasets"}:
            importlib.import_module(module.name)


@dataclass
class ForkServer:
    """Receives requests and forks children."""

    control: socket.socket
    jobs: Mapping[str, Job]
    children: dict[int, int] = field(default_factory=dict)
    """Process ids by job number."""

    def run(self) -> None:
        """Serve until the server is gone, then kill all children."""
        unfiltered = lockdown.why_unfiltered()
        woken, wake = socket.socketpair()
        wake.setblocking(False)
        woken.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler the signal would not wake the loop
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        decoder = wire.Decoder(REQUEST_LIMIT, 0)
        descriptors: list[int] = []
        try:
            self.send({"ready": os.getpid(), "unfiltered": unfiltered})
            while True:
                readable, _, _ = select.select([self.control, woken], [], [])
                if woken in readable:
                    with suppress(BlockingIOError):
                        while woken.recv(4096):
                            pass
                    self.reap()
                if self.control in readable:
                    # Descriptors arrive with some of the bytes, not with a request: they are used in order.
                    data, more, _, _ = socket.recv_fds(self.control, 65536, 8)
                    descriptors += more
                    if not data:
                        return
                    for head, _ in decoder.feed(data):
                        self.handle(head, descriptors, filtered=unfiltered is None)
        except (BrokenPipeError, ConnectionResetError):
            return  # the server is gone
        finally:
            for number in list(self.children):
                self.kill(number)

    def handle(self, head: Mapping[str, Any], descriptors: list[int], *, filtered: bool) -> None:
        """Handle a request."""
        if "kill" in head:
            number = head["kill"]
            pid = self.children.get(number)
            if pid is None:  # it has ended already, or never started
                self.send({"ended": number, "status": None, "cpu": 0.0})
                return
            reading, starved = lockdown.waits_for_disk(pid), lockdown.wants_cpu(pid)
            self.send({"killed": number, "reading": reading, "starved": starved})
            self.kill(number)
            return
        media, reply = descriptors[:2]
        del descriptors[:2]
        try:
            worker = os.getpid()
            memory = head["memory"] + lockdown.address_space()  # FFmpeg's own share does not count
            pid = os.fork()
            if pid == 0:
                self._child(head, media, reply, worker=worker, memory=memory, filtered=filtered)
            # In both processes, because either may run first: a child must not be in the process group of the worker.
            with suppress(OSError):  # the child may have done it already, or be gone
                os.setpgid(pid, pid)
        finally:
            os.close(media)
            os.close(reply)
        self.children[head["number"]] = pid
        self.send({"began": head["number"], "pid": pid})

    def reap(self) -> None:
        """Reap the children that have ended, and report them."""
        for number, pid in list(self.children.items()):
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                del self.children[number]
                cpu = usage.ru_utime + usage.ru_stime
                self.send({"ended": number, "status": status, "cpu": round(cpu, 4)})

    def kill(self, number: int) -> None:
        """Kill a child with all that it may have started; it is not reaped yet, so its pid is not reused."""
        pid = self.children.get(number)
        if pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def send(self, head: Mapping[str, Any]) -> None:
        """Send a message to the server."""
        self.control.sendall(wire.frame(head))

    def _child(
        self, head: Mapping[str, Any], media: int, reply: int, *, worker: int, memory: int, filtered: bool
    ) -> NoReturn:
        try:
            os.setpgid(0, 0)
            # The signal comes when the thread that forked ends: the worker has only one.
            lockdown.die_with_parent(worker)
            if not head["urgent"]:
                lockdown.use_idle_priority()  # only the child: the worker must react immediately
            signal.set_wakeup_fd(-1)  # it is the worker's: signals here must not wake its loop
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            _keep_only(media, reply)
            lockdown.limit(memory=memory, seconds=head["seconds"], descriptors=REPLY + 1)
            file = MediaFile(MEDIA)  # before the filter, which refuses fstat
            if filtered:
                lockdown.filter_calls()
            _run_job(self.jobs[head["job"]], file, head["options"])
        except BaseException as error:  # noqa: BLE001 - nothing may return into the worker's loop
            with suppress(BaseException):
                _send(wire.frame({"fault": f"{type(error).__name__}: {error}"[:1000]}))
        finally:
            os._exit(0)


def _keep_only(media: int, reply: int) -> None:
    """Move the two descriptors to MEDIA and REPLY, and close everything else."""
    # Through free numbers, because either may have the number of the other.
    high = max(media, reply, REPLY) + 1
    os.dup2(media, high, inheritable=False)
    os.dup2(reply, high + 1, inheritable=False)
    os.dup2(high, MEDIA)
    os.dup2(high + 1, REPLY)
    for number in (1, 2):
        os.dup2(0, number)
    os.closerange(REPLY + 1, min(os.sysconf("SC_OPEN_MAX"), 1 << 20))


def _run_job(job: Job, file: MediaFile, options: Mapping[str, Any]) -> None:
    try:
        reply = wire.frame({"result": job(file, options, Reply(_send))})
    except TooLarge as error:
        reply = wire.frame({"too_large": str(error)})
    except Unreadable as error:
        reply = wire.frame({"unreadable": str(error)})
    except MemoryError:
        reply = wire.frame({"unreadable": "reading the file takes more memory than allowed"})
    except Exception as error:  # noqa: BLE001 - our bug, but it will happen with this file every time
        message = f"{type(error).__name__}: {error}"[:500]
        # A late import is not due to the file.
        is_late_import = isinstance(error, ImportError) or "unknown encoding" in message
        reply = wire.frame(
            {"fault": message} if is_late_import else {"unreadable": f"the media parser failed ({message})"}
        )
    # FFmpeg treats a disk error as the end of the file, and a result from half a video is worthless.
    if file.error is not None:
        reply = wire.frame({"disk": file.error.strerror or str(file.error)})
    _send(reply)


def _send(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(REPLY, view) :]
