"""The worker: imports FFmpeg once, and forks a child for each job. `python -m trio_stream.media.worker.forking`

It never reads media itself, has one thread, and nothing to lose: when the server is gone, its socket (standard
input) ends, and it ends with all its children. A child has two descriptors, the media and the way back, and is locked
down before it looks at the media.

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
"""Every job there is, by name."""

MEDIA, REPLY = 3, 4
"""The descriptors of a child, beside three of the null device."""

REQUEST_LIMIT = 1 << 20
"""Bytes of one request: options are small."""


def main(jobs: Mapping[str, Job] = JOBS) -> None:
    """Serve until standard input ends."""
    control = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    import_whole(av)
    gc.collect()
    gc.freeze()  # what is shared with the children stays shared
    with control:
        ForkServer(control, jobs).run()


def import_whole(package: ModuleType) -> None:
    """Import all of a package: a child can open no module any more, and PyAV imports some as a file needs them."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.rpartition(".")[2] not in {"__main__", "datasets"}:
            importlib.import_module(module.name)


@dataclass
class ForkServer:
    """The loop: requests in, children out."""

    control: socket.socket
    jobs: Mapping[str, Job]
    children: dict[int, int] = field(default_factory=dict)
    """Process by number of the job."""

    def run(self) -> None:
        """Serve until the server has gone; no child is left."""
        unfiltered = lockdown.can_filter()
        woken, wake = socket.socketpair()
        wake.setblocking(False)
        woken.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a signal without a handler wakes nobody up
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
                    # Descriptors come with some of the bytes, not with a request: they are taken in their order.
                    data, more, _, _ = socket.recv_fds(self.control, 65536, 8)
                    descriptors += more
                    if not data:
                        return
                    for head, _ in decoder.feed(data):
                        self.obey(head, descriptors, filtered=unfiltered is None)
        except (BrokenPipeError, ConnectionResetError):
            return  # the server has gone
        finally:
            for number in list(self.children):
                self.kill(number)

    def obey(self, head: Mapping[str, Any], descriptors: list[int], *, filtered: bool) -> None:
        """Do what a request asks."""
        if "kill" in head:
            number = head["kill"]
            pid = self.children.get(number)
            if pid is None:  # it has ended already, or never began
                self.send({"ended": number, "status": None, "cpu": 0.0})
                return
            reading, starved = lockdown.waits_for_disk(pid), lockdown.wants_processor(pid)
            self.send({"killed": number, "reading": reading, "starved": starved})
            self.kill(number)
            return
        media, reply = descriptors[:2]
        del descriptors[:2]
        try:
            worker = os.getpid()
            memory = head["memory"] + lockdown.address_space()  # what FFmpeg takes is no cost of the file
            pid = os.fork()
            if pid == 0:
                self._child(head, media, reply, worker=worker, memory=memory, filtered=filtered)
            # On both sides, as either may be first: nobody may be killed in the group of the worker.
            with suppress(OSError):  # it may have done so itself, or be gone
                os.setpgid(pid, pid)
        finally:
            os.close(media)
            os.close(reply)
        self.children[head["number"]] = pid
        self.send({"began": head["number"], "pid": pid})

    def reap(self) -> None:
        """Collect the children that have ended, and say so."""
        for number, pid in list(self.children.items()):
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                del self.children[number]
                cpu = usage.ru_utime + usage.ru_stime
                self.send({"ended": number, "status": status, "cpu": round(cpu, 4)})

    def kill(self, number: int) -> None:
        """Kill a child with all that it may have started; it is not reaped yet, so the number is its own."""
        pid = self.children.get(number)
        if pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def send(self, head: Mapping[str, Any]) -> None:
        """Tell the server."""
        self.control.sendall(wire.frame(head))

    def _child(
        self, head: Mapping[str, Any], media: int, reply: int, *, worker: int, memory: int, filtered: bool
    ) -> NoReturn:
        try:
            os.setpgid(0, 0)
            # The signal comes when the thread ends that forked: the worker has but one.
            lockdown.die_with_parent(worker)
            if not head["urgent"]:
                lockdown.yield_to_everybody()  # not the worker, which has to hear at once that a child is to be killed
            signal.set_wakeup_fd(-1)  # it is the worker's: the loop there is not to be woken by signals here
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            _keep(media, reply)
            lockdown.limit(memory=memory, seconds=head["seconds"], descriptors=REPLY + 1)
            file = MediaFile(MEDIA)  # before the filter, which refuses to say how large the file is
            if filtered:
                lockdown.filter_calls()
            _do(self.jobs[head["job"]], file, head["options"])
        except BaseException as error:  # noqa: BLE001 - nothing of this may return into the worker's loop
            with suppress(BaseException):
                _send(wire.frame({"fault": f"{type(error).__name__}: {error}"[:1000]}))
        finally:
            os._exit(0)


def _keep(media: int, reply: int) -> None:
    """Keep the two descriptors, as MEDIA and REPLY, and close everything else."""
    # By way of numbers that are free: either may be in the place of the other.
    high = max(media, reply, REPLY) + 1
    os.dup2(media, high, inheritable=False)
    os.dup2(reply, high + 1, inheritable=False)
    os.dup2(high, MEDIA)
    os.dup2(high + 1, REPLY)
    for number in (1, 2):
        os.dup2(0, number)
    os.closerange(REPLY + 1, min(os.sysconf("SC_OPEN_MAX"), 1 << 20))


def _do(job: Job, file: MediaFile, options: Mapping[str, Any]) -> None:
    try:
        answer = wire.frame({"result": job(file, options, Reply(_send))})
    except TooLarge as error:
        answer = wire.frame({"too_large": str(error)})
    except Unreadable as error:
        answer = wire.frame({"unreadable": str(error)})
    except MemoryError:
        answer = wire.frame({"unreadable": "it takes more memory to read than a file may"})
    except Exception as error:  # noqa: BLE001 - a mistake of ours, but this file will meet it every time
        words = f"{type(error).__name__}: {error}"[:500]
        unprepared = isinstance(error, ImportError) or "unknown encoding" in words  # any file would
        answer = wire.frame(
            {"fault": words} if unprepared else {"unreadable": f"reading it failed ({words})"}
        )
    # FFmpeg takes an error of the disk for the end of the file, and what was made of half a film is worth nothing.
    if file.error is not None:
        answer = wire.frame({"disk": file.error.strerror or str(file.error)})
    _send(answer)


def _send(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(REPLY, view) :]
