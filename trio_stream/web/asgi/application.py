"""The type of the Quart application, for the modules below its routes."""

from quart_trio import QuartTrio

from trio_stream.services import Services
from trio_stream.settings import Settings
from trio_stream.web.asgi.direct import DirectRoutes


class Application(QuartTrio):
    """A Quart application with its settings and direct routes, and with its services while it runs."""

    settings: Settings
    services: Services
    direct_routes: DirectRoutes
