"""Opening a file without waiting for a disk, where the kernel can tell: `openat2(2)` with `RESOLVE_CACHED`.

A path all of whose folders and whose file were looked up before is found in memory, in microseconds; going through a
worker thread for it costs more than sending a small file. Whatever is not in memory is refused by the kernel
(`EAGAIN`), and then a thread has to open it. Linux 5.12 has it; where it is missing or forbidden, nothing is cached.
"""

import ctypes
import errno
import os
import sys

from trio_stream.files import OpenFile

_OPENAT2 = ctypes.c_long(437)
"""The number of the system call, the same on every architecture."""

_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_CACHED = 0x20
_AT_FDCWD = ctypes.c_int(-100)


class _How(ctypes.Structure):
    """`struct open_how` of `openat2(2)`."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class CachedOpener:
    """Opens what is known to the kernel already; gives up for good where there is no such system call."""

    def __init__(self) -> None:
        self._syscall = ctypes.CDLL(None, use_errno=True).syscall if sys.platform == "linux" else None
        self._size = ctypes.c_size_t(ctypes.sizeof(_How))
        if self._syscall is not None:
            flags = os.O_PATH | os.O_CLOEXEC
            self._how = ctypes.byref(_How(flags, 0, _RESOLVE_CACHED | _RESOLVE_NO_MAGICLINKS))

    def open(self, path: str) -> OpenFile | None:
        """A handle of whatever is there (`O_PATH`: nothing is done to it yet), or None when a thread has to look.

        Raises nothing: the thread finds out what is wrong.
        """
        if self._syscall is None:
            return None
        try:
            name = os.fsencode(path)
        except UnicodeEncodeError:
            return None
        fd: int = self._syscall(_OPENAT2, _AT_FDCWD, name, self._how, self._size)
        if fd >= 0:
            return OpenFile(fd)
        # An older kernel; a filter that knows no such call (old Docker: EPERM); 5.6 to 5.11, without `RESOLVE_CACHED`.
        if ctypes.get_errno() in (errno.ENOSYS, errno.EPERM, errno.EINVAL):
            self._syscall = None
        return None
