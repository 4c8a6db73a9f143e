"""aiohttp's own static route, which uses sendfile; the only argument is the port."""

import os
import sys

from aiohttp import web  # type: ignore[import-not-found, unused-ignore]

if __name__ == "__main__":
    application = web.Application()
    application.add_routes([web.static("/", os.environ["BENCH_FOLDER"])])
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
