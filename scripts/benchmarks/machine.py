"""This machine: its two CPUs, its load, its hardware and software, and the bench's own environment."""

import os
import platform
import re
import resource
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
CACHE = REPO / ".cache" / "bench"
TICKS = os.sysconf("SC_CLK_TCK")
PACKAGES = ("uvicorn", "uvloop", "httptools", "fastapi", "starlette", "aiohttp", "granian")
OWN_PACKAGES = ("trio", "hypercorn", "quart", "quart-trio")


class BenchError(Exception):
    """The bench cannot measure; the message says why."""


def two_cpus() -> tuple[int, int]:
    """The CPU of the servers and that of the client."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise BenchError("two CPUs are needed, one for the server and one for the client")
    return cpus[0], cpus[1]


def raise_open_files() -> int:
    """Raise the limit of open files as far as possible, for this process and the servers that it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = 65_536 if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def group(leader: int) -> list[int]:
    """The processes in the process group of `leader`."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal():
            fields = stat_fields(int(name))
            if fields and int(fields[2]) == leader:
                found.append(int(name))
    return found


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()
    except OSError:
        return []


def cpu_seconds(leader: int) -> float:
    """User and system time that a process group has used so far."""
    spent = 0
    for pid in group(leader):
        if fields := stat_fields(pid):
            spent += int(fields[11]) + int(fields[12])
    return spent / TICKS


def private_bytes(leader: int) -> int:
    """Anonymous resident memory of a process group: its own memory, without files and shared memory."""
    total = 0
    for pid in group(leader):
        try:
            status = Path(f"/proc/{pid}/status").read_text("latin-1")
        except OSError:
            continue
        if found := re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE):
            total += int(found[1]) * 1024
    return total


def busy_seconds(cpu: int) -> float:
    """How long a CPU has been busy since the machine started, for all processes."""
    for line in Path("/proc/stat").read_text("latin-1").splitlines():
        name, *values = line.split()
        if name == f"cpu{cpu}":
            user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, values)
            return (user + nice + system + irq + softirq) / TICKS
    return 0.0


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def wait_until_calm(most: float, timeout: float) -> bool:
    """Wait at most `timeout` seconds until the load is below `most`; return whether it is."""
    end = time.monotonic() + timeout
    while load() >= most and time.monotonic() < end:
        time.sleep(5)
    return load() < most


def own_python() -> Path:
    """The Python that Trio Stream is installed in."""
    return REPO / ".venv" / "bin" / "python"


def output_of(*command: str | Path) -> str:
    """What a program prints, on both streams."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return (done.stdout + done.stderr).strip()


CONGESTION_CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")


def describe() -> dict[str, object]:
    """The properties of the machine that readers need to understand figures measured on it."""
    cpuinfo = Path("/proc/cpuinfo").read_text("latin-1")
    model = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": model[1] if model else platform.machine(),
        "cpus": os.cpu_count(),
        "virtual": bool(re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.MULTILINE)),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "congestion_control": CONGESTION_CONTROL.read_text().strip(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "load_before": round(load(), 2),
    }


def versions() -> dict[str, str]:
    """The versions of everything that is measured."""
    listing = output_of(
        own_python(),
        "-c",
        "from importlib.metadata import version as v\n"
        f"for name in ('trio-stream', *{OWN_PACKAGES!r}): print(name, v(name))",
    )
    found = dict(line.split(" ") for line in listing.splitlines())
    if "trio-stream" not in found:
        raise BenchError(f"Trio Stream is not installed in .venv: {listing}")
    nginx = re.search(r"nginx/(\S+)", output_of("nginx", "-v")) if nginx_installed() else None
    peers = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found, "nginx": nginx[1] if nginx else "none", **peers}


def nginx_installed() -> bool:
    return any((Path(place) / "nginx").exists() for place in os.get_exec_path())
