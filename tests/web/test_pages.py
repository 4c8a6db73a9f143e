"""The pages: who gets them, what they may do, and names no page was ever prepared for."""

import os
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urljoin

import httpx
import pytest

from tests.support import Server, wait_for

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

AWKWARD = [
    b"plain.mp4",
    b"<script>alert(1)<!--.mp4",
    b"<img src=x onerror=alert(1)>.mp4",
    b"\"quotes\" & 'apostrophes' &amp; <b>.mp4",
    b"100% #1 why? a+b=c; d,e.mp4",
    b"a folder/{{ 7 * 7 }} ${x} %20.mp4",
    b"not utf-8 \xff\xfe.mp4",
    "a folder/日本語 🎬 עברית.mp4".encode(),
    b"line\nbreak.mp4",
    b"-dash and trailing .mp4",
]


class Page(HTMLParser):
    """The links, scripts, styles and text of a page, as a browser understands it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        """The attributes of each element `tag` that has these among them."""
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]


def page_of(server: Server, path: str = "/") -> Page:
    """A page as a browser gets it."""
    answer = server.get(path, headers={"Accept": BROWSER})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return Page(answer.text)


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "text/html, */*;q=0.1"])
def test_browsers_get_the_page(server: Server, accept: str) -> None:
    answer = server.get("/", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    assert "sample" in answer.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.9", "", None])
def test_everyone_else_gets_health(server: Server, accept: str | None) -> None:
    with httpx.Client(base_url=server.url) as client:
        del client.headers["Accept"]
        answer = client.get("/", headers={} if accept is None else {"Accept": accept})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Vary"] == "Accept"
    assert answer.json()["status"] == "ok"


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_nothing_from_elsewhere(server: Server, path: str) -> None:
    answer = server.get(path, headers={"Accept": BROWSER})
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'self'" in policy
    assert not any("unsafe" in directive for directive in policy)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"

    page = Page(answer.text)
    assert not page.all("style")
    assert all(script.get("src", "").startswith("/static/") for script in page.all("script"))
    for _, attributes in page.elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            target = attributes.get(name, "/")
            assert urljoin(server.url, target).startswith(server.url), target


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_what_pages_load_is_there_for_good(server: Server, path: str) -> None:
    page = page_of(server, path)
    urls = [each["href"] for each in page.all("link")] + [each["src"] for each in page.all("script")]
    assert urls
    for url in urls:
        lasting = server.get(url)
        assert lasting.status_code == 200
        assert "immutable" in lasting.headers["Cache-Control"]
        bare = server.get(url.partition("?")[0])
        assert bare.headers["Cache-Control"] == "no-cache"
        again = server.get(url, headers={"If-None-Match": lasting.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_links_inside_the_documentation_lead_somewhere(server: Server) -> None:
    page = page_of(server, "/docs")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {link["href"][1:] for link in page.all("a") if link["href"].startswith("#")} <= set(ids)


def test_every_problem_leads_to_the_documentation(server: Server) -> None:
    ids = {attributes.get("id") for _, attributes in page_of(server, "/docs").elements}
    codes = {problem["code"] for problem in server.get("/openapi.json").json()["x-problems"]}
    assert codes
    assert {f"problem-{code}" for code in codes} <= ids
    for path in ("/none", "/api/stream/none.mp4"):
        assert server.get(path).json()["type"].removeprefix("/docs#") in ids
    not_allowed = httpx.delete(f"{server.url}/docs")
    assert not_allowed.json()["type"].removeprefix("/docs#") in ids


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Videos under awkward names; what is in each is its name."""
    folder = tmp_path / "videos"
    (folder / "a folder").mkdir(parents=True)
    for name in AWKWARD:
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(name)
    return folder


def test_awkward_names_are_shown_and_their_links_work(start: Callable[..., Server], library: Path) -> None:
    server = start(library)
    page = page_of(server)
    assert [script.get("src", "").partition("?")[0] for script in page.all("script")] == ["/static/page.js"]
    assert not page.all("b")
    assert len(page.all("img")) == 1
    links = page.all("a", **{"class": "video"})
    assert len(links) == len(AWKWARD)
    contents = set()
    for link in links:
        stream = server.get(link["data-stream"])
        assert stream.status_code == 200, link
        contents.add(stream.content)
        title = stream.content.rpartition(b"/")[2].removesuffix(b".mp4").decode(errors="replace")
        assert title in page.text

        chosen = page_of(server, link["href"])
        assert [each["src"] for each in chosen.all("video")] == [link["data-stream"]]
        assert [each["data-key"] for each in chosen.all("a", **{"aria-current": "true"})] == [
            link["data-key"]
        ]
    assert contents == set(AWKWARD)

    downloads = page.all("a", **{"class": "get"})
    assert len(downloads) == len(AWKWARD)
    for link in downloads:
        assert server.get(link["href"]).headers["Content-Disposition"].startswith("attachment")


def test_videos_are_grouped_by_folder(start: Callable[..., Server], library: Path) -> None:
    text = start(library).get("/", headers={"Accept": "text/html"}).text
    headings = re.findall(r"<h2><bdi>(.*?)</bdi>", text)
    assert [unescape(heading) for heading in headings] == ["Videos", "a folder"]


def test_a_name_typed_by_hand_is_found(server: Server) -> None:
    assert [each["src"] for each in page_of(server, "/?v=sample.mp4").all("video")] == [
        "/api/stream/sample.mp4"
    ]


@pytest.mark.parametrize("name", ["gone.mp4", "<i>.mp4", "\udcff", "", "../sample.mp4"])
def test_a_video_that_is_not_there_is_named(server: Server, name: str) -> None:
    page = page_of(server, "/?v=" + quote(name.encode("utf-8", "surrogateescape")))
    assert "There is no video" in page.text
    assert name.replace("\udcff", "\ufffd") in page.text
    assert not page.all("i")
    assert "src" not in page.all("video")[0]


def test_an_empty_library_says_where_videos_go(start: Callable[..., Server], tmp_path: Path) -> None:
    folder = tmp_path / "<no> & videos"
    folder.mkdir()
    server = start(folder)
    page = page_of(server)
    assert "No videos yet" in page.text
    assert str(folder) in page.text
    assert not page.all("video")

    (folder / "first.mp4").write_bytes(b"first")
    assert page_of(server).all("video", src="/api/stream/first.mp4")


def test_a_library_that_cannot_be_read_is_explained(start: Callable[..., Server], tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    server = start(folder)
    folder.rmdir()
    answer = server.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert "cannot be read" in answer.text
    assert "No such file or directory" in answer.text
    wait_for(lambda: "the folder of videos cannot be read" in server.log, 2.0, "the log")


def test_thousands_of_videos_fit_on_the_page(start: Callable[..., Server], tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number}.mp4").touch()
    page = page_of(start(folder))
    titles = [link["data-key"] for link in page.all("a", **{"class": "video"})]
    assert titles == [f"{number}.mp4" for number in range(3000)]


def test_health_and_readiness(server: Server) -> None:
    assert server.get("/healthz").json() == server.get("/").json()
    assert server.get("/readyz").json() == {"status": "ok"}
