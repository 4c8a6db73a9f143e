"""Ownership of open files.

An `OpenFile` is owned by its holder: a `with` block, or the object that it was passed to. A bare `fd` is lent: code
that receives one must neither close nor keep it.
"""

import errno
import os
import warnings
from typing import Self

from trio_stream.errors import TooManyFiles

NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE})
"""Errors when this process, or the system, has reached its limit of open files."""

READ_ONLY = os.O_RDONLY | os.O_CLOEXEC


class OpenFile:
    """An open file. Closing it more than once has no effect."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        """Take over a descriptor."""
        self._fd = fd

    @classmethod
    def dup(cls, fd: int) -> Self:
        """The same file with a new descriptor. Raises `TooManyFiles`."""
        try:
            return cls(os.dup(fd))
        except OSError as error:
            if error.errno in NO_DESCRIPTOR:
                raise TooManyFiles from None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Only a safety net: code that drops an open file without closing it has a leak to fix.
        if self._fd >= 0:
            warnings.warn(
                f"the descriptor {self._fd} was not closed", ResourceWarning, source=self, stacklevel=2
            )
            self.close()

    @property
    def fd(self) -> int:
        """The descriptor, lent while the file is open. Raises `ValueError` if it is closed: the number may belong to
        another file by then."""
        if self._fd < 0:
            raise ValueError("the file is closed")
        return self._fd

    @property
    def closed(self) -> bool:
        """Whether the file is closed or detached."""
        return self._fd < 0

    def detach(self) -> int:
        """Give the descriptor to the caller, who must close it. Raises `ValueError` if it is closed."""
        fd = self.fd
        self._fd = -1
        return fd

    def close(self) -> None:
        """Close the file, if it is open. Raises `OSError` for a late error of the system; the file is closed anyway.

        Linux frees the number before it reports an error (close(2), "Dealing with error returns from close()"). A
        second attempt could close a file that another thread has opened since, so the number is cleared first.
        """
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
