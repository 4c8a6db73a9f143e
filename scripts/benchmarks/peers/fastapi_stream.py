"""Video streaming as FastAPI tutorials teach it: a generator of 64 KiB chunks, and code that parses Range."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from fastapi import FastAPI, Request  # type: ignore[import-not-found, unused-ignore]
from fastapi.responses import StreamingResponse  # type: ignore[import-not-found, unused-ignore]

FOLDER = Path(os.environ["BENCH_FOLDER"])
CHUNK = 64 * 1024


def chunks(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left > 0 and (data := file.read(min(CHUNK, left))):
            left -= len(data)
            yield data


def video(name: str, request: Request) -> StreamingResponse:
    path = FOLDER / name
    size = path.stat().st_size
    start, end, status = 0, size, 200
    headers = {"Accept-Ranges": "bytes"}
    if found := re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", "")):
        start, end, status = int(found[1]), int(found[2] or size - 1) + 1, 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    return StreamingResponse(chunks(path, start, end), status, headers, media_type="video/mp4")


app = FastAPI()
app.add_api_route("/{name}", video, methods=["GET"], response_model=None)
