"""A worker with a bug in one of its jobs. `python -m tests.playback.planted`"""

from collections.abc import Mapping
from typing import Any

from trio_stream.media.jobs import MediaFile, Reply
from trio_stream.media.worker import forking


def outline(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """An empty result."""
    raise IndexError(3)


if __name__ == "__main__":
    forking.main({"outline": outline})
