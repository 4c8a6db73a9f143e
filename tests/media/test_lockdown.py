"""Run the system call filter as the kernel would, for each supported machine."""

import errno
import os
import platform
import struct

import pytest

from trio_stream.media.worker.lockdown import filter_program

ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
X86, ARM = ("x86_64", 0xC000003E), ("aarch64", 0xC00000B7)
PID = 4711


def verdict(machine: str, arch: int, number: int, *arguments: int) -> int:
    """Return the result of the program for a system call (classic BPF, with the four instructions it uses)."""
    program = filter_program(machine, PID)
    assert program is not None
    data = struct.pack("<IIQ6Q", number, arch, 0, *(*arguments, *[0] * 6)[:6])
    at = accumulator = 0
    while True:
        code, yes, no, operand = struct.unpack_from("=HBBI", program, 8 * at)
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, operand)
        elif code == 0x06:
            return int(operand)
        else:
            held = {
                0x15: accumulator == operand,
                0x35: accumulator >= operand,
                0x45: bool(accumulator & operand),
            }[code]
            at += yes if held else no


@pytest.mark.parametrize(
    ("machine", "number", "arguments", "expected"),
    [
        (X86, 0, (), ALLOW),  # read
        (X86, 17, (), ALLOW),  # pread64
        (X86, 231, (), ALLOW),  # exit_group
        (X86, 9, (0, 4096, 3), ALLOW),  # mmap, readable and writable
        (X86, 9, (0, 4096, 7), REFUSE),  # and executable
        (X86, 10, (0, 4096, 5), REFUSE),  # mprotect
        (X86, 234, (PID, PID, 6), ALLOW),  # tgkill of the process itself
        (X86, 234, (1, 1, 9), REFUSE),
        *(
            (X86, number, (), REFUSE)
            for number in (2, 257, 41, 42, 56, 57, 58, 59, 62, 101, 157, 302, 435, 425)
        ),
        (X86, 0x40000000, (), REFUSE),  # read, by its number in the x32 ABI
        (X86, 0x40000002, (), REFUSE),
        (ARM, 63, (), ALLOW),
        (ARM, 67, (), ALLOW),
        (ARM, 94, (), ALLOW),
        (ARM, 222, (0, 4096, 3), ALLOW),
        (ARM, 222, (0, 4096, 7), REFUSE),
        (ARM, 131, (PID, PID, 6), ALLOW),
        (ARM, 131, (1, 1, 9), REFUSE),
        *((ARM, number, (), REFUSE) for number in (56, 198, 203, 220, 221, 129, 117, 167, 261, 435, 425)),
    ],
)
def test_the_filter_allows_only_listed_calls(
    machine: tuple[str, int], number: int, arguments: tuple[int, ...], expected: int
) -> None:
    assert verdict(*machine, number, *arguments) == expected


def test_a_32_bit_system_call_ends_the_process() -> None:
    assert verdict("x86_64", 0x40000003, 3) == KILL  # int 0x80, the call of a 32-bit program
    assert verdict("aarch64", 0x40000028, 3) == KILL


def test_unknown_machines_have_no_filter() -> None:
    assert filter_program("riscv64", PID) is None
    assert filter_program(platform.machine(), os.getpid()) is not None
