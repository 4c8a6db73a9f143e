"""The list of videos."""

from datetime import UTC, datetime
from typing import Any

from quart import Blueprint

from trio_stream.library.catalog import Video
from trio_stream.library.naming import url_path
from trio_stream.web.exchange import services

blueprint = Blueprint("videos", __name__)

DETAILED = 100
"""So many videos are described; the names are all there."""

LATEST = int(datetime.max.replace(tzinfo=UTC).timestamp())
"""File systems hold times that calendars do not."""


@blueprint.get("/api/videos")
async def list_videos() -> dict[str, Any]:
    """All names, and the first items with what is known of them."""
    videos = await services().catalog.videos()
    return {
        "videos": [video.name for video in videos],
        "items": [item(video) for video in videos[:DETAILED]],
        "status": "ok",
    }


def item(video: Video) -> dict[str, Any]:
    """One video as the API describes it: `size` in bytes, `modified` in ISO 8601."""
    path = url_path(video.name)
    return {
        "name": video.name,
        "size": video.size,
        "modified": datetime.fromtimestamp(min(max(video.mtime_ns // 10**9, 0), LATEST), UTC).isoformat(),
        "content_type": video.media_type,
        "urls": {
            "stream": f"/api/stream/{path}",
            "download": f"/api/stream/{path}?download=1",
            "websocket": f"/api/ws/stream/{path}",
        },
    }
