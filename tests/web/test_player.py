"""The player over HTTP: its page and assets, their headers, and a server without a player."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from tests.support import Server, exchange, serving, wait_for
from tests.web.fake_build import ASSETS, COMPRESSED, INDEX, SCRIPT
from tests.web.test_pages import BROWSER, Page

PAGES = ["/", "/watch/3f9c1b2e8d7a6054", "/watch/a/b%2Fc%FF", "/socket/3f9c1b2e8d7a6054", "/live"]

TYPES = {
    "index-a1b2.js": "text/javascript; charset=utf-8",
    "index-c3d4.css": "text/css; charset=utf-8",
    "icon-e5f6.svg": "image/svg+xml",
    "font-0718.woff2": "font/woff2",
    "what-93a4.ever": "application/octet-stream",
}

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "worker-src 'self'",
    "font-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
}


@pytest.fixture(scope="module")
def unbuilt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose player is not built."""
    folder = tmp_path_factory.mktemp("unbuilt")
    (folder / "videos").mkdir()
    environ = {"PLAYER": str(folder / "dist")}
    with serving(folder / "videos", folder, app="tests.web.player_app:app", environ=environ) as server:
        yield server


def browse(server: Server, path: str, **headers: str) -> httpx.Response:
    """The response to a browser."""
    return server.get(path, headers={"Accept": BROWSER, **headers})


@pytest.mark.parametrize("path", PAGES)
def test_every_address_of_the_player_returns_the_page(built: Server, path: str) -> None:
    response = browse(built, path)
    assert (response.status_code, response.content) == (200, INDEX)
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"
    again = browse(built, path, **{"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == response.headers["ETag"]
    assert response.headers.get("Vary") == again.headers.get("Vary") == ("Accept" if path == "/" else None)


@pytest.mark.parametrize(
    "path", ["/watch", "/watch/", "/live/", "/live/x", "/index.html", "/assets", "/assets/"]
)
def test_other_addresses_do_not_return_the_page(built: Server, path: str) -> None:
    response = browse(built, path)
    assert response.status_code == 404
    assert response.json()["code"] == "not-found"


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "text/html, */*;q=0.1"])
def test_browsers_get_the_page(built: Server, accept: str) -> None:
    assert built.get("/", headers={"Accept": accept}).content == INDEX


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.9", "", None])
def test_other_clients_get_health(built: Server, accept: str | None) -> None:
    with built.client() as client:
        del client.headers["Accept"]
        response = client.get("/", headers={} if accept is None else {"Accept": accept})
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Vary"] == "Accept"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json()["status"] == "ok"


@pytest.mark.parametrize("path", [*PAGES, "/assets/index-a1b2.js", "/assets/none.js"])
def test_the_content_security_policy_allows_no_other_hosts(built: Server, unbuilt: Server, path: str) -> None:
    for server in (built, unbuilt):
        headers = browse(server, path).headers
        assert set(headers["Content-Security-Policy"].split("; ")) == POLICY
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        permissions = headers["Permissions-Policy"].split(", ")
        assert {"autoplay=(self)", "fullscreen=(self)", "picture-in-picture=(self)"} < set(permissions)
        assert {permission for permission in permissions if not permission.endswith("=(self)")} >= {
            "camera=()",
            "microphone=()",
        }


@pytest.mark.parametrize("name", TYPES)
def test_assets_are_cached_forever(built: Server, name: str) -> None:
    response = built.get(f"/assets/{name}", headers={"Accept-Encoding": "identity"})
    assert (response.status_code, response.content) == (200, ASSETS[name])
    assert response.headers["Content-Type"] == TYPES[name]
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    revalidated = built.get(
        f"/assets/{name}", headers={"If-None-Match": response.headers["ETag"], "Accept-Encoding": "identity"}
    )
    assert (revalidated.status_code, revalidated.content) == (304, b"")
    assert revalidated.headers["Cache-Control"] == response.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("*", True),
        ("identity;q=0.5, gzip;q=1.0", True),
        ("br;q=1.0, *;q=0.1", True),
        ("", False),
        (None, False),
        ("br", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0.5, gzip;q=0.000", False),
        ("identity;q=1, gzip;q=0.5", False),
    ],
)
def test_text_is_compressed_for_clients_that_accept_it(
    built: Server, accepted: str | None, compressed: bool
) -> None:
    with built.client() as client:
        del client.headers["Accept-Encoding"]
        headers = {} if accepted is None else {"Accept-Encoding": accepted}
        with client.stream("GET", "/assets/index-a1b2.js", headers=headers) as response:
            raw = b"".join(response.iter_raw())
        plain = client.get("/assets/index-c3d4.css", headers=headers)
    assert raw == (COMPRESSED if compressed else SCRIPT)
    assert response.headers.get("Content-Encoding") == ("gzip" if compressed else None)
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Content-Type"] == TYPES["index-a1b2.js"]
    assert "Content-Encoding" not in plain.headers
    assert "Vary" not in plain.headers


def test_compressed_and_plain_content_have_different_tags(built: Server) -> None:
    path = "/assets/index-a1b2.js"
    compressed, plain = (
        built.get(path, headers={"Accept-Encoding": coding}) for coding in ("gzip", "identity")
    )
    assert compressed.headers["ETag"] != plain.headers["ETag"]
    assert compressed.content == plain.content
    revalidated = built.get(
        path, headers={"Accept-Encoding": "gzip", "If-None-Match": compressed.headers["ETag"]}
    )
    assert revalidated.status_code == 304
    assert revalidated.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "path",
    [
        *("none.js", "index-a1b2.js.gz", "..", "../secret.js", "%2e%2e/secret.js", "..%2fsecret.js", "%00"),
        *("..%5csecret.js", "../../videos", "%2fetc%2fpasswd", "index-a1b2.js/", "sub/index-a1b2.js", "%ff"),
    ],
)
async def test_other_files_are_not_assets(built: Server, path: str) -> None:
    """The path is sent unchanged: an HTTP client would normalise it."""
    request = f"GET /assets/{path} HTTP/1.1\r\nHost: t\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    head, _, body = (await exchange(built, request.encode())).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404")
    assert b"application/problem+json" in head
    assert json.loads(body)["code"] == "not-found"


@pytest.mark.parametrize("path", ["/", "/live", "/assets/index-a1b2.js", "/assets/none.js"])
async def test_head_equals_get_without_the_body(built: Server, path: str) -> None:
    def request(method: str) -> bytes:
        return (
            f"{method} {path} HTTP/1.1\r\nHost: t\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n"
            "Connection: close\r\n\r\n"
        ).encode()

    heads = []
    for method in ("GET", "HEAD"):
        head, _, body = (await exchange(built, request(method))).partition(b"\r\n\r\n")
        heads.append([line for line in head.split(b"\r\n") if not line.lower().startswith(b"date:")])
        assert bool(body) == (method == "GET")
    assert heads[0] == heads[1]


@pytest.mark.parametrize("path", PAGES)
def test_a_player_that_is_not_built_is_explained(unbuilt: Server, path: str) -> None:
    response = browse(unbuilt, path)
    assert response.status_code == (200 if path == "/" else 503)
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    page = Page(response.text)
    assert "scripts/player build" in page.text
    assert page.all("a", href="/docs")
    loaded = [element["href"] for element in page.all("link")] + [
        element["src"] for element in page.all("img")
    ]
    for url in loaded:
        assert urljoin(unbuilt.url, url).startswith(unbuilt.url)
        assert unbuilt.get(url).status_code == 200


def test_everything_else_works_without_a_player(unbuilt: Server) -> None:
    assert unbuilt.get("/").json()["status"] == "ok"
    assert unbuilt.get("/api/videos").json()["status"] == "ok"
    assert browse(unbuilt, "/docs").status_code == 200
    response = browse(unbuilt, "/assets/index-a1b2.js")
    assert (response.status_code, response.json()["code"]) == (404, "not-found")


def test_a_missing_player_is_logged_once(unbuilt: Server, built: Server) -> None:
    for path in PAGES:
        browse(unbuilt, path)

    def warnings() -> list[str]:
        return [line for line in unbuilt.log.splitlines() if "the player is not built" in line]

    wait_for(warnings, 2.0, "the warning")
    [line] = warnings()
    assert json.loads(line)["level"] == "warning"
    assert json.loads(line)["remedy"] == "scripts/player build"
    assert "the player is not built" not in built.log


def test_a_new_build_is_served_after_the_next_start(start: Callable[..., Server], tmp_path: Path) -> None:
    """A page that was loaded before a build still finds its scripts."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_bytes(INDEX)
    (dist / "assets" / "index-a1b2.js").write_bytes(SCRIPT)
    server = start(app="tests.web.player_app:app", environ={"PLAYER": str(dist)})
    (dist / "assets" / "index-a1b2.js").unlink()
    (dist / "index.html").write_bytes(b"another")
    assert browse(server, "/live").content == INDEX
    assert server.get("/assets/index-a1b2.js").content == SCRIPT
