"""The pages of the server except the player (`test_player.py`): their policy, and that their links have targets."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

from tests.support import Server

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


class Page(HTMLParser):
    """The links, scripts, styles and text of a page, as a browser parses it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Store the element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        """Store the text."""
        self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        """The attributes of each element `tag` that has at least these."""
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]


def page_of(server: Server, path: str) -> Page:
    """A page, requested as by a browser."""
    response = server.get(path, headers={"Accept": BROWSER})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return Page(response.text)


def test_the_documentation_makes_no_requests_to_other_hosts(server: Server) -> None:
    response = server.get("/docs", headers={"Accept": BROWSER})
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'self'" in policy
    assert not any("unsafe" in directive for directive in policy)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"

    page = Page(response.text)
    assert not page.all("style")
    assert not page.all("script")
    for _, attributes in page.elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            target = attributes.get(name, "/")
            assert urljoin(server.url, target).startswith(server.url), target


def test_assets_of_the_documentation_are_cached_forever(server: Server) -> None:
    page = page_of(server, "/docs")
    urls = [element["href"] for element in page.all("link")] + [element["src"] for element in page.all("img")]
    assert urls
    for url in urls:
        lasting = server.get(url)
        assert lasting.status_code == 200
        assert "immutable" in lasting.headers["Cache-Control"]
        bare = server.get(url.partition("?")[0])
        assert bare.headers["Cache-Control"] == "no-cache"
        again = server.get(url, headers={"If-None-Match": lasting.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_links_inside_the_documentation_have_targets(server: Server) -> None:
    page = page_of(server, "/docs")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {link["href"][1:] for link in page.all("a") if link["href"].startswith("#")} <= set(ids)


def test_every_problem_links_to_the_documentation(server: Server) -> None:
    ids = {attributes.get("id") for _, attributes in page_of(server, "/docs").elements}
    codes = {problem["code"] for problem in server.get("/openapi.json").json()["x-problems"]}
    assert codes
    assert {f"problem-{code}" for code in codes} <= ids
    for path in ("/none", "/api/stream/none.mp4"):
        assert server.get(path).json()["type"].removeprefix("/docs#") in ids
    not_allowed = httpx.delete(f"{server.url}/docs")
    assert not_allowed.json()["type"].removeprefix("/docs#") in ids


def test_health_and_readiness(server: Server) -> None:
    assert server.get("/healthz").json() == server.get("/").json()
    assert server.get("/readyz").json() == {"status": "ok"}
