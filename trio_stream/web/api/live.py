"""What the operator's live view is told: the last ten minutes, then each second a sample and all that is streamed.

It is written once for all who look, so what they cost beyond the sending does not depend on how many they are.
"""

from functools import partial

from quart import Blueprint, Response

from trio_stream.errors import TooManyListeners
from trio_stream.services import LISTENERS, Services
from trio_stream.telemetry.history import Sample
from trio_stream.web.api.streams import running
from trio_stream.web.api.wire.figures import LiveHistory, LiveNow, LiveSample
from trio_stream.web.api.wire.operations import HEALTH, Operation, declares, events
from trio_stream.web.asgi.events import EventStream, event, server_sent
from trio_stream.web.asgi.exchange import services


class Live:
    """The text of the newest sample, for as long as it is the newest."""

    def __init__(self) -> None:
        self._sample: Sample | None = None
        self._text = b""

    def write(self, services: Services, told: int) -> bytes:
        """What there is to say now to a client that was told of version `told` last; all of it if that is -1."""
        history = services.sampler.history
        if self._sample is not history.newest:
            self._text = event("now", history.version, describe(services))
            self._sample = history.newest
        if told >= 0:
            return self._text
        return (
            event("history", history.version - 1, LiveHistory(**history.columns(without_newest=1)._asdict()))
            + self._text
        )


LIVE = Operation(
    id="live",
    tag=HEALTH,
    summary="What the server does, as it happens",
    curl="curl -N {url}",
    returns=(events(),),
    raises=({TooManyListeners: "Too many listen to events already; ask again later."},),
    events=(LiveHistory, LiveNow),
    description="Server-sent events, until you leave or the server stops. First comes `history`, whose data is "
    "`LiveHistory` as JSON, and right after it and then each second `now`, whose data is `LiveNow`: its sample is "
    "the next one after those you have. Who is slow misses some; their times tell.\n\n"
    "All of it is about the process that answers; a server with several workers has several. "
    f"{LISTENERS} clients of a process may listen to events at once.",
)


def blueprint() -> Blueprint:
    """The live view of one application."""
    blueprint = Blueprint("live", __name__)
    newest = Live()

    @blueprint.get("/api/live")
    @server_sent
    @declares(LIVE)
    async def live() -> Response:
        """What this process does, as it happens: server-sent events."""
        return Response(EventStream(services().sampler.history, partial(newest.write, services())))

    return blueprint


def describe(services: Services) -> LiveNow:
    """The newest sample, the totals, and what is streaming now."""
    return LiveNow(
        sample=LiveSample(**services.sampler.history.newest._asdict()),
        uptime_seconds=round(services.sampler.uptime, 3),
        bytes_sent=services.registry.statistics().bytes_sent,
        max_streams=services.registry.limit,
        streams=running(services.registry),
    )
