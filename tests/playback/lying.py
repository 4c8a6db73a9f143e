"""A worker whose jobs answer what no honest one would. `python -m tests.playback.lying`"""

import time
from collections.abc import Mapping
from typing import Any

from trio_stream.media.jobs import MediaFile, Reply
from trio_stream.media.worker import forking


def outline(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """None."""
    return {"container": "matroska", "video": "yes"}


def init(_file: MediaFile, _options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """A page."""
    reply.blob("init", b"<html><script>")
    return {}


def segment(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """Nothing, for ever."""
    time.sleep(3600)
    return {}


if __name__ == "__main__":
    forking.main({"outline": outline, "init": init, "segment": segment})
