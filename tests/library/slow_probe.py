"""A media worker whose only job waits until its file grows. `python -m tests.library.slow_probe`"""

import time
from collections.abc import Mapping
from typing import Any

from trio_stream.media.formats.media_info import MediaInfo
from trio_stream.media.jobs import Job, MediaFile, Reply, Unreadable
from trio_stream.media.worker import forking

NOTHING = MediaInfo(
    container="mp4",
    duration=None,
    bit_rate=None,
    title=None,
    video=(),
    audio=(),
    subtitles=(),
    chapters=(),
    keyframes=None,
    cover=None,
)


def probe(file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """Wait for the second byte of the file; if it is a question mark, the file counts as damaged."""
    while not (found := file.read_at(1, 1)):
        time.sleep(0.01)
    if found == b"?":
        raise Unreadable("it is damaged")
    return NOTHING.to_json()


JOBS: dict[str, Job] = {"probe": probe}

if __name__ == "__main__":
    forking.main(JOBS)
