"""The application: what `hypercorn trio_stream.app:app -k trio` loads.

Importing this module reads the settings, because a wrong one has to end the server before it takes a connection;
everything else is opened when the server starts (`trio_stream.services`).
"""

import sys
from pathlib import Path

import structlog
from quart.wrappers import Response, Websocket
from werkzeug.wrappers import Response as WerkzeugResponse

from trio_stream import settings as settings_module
from trio_stream.errors import SettingsError, let_go
from trio_stream.server.install import Limits, install
from trio_stream.server.tcp.admission import LOOPBACK
from trio_stream.services import raise_file_limit
from trio_stream.settings import Settings
from trio_stream.telemetry import logs
from trio_stream.web.api import streams
from trio_stream.web.asgi import checks, compression, direct, exchange, http, lifespan, problems, websocket
from trio_stream.web.asgi.application import Application
from trio_stream.web.openapi import document
from trio_stream.web.site import build, player

LONGEST_REQUEST_BODY = 64 * 1024
"""Bytes; next to nothing here takes a large body."""

LONGEST_IMPORT = 1024 * 1024
"""Bytes; some thousand playheads."""

KEPT_FOR_FILES = 512
"""Descriptors that connections may not take, at most half of them: for videos and whoever looks at what is wrong."""

ENOUGH_FILES = 4 * KEPT_FOR_FILES
"""Open files below which the server says at its start that they are few."""

HEALTH = ("/healthz", "/readyz")
"""Paths that are served also when there are as many connections as there may be."""

log = structlog.get_logger("trio_stream.app")


class TrioStream(Application):
    """The application, with the classes that serve its connections."""

    asgi_http_class = http.HTTPConnection
    asgi_websocket_class = websocket.WebsocketConnection
    asgi_lifespan_class = lifespan.Lifespan  # type: ignore[assignment] # called alike, if no subclass
    request_class = exchange.Request
    websocket_class = exchange.Websocket

    async def handle_websocket(self, websocket: Websocket) -> Response | WerkzeugResponse | None:
        """As in Quart-Trio, but what cancels it is not kept by frames and errors that it keeps itself."""
        async with self.websocket_context(websocket) as context:
            try:
                return await self.full_dispatch_websocket(context)
            except BaseExceptionGroup as group:
                let_go(group)
                raise
            except Exception as error:  # noqa: BLE001 - the application's own handlers have the last word
                return await self.handle_websocket_exception(error)


def create_app(settings: Settings | None = None, *, player_folder: Path = build.DIST) -> TrioStream:
    """The application for `settings`, or for those of the environment, with the player built in a folder.

    Raises `SettingsError`.
    """
    if settings is None:
        settings = settings_module.load()
        settings.check_videos()
    logs.configure(settings.log_format, settings.log_level)
    install(
        Limits(
            send_timeout=settings.send_timeout,
            zero_copy=settings.zero_copy,
            connections=_connections(raise_file_limit()),
            connections_per_address=settings.connections_per_address,
            unlimited=(*LOOPBACK, *settings.trusted_proxies),
            visited_paths=HEALTH,
            request_body=LONGEST_REQUEST_BODY,
            request_bodies={"/api/watch-state": LONGEST_IMPORT},
        )
    )

    app = TrioStream("trio_stream", static_folder=None)
    app.settings = settings
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_IMPORT
    app.url_map.merge_slashes = False
    app.url_map.converters["video"] = streams.VideoConverter
    problems.register(app)
    compression.register(app)
    checks.register(app, settings.cors_origins)
    site = player.Player(player_folder)
    app.before_serving(site.read)
    for blueprint in document.blueprints(site):
        app.register_blueprint(blueprint)
    app.direct_routes = direct.DirectRoutes(app, settings)
    return app


def _connections(files: int) -> int:
    """How many connections there may be where so many files may be open."""
    connections = max(files - min(KEPT_FOR_FILES, files // 2), 1)
    if files < ENOUGH_FILES:
        log.warning(
            "few files may be open, so there can be few connections",
            files=files,
            connections=connections,
            remedy=f"raise the hard limit to {ENOUGH_FILES} or more: ulimit -Hn, or LimitNOFILE= of systemd",
        )
    return connections


def _app_or_exit() -> TrioStream:
    try:
        return create_app()
    except SettingsError as error:
        print(f"trio-stream: {error}", file=sys.stderr)
        raise SystemExit(2) from None


app = _app_or_exit()
