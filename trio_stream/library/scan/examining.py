"""Reads new and changed files in a thread. No other files are opened."""

from collections.abc import Sequence

import structlog
import trio

from trio_stream.errors import VideoNotFound
from trio_stream.library.folder.catalog import open_file
from trio_stream.library.folder.content import Identity, digest, examine, is_fully_sampled
from trio_stream.library.records.adding import ExaminedFile

log = structlog.get_logger("trio_stream.library")


def examine_files(root: str, names: Sequence[str], *, with_digest: bool) -> list[ExaminedFile]:
    """Examine the files `names` of the folder `root`. Files that are gone by now, or unreadable, are left out.

    Run it in a Trio thread. When cancelled, it stops within one chunk of a file.
    """
    found = []
    for name in names:
        try:
            file = open_file(root, name)
        except VideoNotFound:
            continue
        except OSError as error:
            log.warning("a video could not be read", name=name, reason=error.strerror)
            continue
        try:
            with file:
                status, content = examine(file.fd)
                # The digest of a small file is cheap now, and avoids reading it again if its fingerprint is ambiguous.
                digest_of_all = None
                if with_digest or is_fully_sampled(content.size):
                    digest_of_all = digest(
                        file.fd, status, content, check_cancelled=trio.from_thread.check_cancelled
                    )
                found.append(ExaminedFile(name, Identity.of(status), content, digest_of_all))
        except OSError as error:
            log.warning("a video could not be read", name=name, reason=error.strerror)
    return found
