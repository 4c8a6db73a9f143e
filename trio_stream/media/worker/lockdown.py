"""Give up privileges, permanently, in a child before it reads media.

There are two lines of defence, so that one is enough if the other is missing. The limits: no new descriptors, no
processes, no writing to files, no core dump, limited memory and CPU time. And on Linux (x86-64 and 64-bit ARM) a
seccomp filter that allows the system calls needed to read open files, compute and reply. All others fail with EPERM,
which FFmpeg and Python handle like any error.

Sources: seccomp(2), prctl(2), ioprio_set(2), linux/seccomp.h, linux/filter.h; system call numbers from
arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from contextlib import suppress

_LIBC = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG = 1
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2

# One system call per row: name, number on x86-64, number on 64-bit ARM (None if it does not exist).
_ALLOWED: tuple[tuple[str, int | None, int | None], ...] = (
    ("read", 0, 63),
    ("pread64", 17, 67),
    ("readv", 19, 65),
    ("preadv", 295, 69),
    ("write", 1, 64),
    ("writev", 20, 66),
    ("lseek", 8, 62),
    ("close", 3, 57),
    ("munmap", 11, 215),
    ("mremap", 25, 216),
    ("brk", 12, 214),
    ("madvise", 28, 233),
    ("futex", 202, 98),
    ("poll", 7, None),
    ("ppoll", 271, 73),
    ("select", 23, None),
    ("pselect6", 270, 72),
    ("rt_sigaction", 13, 134),
    ("rt_sigprocmask", 14, 135),
    ("rt_sigreturn", 15, 139),
    ("sigaltstack", 131, 132),
    ("restart_syscall", 219, 128),
    ("getpid", 39, 172),
    ("gettid", 186, 178),
    ("sched_yield", 24, 124),
    ("sched_getaffinity", 204, 123),
    ("getcpu", 309, 168),
    ("getrusage", 98, 165),
    ("times", 100, 153),
    ("sysinfo", 99, 179),
    ("uname", 63, 160),
    ("gettimeofday", 96, 169),
    ("time", 201, None),
    ("clock_gettime", 228, 113),
    ("clock_getres", 229, 114),
    ("clock_nanosleep", 230, 115),
    ("nanosleep", 35, 101),
    ("getrandom", 318, 278),
    ("exit", 60, 93),
    ("exit_group", 231, 94),
)
# The first two may not map executable memory (their third argument); signals may only go to the process itself.
_MMAP, _MPROTECT, _TGKILL = (9, 222), (10, 226), (234, 131)
PROT_EXEC = 4

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""The column of the table, and AUDIT_ARCH_*, which is checked because a process could make 32-bit system calls."""

_PREAD64 = {"x86_64": (0, 17), "aarch64": (63, 67)}
"""The system calls in which a process waits for the disk: read, pread64."""

# struct sock_filter's codes: load a word of seccomp_data, jump, and-with, return.
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_X32 = 0x40000000


class Forbidden(OSError):
    """The system does not let a process restrict itself."""


def filter_program(machine: str, pid: int) -> bytes | None:
    """Build the system call filter for process `pid`, an array of `struct sock_filter`; None for an unknown machine.

    Both supported machines are little-endian, so the low half of an argument comes first.
    """
    if machine not in _MACHINES:
        return None
    column, arch = _MACHINES[machine]
    program = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_JUMP_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSE),
    ]
    for _, *numbers in _ALLOWED:
        number = numbers[column]
        if number is not None:
            program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    rules = (
        (_MMAP, 2, (_JUMP_ANY_BIT, 1, 0, PROT_EXEC)),
        (_MPROTECT, 2, (_JUMP_ANY_BIT, 1, 0, PROT_EXEC)),
        (_TGKILL, 0, (_JUMP_EQUAL, 0, 1, pid)),
    )
    for rule_numbers, argument, test in rules:
        program += [
            (_JUMP_EQUAL, 0, 4, rule_numbers[column]),
            (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument),
            test,
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _REFUSE),
        ]
    program.append((_RETURN, 0, 0, _REFUSE))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def filter_calls() -> None:
    """Refuse this process all system calls that are not listed. Raises `Forbidden`."""
    program = filter_program(platform.machine(), os.getpid()) if sys.platform == "linux" else None
    if program is None:
        raise Forbidden(errno.ENOSYS, "there is no system call filter for this system")
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    instructions = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: an unsigned short, padding, a pointer.
    header = ctypes.create_string_buffer(
        struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions)), struct.calcsize("@HP")
    )
    _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(header))


def why_unfiltered() -> str | None:
    """Try the filter in a child; return why it does not work, None if it does."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            filter_calls()
            code = 0
        except BaseException:  # noqa: BLE001 - the exit status reports it
            code = 1
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return (
        None if status == 0 else f"there is no system call filter on {platform.system()} {platform.machine()}"
    )


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when `parent`, a process of one thread, ends (Linux)."""
    if sys.platform != "linux":
        return
    with suppress(Forbidden):
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent ended before the call
        os._exit(1)


def limit(*, memory: int, seconds: int, descriptors: int) -> None:
    """Set the limits: `memory` in bytes of address space, `seconds` of CPU time, and the number of `descriptors`."""
    for resource_id, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NPROC, 0, 0),
        (resource.RLIMIT_NOFILE, descriptors, descriptors),
        (resource.RLIMIT_CPU, seconds, seconds + 1),
        (resource.RLIMIT_AS, memory, memory),
    ):
        highest = resource.getrlimit(resource_id)[1]
        if highest != resource.RLIM_INFINITY:
            soft, hard = min(soft, highest), min(hard, highest)  # noqa: PLW2901 - limits can only be lowered
        with suppress(ValueError, OSError):  # not supported everywhere: RLIMIT_AS on macOS
            resource.setrlimit(resource_id, (soft, hard))


def use_idle_priority() -> None:
    """Run this process only when nothing else needs the CPU or the disk."""
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (AttributeError, OSError):
        with suppress(OSError):
            os.nice(19)
    if sys.platform == "linux":
        ioprio_set = {"x86_64": 251, "aarch64": 30}.get(platform.machine())
        if ioprio_set is not None:
            _LIBC.syscall(ioprio_set, 1, 0, 3 << 13)  # this process, class idle


def address_space() -> int:
    """Return the address space of this process in bytes; 0 if the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def waits_for_disk(pid: int) -> bool:
    """Whether a child is currently waiting for the disk, as far as the system says."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state = file.read().rpartition(b")")[2].split()[0]
        with open(f"/proc/{pid}/syscall", "rb") as file:
            call = file.read().split()[0]
    except (OSError, IndexError):
        return False
    return state == b"D" or call in [b"%d" % number for number in _PREAD64.get(platform.machine(), ())]


def wants_cpu(pid: int) -> bool:
    """Whether a child is ready to run, but may have no CPU."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"R"
    except (OSError, IndexError):
        return False


def _prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    if _LIBC.prctl(ctypes.c_int(option), *padded) != 0:
        number = ctypes.get_errno()
        raise Forbidden(number, os.strerror(number))
