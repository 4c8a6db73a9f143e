"""The job "outline": find what packaging needs to know about a file that is not MP4.

A small file is read completely. For a larger one the index is used, if it has one that can be trusted. A large file
without an index is read as far as the limits allow.
"""

from collections.abc import Mapping
from typing import Any

from trio_stream.media.jobs import MediaFile, Reply
from trio_stream.media.remux.demuxing import open_tracks
from trio_stream.media.remux.draft import Draft
from trio_stream.media.remux.indexes import ContainerIndex, ZeroableFile
from trio_stream.media.remux.joining import PartsOutliner

WHOLE_BYTES = 64 << 20
"""A file of at most this size is read completely, with or without an index; a tenth of a second of CPU time."""

SCAN_BYTES = 64 << 30
"""How much of a file without an index is read; a minute of CPU time."""

SCAN_SECONDS = 45.0
"""How long it is read, at most."""


def outline(file: MediaFile, options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """Return `Outline.to_json` of the file. Raises `Unreadable`.

    Options, all limits: `whole_bytes`, `scan_bytes`, `scan_seconds`.
    """
    whole_bytes = int(options.get("whole_bytes", WHOLE_BYTES))
    scan = int(options.get("scan_bytes", SCAN_BYTES)), float(options.get("scan_seconds", SCAN_SECONDS))
    if (file.size or 0) > whole_bytes:
        zeroable = ZeroableFile(file)
        with open_tracks(zeroable) as container:
            draft = Draft(container, zeroable)
            if ContainerIndex(container, zeroable, draft.survey, draft.name).fill(scan[1]):
                return draft.outline().to_json()
    with open_tracks(file) as container:
        draft = Draft(container, file)
        draft.survey.read(*scan)
        if draft.is_simple:
            return draft.outline().to_json()
    return PartsOutliner(file, *scan).outline().to_json()
