"""Starlette's own FileResponse."""

import os
from pathlib import Path

from starlette.applications import Starlette  # type: ignore[import-not-found, unused-ignore]
from starlette.requests import Request  # type: ignore[import-not-found, unused-ignore]
from starlette.responses import FileResponse  # type: ignore[import-not-found, unused-ignore]
from starlette.routing import Route  # type: ignore[import-not-found, unused-ignore]

FOLDER = Path(os.environ["BENCH_FOLDER"])


async def video(request: Request) -> FileResponse:
    return FileResponse(FOLDER / request.path_params["name"])


app = Starlette(routes=[Route("/{name}", video)])
