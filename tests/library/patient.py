"""A worker whose one job waits for its file to change, and answers then. `python -m tests.library.patient`"""

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
    """Waits for the second byte of the file; with a question mark there it is damaged."""
    while not (found := file.read_at(1, 1)):
        time.sleep(0.01)
    if found == b"?":
        raise Unreadable("it is damaged")
    return NOTHING.to_json()


JOBS: dict[str, Job] = {"probe": probe}

if __name__ == "__main__":
    forking.main(JOBS)
