"""Everything that lives as long as the server is opened, supervised and closed."""

import os
import subprocess
import sys
from dataclasses import astuple
from itertools import pairwise
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.support import wait_until
from trio_stream.backoff import LONGEST_PAUSE
from trio_stream.errors import SettingsError
from trio_stream.services import Health, _run_until, keep_running, open_services
from trio_stream.settings import Settings
from trio_stream.telemetry import logs

pytestmark = pytest.mark.usefixtures("this_process_stays_as_it_is")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "v.mp4").write_bytes(b"video")
    return Settings(videos=tmp_path / "videos", data=tmp_path / "data")


def descriptors() -> dict[str, str]:
    """The open descriptors of this process, except the one that lists them."""
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            continue
    return found


def tasks() -> int:
    return trio.lowlevel.current_statistics().tasks_living


class Crash(Exception):
    """The error that ends a service."""


async def test_everything_opened_is_closed(settings: Settings) -> None:
    before = descriptors(), tasks()
    async with open_services(settings) as services:
        assert descriptors() != before[0]
        assert tasks() > before[1]
        assert list(await services.listing.names()) == ["v.mp4"]
        assert services.health.ready
        assert services.sampler.statistics().tasks == tasks()
        assert services.registry.statistics().active == 0
        assert astuple(services.maps.statistics()) == (0, 0, 0)
    await wait_until(lambda: (descriptors(), tasks()) == before, 2, "everything to be closed")


async def test_everything_is_closed_after_an_error(settings: Settings) -> None:
    before = descriptors(), tasks()
    with pytest.RaisesGroup(Crash):
        async with open_services(settings):
            raise Crash
    await wait_until(lambda: (descriptors(), tasks()) == before, 2, "everything to be closed")


async def test_everything_is_closed_when_cancelled(settings: Settings) -> None:
    before = descriptors(), tasks()
    with trio.move_on_after(0) as scope:
        async with open_services(settings):
            await trio.sleep_forever()
    assert scope.cancelled_caught
    await wait_until(lambda: (descriptors(), tasks()) == before, 2, "everything to be closed")


async def test_nothing_is_opened_for_a_missing_folder(settings: Settings) -> None:
    (settings.videos / "v.mp4").unlink()
    settings.videos.rmdir()
    before = descriptors(), tasks()
    with pytest.raises(SettingsError, match="cannot be read"):
        async with open_services(settings):
            raise AssertionError("opened")
    await wait_until(lambda: (descriptors(), tasks()) == before, 2, "everything to be closed")


async def test_services_follow_the_settings(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    chosen = Settings(videos=tmp_path / "videos", data=tmp_path / "data", max_streams=3)
    async with open_services(chosen) as services:
        assert services.settings is chosen
        assert services.registry.limit == 3


LIMITS = """
import resource, sys, trio
from pathlib import Path
from trio_stream.services import open_services
from trio_stream.settings import Settings

soft, hard = int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

async def main():
    async with open_services(Settings(videos=Path(sys.argv[1]), data=Path(sys.argv[4]))):
        print(*resource.getrlimit(resource.RLIMIT_NOFILE))

trio.run(main)
"""


@pytest.mark.parametrize(("soft", "hard"), [(128, 512), (512, 512)])
def test_the_file_limit_is_raised_as_far_as_allowed(settings: Settings, soft: int, hard: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LIMITS, str(settings.videos), str(soft), str(hard), str(settings.data)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"{hard} {hard}" in ended.stdout.splitlines()


async def failing_service(*, task_status: trio.TaskStatus[None]) -> None:
    """A background service that starts and then fails."""
    task_status.started()
    await trio.lowlevel.checkpoint()
    raise Crash("no more")


async def lasting_service(*, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()
    await trio.sleep_forever()


async def test_a_service_that_dies_is_reported_and_restarted_alone(
    capsys: pytest.CaptureFixture[str], autojump_clock: trio.testing.MockClock
) -> None:
    logs.configure("json", "info")
    health = Health()
    async with trio.open_nursery() as nursery:
        await nursery.start(keep_running, health, "lucky", lasting_service)
        assert health.ready
        await nursery.start(keep_running, health, "unlucky", failing_service)
        while health.ready:
            await trio.lowlevel.checkpoint()
        assert health.dead == {"unlucky": "Crash: no more"}
        assert len(nursery.child_tasks) == 2, "the other one continues, and this one is restarted"
        nursery.cancel_scope.cancel()
    logged = capsys.readouterr().err
    assert "a background service died" in logged
    assert '"service": "unlucky"' in logged
    assert "Crash: no more" in logged


async def test_a_service_that_keeps_dying_restarts_after_longer_pauses(
    autojump_clock: trio.testing.MockClock,
) -> None:
    health, start_times = Health(), list[float]()

    async def recovering_service(*, task_status: trio.TaskStatus[None]) -> None:
        start_times.append(trio.current_time())
        task_status.started()
        if len(start_times) == 9:
            await trio.sleep(LONGEST_PAUSE + 1)
        elif len(start_times) == 11:
            await trio.sleep_forever()
        async with trio.open_nursery():
            raise Crash

    async with trio.open_nursery() as nursery:
        await nursery.start(keep_running, health, "unlucky", recovering_service)
        await trio.sleep(1000)
        assert len(start_times) == 11
        assert health.ready
        nursery.cancel_scope.cancel()
    pauses = [round(after - before) for before, after in pairwise(start_times)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, LONGEST_PAUSE + 1 + 1, 2]


async def test_a_service_that_cannot_start_raises() -> None:
    async def fails(*, task_status: trio.TaskStatus[None]) -> None:
        raise Crash

    health = Health()
    with pytest.RaisesGroup(Crash, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            await nursery.start(keep_running, health, "unlucky", fails)
    assert health.ready


async def test_a_service_that_is_cancelled_did_not_die() -> None:
    health = Health()
    async with trio.open_nursery() as nursery:
        await nursery.start(keep_running, health, "lucky", lasting_service)
        nursery.cancel_scope.cancel()
    assert health.ready
    assert health.dead == {}


async def test_readyz_names_the_dead_services(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIO_STREAM_VIDEOS", str(settings.videos))
    from trio_stream.app import create_app  # noqa: PLC0415 - importing it reads the settings

    app = create_app(settings)
    async with open_services(settings) as services:
        app.services = services
        client = app.test_client()
        response = await client.get("/readyz")
        assert (response.status_code, await response.get_json()) == (200, {"status": "ok"})

        services.health.dead["unlucky"] = "Crash: no more"
        response = await client.get("/readyz")
        assert response.status_code == 503
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.headers["Cache-Control"] == "no-store"
        problem = await response.get_json(force=True)
        assert (problem["status"], problem["code"]) == (503, "not-ready")
        assert "unlucky" in problem["detail"]
        assert "no more" not in problem["detail"], "the reason is only in the log"
        for path in ("/healthz", "/api/videos", "/api/metrics"):
            response = await client.get(path, scope_base={"client": ("127.0.0.1", 1)})
            assert response.status_code == 200, "it continues to serve"


@pytest.mark.parametrize("checkpoints", range(4))
async def test_services_cancelled_while_they_start_end(checkpoints: int) -> None:
    """After a cancellation, the writer continues until its users have ended; but they must have started."""

    async def starts_slowly(*, task_status: trio.TaskStatus[None]) -> None:
        for _ in range(3):
            await trio.lowlevel.checkpoint()
        task_status.started()
        await trio.sleep_forever()

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(nursery.start, _run_until, trio.Event(), starts_slowly)
            for _ in range(checkpoints):
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
