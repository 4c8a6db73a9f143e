"""The job "outline": what packaging has to know of a file that is no MP4.

A file that is not large is read through; of a larger one the index is asked, if it has one that can be believed. A
large file without an index is read through as far as the bounds allow.
"""

from collections.abc import Mapping
from typing import Any

from trio_stream.media.jobs import MediaFile, Reply
from trio_stream.media.remux.demuxing import open_tracks
from trio_stream.media.remux.draft import Draft
from trio_stream.media.remux.indexes import ContainerIndex, Hollow
from trio_stream.media.remux.joining import Joining

WHOLE_BYTES = 64 << 20
"""A file of so many bytes is read through whether or not it has an index; a tenth of a second of processor time."""

SCAN_BYTES = 64 << 30
"""How much of a file without an index is read; a minute of processor time."""

SCAN_SECONDS = 45.0
"""How long it is read at most."""


def outline(file: MediaFile, options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """`Outline.to_json` of the file. Raises `Unreadable`.

    Options, each a bound: `whole_bytes`, `scan_bytes`, `scan_seconds`.
    """
    whole_bytes = int(options.get("whole_bytes", WHOLE_BYTES))
    scan = int(options.get("scan_bytes", SCAN_BYTES)), float(options.get("scan_seconds", SCAN_SECONDS))
    if (file.size or 0) > whole_bytes:
        hollow = Hollow(file)
        with open_tracks(hollow) as container:
            draft = Draft(container, hollow)
            if ContainerIndex(container, hollow, draft.survey, draft.name).fill(scan[1]):
                return draft.outline().to_json()
    with open_tracks(file) as container:
        draft = Draft(container, file)
        draft.survey.read(*scan)
        if draft.is_simple:
            return draft.outline().to_json()
    return Joining(file, *scan).outline().to_json()
