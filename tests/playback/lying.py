"""A worker whose jobs return invalid results. `python -m tests.playback.lying`"""

import time
from collections.abc import Mapping
from typing import Any

from trio_stream.media.jobs import MediaFile, Reply
from trio_stream.media.worker import forking


def outline(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """An empty result."""
    return {"container": "matroska", "video": "yes"}


def init(_file: MediaFile, _options: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """An HTML page."""
    reply.blob("init", b"<html><script>")
    return {}


def segment(_file: MediaFile, _options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """Never returns."""
    time.sleep(3600)
    return {}


if __name__ == "__main__":
    forking.main({"outline": outline, "init": init, "segment": segment})
