"""The events of the operator's live view: the last ten minutes, then every second a sample and the running streams.

Each event is written once for all clients, so the cost, except for sending, does not depend on their number.
"""

from functools import partial

from quart import Blueprint, Response

from trio_stream.accounts.grants import Verb
from trio_stream.errors import TooManyListeners
from trio_stream.services import LISTENERS, Services
from trio_stream.telemetry.history import Sample
from trio_stream.web.api.streams import running
from trio_stream.web.api.wire.figures import LiveHistory, LiveNow, LiveSample
from trio_stream.web.api.wire.operations import HEALTH, Operation, declares, events
from trio_stream.web.asgi.events import EventStream, event, server_sent
from trio_stream.web.asgi.exchange import services


class Live:
    """The text of the newest sample, cached until there is a newer one."""

    def __init__(self) -> None:
        self._sample: Sample | None = None
        self._text = b""

    def write(self, services: Services, sent: int) -> bytes:
        """The events for a client that received version `sent` last; -1 means none, so it gets the history, too."""
        history = services.sampler.history
        if self._sample is not history.newest:
            self._text = event("now", history.version, describe(services))
            self._sample = history.newest
        if sent >= 0:
            return self._text
        return (
            event("history", history.version - 1, LiveHistory(**history.columns(without_newest=1)._asdict()))
            + self._text
        )


LIVE = Operation(
    id="live",
    tag=HEALTH,
    summary="Follow the live metrics",
    verb=Verb.OPERATE,
    curl="curl -N {url}",
    returns=(events(),),
    raises=({TooManyListeners: "Too many clients listen to events; try again later."},),
    events=(LiveHistory, LiveNow),
    description="Server-sent events, until you disconnect or the server stops. The first event is `history`, whose "
    "data is `LiveHistory` as JSON. A `now` event, whose data is `LiveNow`, follows at once and then every second: "
    "its sample is the next one after those you have. A slow client misses some samples; their times show which.\n\n"
    "All values are of the process that responds; a server with several workers has several processes. "
    f"Up to {LISTENERS} clients of a process may listen to events at once.",
)


def blueprint() -> Blueprint:
    """The live view of one application."""
    blueprint = Blueprint("live", __name__)
    text = Live()

    @blueprint.get("/api/live")
    @server_sent
    @declares(LIVE)
    async def live() -> Response:
        """The metrics of this process, as server-sent events."""
        return Response(EventStream(services().sampler.history, partial(text.write, services())))

    return blueprint


def describe(services: Services) -> LiveNow:
    """The newest sample, the totals, and the running streams."""
    return LiveNow(
        sample=LiveSample(**services.sampler.history.newest._asdict()),
        uptime_seconds=round(services.sampler.uptime, 3),
        bytes_sent=services.registry.statistics().bytes_sent,
        max_streams=services.registry.limit,
        streams=running(services.registry),
    )
