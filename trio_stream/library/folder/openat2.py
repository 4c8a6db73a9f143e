"""Opens a file without waiting for the disk, if the kernel has its path in memory: `openat2(2)` with `RESOLVE_CACHED`.

If all folders of a path and the file itself were looked up before, the kernel finds it in memory, in microseconds. A
worker thread would cost more than sending a small file. If a part is not in memory, the kernel refuses (`EAGAIN`), and
a thread must open the file. This needs Linux 5.12; where it is missing or forbidden, every file goes to a thread.
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
    """Opens files whose paths the kernel has in memory. Disables itself where the system call does not exist."""

    def __init__(self) -> None:
        self._syscall = ctypes.CDLL(None, use_errno=True).syscall if sys.platform == "linux" else None
        self._size = ctypes.c_size_t(ctypes.sizeof(_How))
        if self._syscall is not None:
            flags = os.O_PATH | os.O_CLOEXEC
            self._how = ctypes.byref(_How(flags, 0, _RESOLVE_CACHED | _RESOLVE_NO_MAGICLINKS))

    def open(self, path: str) -> OpenFile | None:
        """An `O_PATH` handle for the path, which has no side effects; None if a thread must open it.

        Raises nothing: the thread reports what is wrong.
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
        # An older kernel; a filter without this call (old Docker: EPERM); Linux 5.6 to 5.11 without `RESOLVE_CACHED`.
        if ctypes.get_errno() in (errno.ENOSYS, errno.EPERM, errno.EINVAL):
            self._syscall = None
        return None
