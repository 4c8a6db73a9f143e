"""The application: what `hypercorn trio_stream.app:app -k trio` loads.

Importing this module reads the settings, because a wrong one must end the server before it accepts a connection.
Everything else is opened when the server starts (`trio_stream.services`).
"""

import sys
from pathlib import Path

import structlog
from quart.wrappers import Response, Websocket
from werkzeug.wrappers import Response as WerkzeugResponse

from trio_stream import settings as settings_module
from trio_stream.errors import SettingsError, release_traceback
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
"""Bytes. Hardly any route accepts a large body."""

LONGEST_IMPORT = 1024 * 1024
"""Bytes: a few thousand playheads."""

RESERVED_FOR_FILES = 512
"""File descriptors that are reserved for videos and for diagnosing problems, and not used for connections. At most
half of all descriptors are reserved."""

ENOUGH_FILES = 4 * RESERVED_FOR_FILES
"""If the limit of open files is lower, the server logs a warning when it starts."""

HEALTH_PATHS = ("/healthz", "/readyz")
"""Paths that are served even when the limit of connections is reached."""

log = structlog.get_logger("trio_stream.app")


class TrioStream(Application):
    """The application, with the classes that serve its connections."""

    asgi_http_class = http.HTTPConnection
    asgi_websocket_class = websocket.WebsocketConnection
    asgi_lifespan_class = lifespan.Lifespan  # type: ignore[assignment] # has the same interface, but is no subclass
    request_class = exchange.Request
    websocket_class = exchange.Websocket

    async def handle_websocket(self, websocket: Websocket) -> Response | WerkzeugResponse | None:
        """As in Quart-Trio, but without the reference cycles of frames and errors that keep a cancellation alive."""
        async with self.websocket_context(websocket) as context:
            try:
                return await self.full_dispatch_websocket(context)
            except BaseExceptionGroup as group:
                release_traceback(group)
                raise
            except Exception as error:  # noqa: BLE001 - the application's own handlers decide
                return await self.handle_websocket_exception(error)


def create_app(settings: Settings | None = None, *, player_folder: Path = build.DIST) -> TrioStream:
    """Create the application, with `settings` or those of the environment, and the player built in a folder.

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
            connections=_connection_limit(raise_file_limit()),
            connections_per_address=settings.connections_per_address,
            unlimited=(*LOOPBACK, *settings.trusted_proxies),
            visited_paths=HEALTH_PATHS,
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


def _connection_limit(files: int) -> int:
    """How many connections the server may have with this limit of open files."""
    connections = max(files - min(RESERVED_FOR_FILES, files // 2), 1)
    if files < ENOUGH_FILES:
        log.warning(
            "the limit of open files is low, so few connections are possible",
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
