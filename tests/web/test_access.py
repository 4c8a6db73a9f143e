"""Who may call which route: every route of the URL map, from this machine, from another one, and as a guest."""

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support import COMMAND_LINE, Server, connect_to_other_worker, serving, wait_for
from trio_stream.accounts import grants
from trio_stream.accounts.grants import GUEST, NOBODY, OPERATOR, Verb
from trio_stream.ownership import SOCKET
from trio_stream.settings import Settings
from trio_stream.web.asgi.access import FORWARDING_FIELDS, is_loopback, verb_of

PROXY, ELSEWHERE = "127.0.0.2", "203.0.113.5"
"""A trusted proxy, and the client on another machine that it names."""

TABLE: dict[str, dict[str, Verb | None]] = {
    "/": {"GET": None},
    "/healthz": {"GET": None},
    "/readyz": {"GET": None},
    "/api/me": {"GET": None},
    "/static/<file>": {"GET": None},
    "/assets/<file>": {"GET": None},
    "/watch/<path:id_>": {"GET": Verb.WATCH},
    "/socket/<path:id_>": {"GET": Verb.WATCH},
    "/live": {"GET": Verb.WATCH},
    "/api/videos": {"GET": Verb.WATCH},
    "/api/videos/<id_>": {"GET": Verb.WATCH, "PATCH": Verb.EDIT},
    "/api/videos/<id_>/file": {"GET": Verb.WATCH},
    "/api/videos/<id_>/presentation": {"GET": Verb.WATCH},
    "/api/videos/<id_>/<name>.m3u8": {"GET": Verb.WATCH},
    "/api/videos/<id_>/manifest.mpd": {"GET": Verb.WATCH},
    "/api/videos/<id_>/r/<revision>/<name>": {"GET": Verb.WATCH},
    "/api/videos/<id_>/r/<revision>/<rendition>/<name>": {"GET": Verb.WATCH},
    "/api/videos/<id_>/r/<revision>/<text>/<name>.vtt": {"GET": Verb.WATCH},
    "/api/videos/<id_>/playhead": {"PUT": Verb.TRACK, "DELETE": Verb.TRACK},
    "/api/folders": {"GET": Verb.WATCH},
    "/api/library": {"GET": Verb.WATCH},
    "/api/library/scan": {"GET": Verb.WATCH, "POST": Verb.EDIT},
    "/api/continue": {"GET": Verb.TRACK},
    "/api/history": {"GET": Verb.TRACK, "DELETE": Verb.TRACK},
    "/api/watch-state": {"GET": Verb.TRACK, "PUT": Verb.TRACK},
    "/api/stream/<video:name>": {"GET": Verb.WATCH},
    "/api/stream-range/<video:name>": {"GET": Verb.WATCH},
    "/api/ws/stream/<video:name>": {"WebSocket": Verb.WATCH},
    "/api/streams": {"GET": Verb.OPERATE},
    "/api/streams/<id_>": {"DELETE": Verb.OPERATE},
    "/api/live": {"GET": Verb.OPERATE},
    "/api/metrics": {"GET": Verb.OPERATE},
    "/metrics": {"GET": Verb.OPERATE},
    "/docs": {"GET": Verb.OPERATE},
    "/openapi.json": {"GET": Verb.OPERATE},
}
"""What each route requires, by its rule and method."""

PAGES = ("/watch/<path:id_>", "/socket/<path:id_>", "/live")

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
}

FORWARDED = ("PATCH /api/videos/<id_>", "DELETE /api/videos/<id_>/playhead", "PUT /api/videos/<id_>/playhead",
             "GET /api/library", "POST /api/library/scan", "GET /api/library/scan", "DELETE /api/history",
             "PUT /api/watch-state")  # fmt: skip
"""The routes that a worker always forwards to the owner of the data."""


def test_every_route_is_in_the_table(tmp_path: Path) -> None:
    from trio_stream.app import create_app  # noqa: PLC0415 - importing it reads the settings

    app = create_app(Settings(videos=tmp_path))
    found: dict[str, dict[str, Verb | None]] = {}
    for rule in app.url_map.iter_rules():
        methods = {"WebSocket"} if rule.websocket else (rule.methods or set()) - {"HEAD", "OPTIONS"}
        for method in methods:
            found.setdefault(rule.rule, {})[method] = verb_of(app.view_functions[rule.endpoint])
    assert found == TABLE


@pytest.fixture(scope="module", params=["nothing-1", "view-1", "view-0"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server behind a proxy, with what anybody may do, and whether bytes bypass the web framework."""
    anonymous, direct = request.param.split("-")
    folder = tmp_path_factory.mktemp("access")
    (folder / "videos").mkdir()
    (folder / "videos" / "v.mp4").write_bytes(b"video")
    settings = {
        "TRIO_STREAM_ANONYMOUS": anonymous,
        "TRIO_STREAM_DIRECT": direct,
        "TRIO_STREAM_TRUSTED_PROXIES": PROXY,
    }
    with serving(folder / "videos", folder, environ=settings) as running:
        yield running


def status_of(
    client: httpx.Client, method: str, rule: str, fields: dict[str, str] | None = None
) -> tuple[int, str]:
    """The status of a response, and the code of its problem. The body of a successful one is not read."""
    path = re.sub(r"<(video|path):\w+>", "v.mp4", rule)
    path = path.replace("<id_>", "0123456789abcdef").replace("<revision>", "0" * 24)
    path = re.sub(r"<\w+>", "a", path)
    upgrade = HANDSHAKE if method == "WebSocket" else {}
    with client.stream("GET" if upgrade else method, path, headers={**upgrade, **(fields or {})}) as response:
        if response.status_code < 400 or method == "HEAD":
            return response.status_code, ""
        response.read()
        is_page = response.headers["Content-Type"].startswith("text/html")
        return response.status_code, "page" if is_page else response.json()["code"]


def from_elsewhere(server: Server) -> httpx.Client:
    """A client on another machine, behind the trusted proxy."""
    return httpx.Client(
        base_url=server.url,
        transport=httpx.HTTPTransport(local_address=PROXY),
        headers={"X-Forwarded-For": ELSEWHERE},
        timeout=30,
    )


@pytest.mark.parametrize("rule", TABLE)
def test_each_route_serves_who_may_call_it(server: Server, rule: str) -> None:
    is_open = server.settings["TRIO_STREAM_ANONYMOUS"] == "view"
    verbs = TABLE[rule]
    with server.client() as here, from_elsewhere(server) as elsewhere:
        for method in (*METHODS, *(["WebSocket"] if "WebSocket" in verbs else [])):
            on_route = "GET" if method == "HEAD" else method
            status, _ = status_of(here, method, rule)
            assert status != 403, method
            response = status_of(elsewhere, method, rule)
            if on_route not in verbs:
                assert response[0] in {400, 404, 405}, method
            elif verbs[on_route] is None or (is_open and verbs[on_route] is Verb.WATCH):
                assert response == status_of(here, method, rule), method
            else:
                code = "page" if rule in PAGES else "not-allowed" if is_open else "not-open"
                assert response == (403, "" if method == "HEAD" else code), method


@pytest.mark.parametrize("name", FORWARDING_FIELDS)
def test_a_field_of_a_proxy_shows_that_a_request_comes_from_elsewhere(server: Server, name: str) -> None:
    """An unknown proxy on this machine must not make everybody the operator."""
    with server.client() as client:
        assert client.get("/api/me", headers={name: "127.0.0.1"}).json()["verbs"] != list(Verb)
        assert client.get("/api/me").json() == {"name": OPERATOR.name, "verbs": list(Verb), "status": "ok"}


def test_nobody_states_their_own_grant_over_the_network(server: Server) -> None:
    forged = {**COMMAND_LINE, "X-Forwarded-For": ELSEWHERE}
    with from_elsewhere(server) as client:
        assert client.get("/api/me", headers=COMMAND_LINE).json()["verbs"] != list(Verb)
        assert client.get("/api/streams", headers=COMMAND_LINE).status_code == 403
    with server.client() as client:
        assert client.get("/api/streams", headers=forged).status_code == 403


def test_this_machine_behind_the_trusted_proxy_is_this_machine(server: Server) -> None:
    with from_elsewhere(server) as client:
        assert client.get("/api/streams", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 200
        chain = {"X-Forwarded-For": f"127.0.0.1, {ELSEWHERE}"}
        assert client.get("/api/streams", headers=chain).status_code == 403


@pytest.mark.parametrize("path", ["/", "/watch/0123456789abcdef", "/socket/0123456789abcdef", "/live"])
@pytest.mark.parametrize("server", ["nothing-1"], indirect=True)
def test_browsers_get_a_page_that_says_how_to_open_the_server(server: Server, path: str) -> None:
    for language, words in (
        ("en", "not open to other devices"),
        ("pt-BR", "não está aberto a outros aparelhos"),
    ):
        with from_elsewhere(server) as client:
            response = client.get(path, headers={"Accept": "text/html", "Accept-Language": language})
        assert response.status_code == 403
        assert words in response.text
        assert "TRIO_STREAM_ANONYMOUS=view" in response.text
        assert f'<html lang="{language}">' in response.text
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["Cache-Control"] == "no-store"
        with from_elsewhere(server) as client:
            assert client.get("/static/page.css").status_code == 200


@pytest.mark.parametrize("server", ["nothing-1"], indirect=True)
def test_the_log_says_how_to_open_the_server(server: Server) -> None:
    with from_elsewhere(server) as client:
        assert client.get("/api/videos").status_code == 403
    [line] = [line for line in server.log.splitlines() if "another machine was refused" in line][:1]
    assert ELSEWHERE in line
    assert "TRIO_STREAM_ANONYMOUS=view" in line


@pytest.mark.parametrize("server", ["view-1"], indirect=True)
def test_a_guest_does_not_learn_where_the_videos_are(server: Server) -> None:
    assert server.get("/api/library").json()["folder"] == str(server.videos)
    with from_elsewhere(server) as guest:
        assert guest.get("/api/library").json()["folder"] == ""


@pytest.mark.parametrize("server", ["view-1"], indirect=True)
def test_what_a_guest_sees_has_no_playhead_of_somebody_else(server: Server) -> None:
    def videos() -> list[dict[str, object]]:
        found: list[dict[str, object]] = server.get("/api/videos?limit=1").json()["items"]
        return found

    [video] = wait_for(videos, 20, "the video")
    put = httpx.put(f"{server.url}/api/videos/{video['id']}/playhead", json={"position": 2, "duration": 9})
    assert put.status_code == 200
    assert videos()[0]["playhead"] is not None
    with from_elsewhere(server) as guest:
        assert guest.get("/api/videos?limit=1").json()["items"][0]["playhead"] is None
        assert guest.get(f"/api/videos/{video['id']}").json()["playhead"] is None


def test_a_worker_states_the_grant_of_what_it_forwards(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    settings = {"TRIO_STREAM_ANONYMOUS": "view"}
    with serving(tmp_path / "videos", tmp_path, environ=settings, hypercorn=("-w", "2")) as server:
        data = Path(server.settings["TRIO_STREAM_DATA"])
        as_guest = {"X-Forwarded-For": ELSEWHERE}
        with connect_to_other_worker(server, data) as client:
            for route in FORWARDED:
                method, rule = route.split()
                guest = status_of(client, method, rule, as_guest)
                assert (guest == (403, "not-allowed")) is (TABLE[rule][method] is not Verb.WATCH), route
                assert status_of(client, method, rule)[0] != 403, route
        transport = httpx.HTTPTransport(uds=os.fspath(data / SOCKET))
        with httpx.Client(transport=transport, base_url="http://owner") as owner:
            for route in FORWARDED:
                method, rule = route.split()
                verb = TABLE[rule][method]
                for fields, allowed in (
                    ({}, False),
                    ({grants.FIELD: "{}"}, False),
                    ({grants.FIELD: "no JSON"}, False),
                    ({grants.FIELD: '{"user": "", "name": "", "verbs": ["everything"]}'}, False),
                    ({grants.FIELD: grants.encode(GUEST)}, verb is Verb.WATCH),
                    ({grants.FIELD: grants.encode(OPERATOR)}, True),
                ):
                    status, code = status_of(owner, method, rule, fields)
                    assert (status != 403) is allowed, (route, fields, code)


@pytest.mark.parametrize("grant", [NOBODY, GUEST, OPERATOR])
def test_a_grant_is_passed_on_unchanged(grant: grants.Grant) -> None:
    assert grants.decode(grants.encode(grant)) == grant
    assert grants.encode(grant).isascii()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        *(("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True)),
        *(("10.0.0.1", False), ("::", False), ("0.0.0.0", False), ("::ffff:10.0.0.1", False)),
        *(("", False), ("unknown", False), ("localhost", False), ("127.0.0.1:80", False), ("127.1", False)),
    ],
)
def test_loopback_addresses(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected
