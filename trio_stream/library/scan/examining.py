"""What is in files that are new or have changed: the only ones that are opened, in a thread."""

from collections.abc import Sequence

import structlog
import trio

from trio_stream.errors import VideoNotFound
from trio_stream.library.folder.catalog import open_file
from trio_stream.library.folder.content import Identity, digest, examine, is_read_whole
from trio_stream.library.records.adding import Found

log = structlog.get_logger("trio_stream.library")


def examine_files(root: str, names: Sequence[str], *, with_digest: bool) -> list[Found]:
    """What is in the files `names` of the folder `root`; what has gone meanwhile, or cannot be read, is left out.

    To be run in a thread of Trio's, which ends within a piece of a file when it is not wanted any more.
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
                # Of a small file it is at hand: nothing has to be read again when its bytes turn out to be another's.
                whole = None
                if with_digest or is_read_whole(content.size):
                    whole = digest(file.fd, status, content, go_on=trio.from_thread.check_cancelled)
                found.append(Found(name, Identity.of(status), content, whole))
        except OSError as error:
            log.warning("a video could not be read", name=name, reason=error.strerror)
    return found
