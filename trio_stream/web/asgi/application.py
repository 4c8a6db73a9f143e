"""The Quart application, as everything below its routes knows it."""

from quart_trio import QuartTrio

from trio_stream.services import Services
from trio_stream.settings import Settings
from trio_stream.web.asgi.direct import DirectRoutes


class Application(QuartTrio):
    """A Quart application with its settings, its direct routes, and its services while it runs."""

    settings: Settings
    services: Services
    direct_routes: DirectRoutes
