"""The resources of an exchange are released, whenever it ends."""

import os
from functools import partial
from pathlib import Path
from typing import cast

import pytest
import trio
from hypercorn.typing import ASGIReceiveCallable, HTTPScope

from trio_stream.files import OpenFile
from trio_stream.packaging.presentation import Presentation, Rendition, Segments
from trio_stream.services import Services, open_services
from trio_stream.settings import Settings
from trio_stream.streaming.maps import MappedFile
from trio_stream.web.api import playlists
from trio_stream.web.asgi.exchange import Exchange

REVISION = "0123456789abcdef01234567"

FILM = Presentation(
    (Rendition("v0", "video", 0, "", 25, Segments((), (), ()), carriage={}),),
    by_copy=False,
)


pytestmark = pytest.mark.usefixtures("this_process_stays_as_it_is")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "film.mkv").write_bytes(b"film")
    return Settings(videos=tmp_path / "videos", data=tmp_path / "data")


async def opened(services: Services, exchange: Exchange) -> MappedFile:
    video = await services.catalog.open("film.mkv")
    return exchange.hold(video.file, video.status)


async def test_a_result_is_released_if_the_request_is_cancelled_at_that_time(settings: Settings) -> None:
    """The caller of `run_while_connected` does not get the result then, so the result must be held before."""

    async def remuxed() -> bytes:
        return b"\0\0\0\x08ftyp"

    async def never() -> object:
        await trio.sleep_forever()

    async with open_services(settings) as services:
        (await services.owner.get().segments.get(f"{REVISION}-v0-init", remuxed)).close()
        scope = cast("HTTPScope", {"headers": [], "client": None})
        receive = cast("ASGIReceiveCallable", never)
        with trio.CancelScope() as request, Exchange(services, scope, receive) as exchange:
            source = await opened(services, exchange)
            wanted = playlists._SegmentName("v0", None, keyframe=False, init=0)
            make = partial(playlists._hold_remuxed, exchange, source, REVISION, FILM, wanted)

            async def make_and_cancel() -> MappedFile:
                segment = await make()
                assert services.maps.statistics().files == 1, "the video was released for it"
                assert os.pread(segment.fd, 10, 0) == await remuxed()
                request.cancel()
                return segment

            await exchange.run_while_connected(make_and_cancel)
        assert request.cancelled_caught
        assert services.maps.statistics().files == 0


async def test_an_exchange_holds_one_file_at_a_time(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    async with open_services(settings) as services:
        with Exchange(services, cast("HTTPScope", {"headers": []})) as exchange:
            first = await opened(services, exchange)
            assert await opened(services, exchange) is first
            assert (services.maps.statistics().files, services.maps.statistics().holders) == (1, 1)
            other = exchange.hold(OpenFile(os.open(tmp_path / "other", os.O_RDONLY)))
            assert exchange.file is other
            assert services.maps.statistics().files == 1
            with pytest.raises(ValueError, match="closed"):
                _ = first.fd
        assert services.maps.statistics().files == 0
