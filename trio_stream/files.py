"""Who owns an open file.

An `OpenFile` is owned by whoever holds it: by the `with` it stands in, or by what it was handed to. A bare `fd` is
lent: who takes one neither closes nor keeps it.
"""

import errno
import os
import warnings
from typing import Self

from trio_stream.errors import TooManyFiles

NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE})
"""What this process may have open is open, or what the system may."""

READ_ONLY = os.O_RDONLY | os.O_CLOEXEC


class OpenFile:
    """An open file, which is closed once, however often it is asked to be."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        """Take over a descriptor."""
        self._fd = fd

    @classmethod
    def dup(cls, fd: int) -> Self:
        """The same file, with a descriptor of its own. Raises `TooManyFiles`."""
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
        # A net and no way to close: whoever lets go of one without closing it has a leak to mend.
        if self._fd >= 0:
            warnings.warn(
                f"the descriptor {self._fd} was not closed", ResourceWarning, source=self, stacklevel=2
            )
            self.close()

    @property
    def fd(self) -> int:
        """The descriptor, lent for as long as this is open. Raises `ValueError` once it is not: the number may be
        that of another file by then."""
        if self._fd < 0:
            raise ValueError("the file is closed")
        return self._fd

    @property
    def closed(self) -> bool:
        """Whether there is nothing to close any more."""
        return self._fd < 0

    def detach(self) -> int:
        """Give the descriptor away: it is the caller's to close. Raises `ValueError` if it is closed."""
        fd = self.fd
        self._fd = -1
        return fd

    def close(self) -> None:
        """Close the file, if it is open. Raises `OSError` where the system found an error late; it is closed then, too.

        Linux frees the number before it reports (close(2), "Dealing with error returns from close()"), so a second
        try would close whatever another thread has opened meanwhile. Hence the number is forgotten first.
        """
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
