"""The server's own pages in English and Brazilian Portuguese: how one is chosen, and that no translation is missing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import Server
from tests.web.test_pages import BROWSER, Page
from trio_stream.web.openapi.document import document
from trio_stream.web.site import docs_pt_br, i18n

ENGLISH, PORTUGUESE = "The Trio Stream API", "API do Trio Stream"
SAMPLES = {"en": ENGLISH, "pt-BR": PORTUGUESE}


def docs(server: Server, query: str = "", **headers: str) -> httpx.Response:
    """The API reference, as a browser requests it."""
    return server.get(f"/docs{query}", headers={"Accept": BROWSER, **headers})


def language_of(response: httpx.Response) -> str:
    """The language that a page declares; its texts must agree."""
    [html] = Page(response.text).all("html")
    if response.request.url.path == "/docs":
        assert SAMPLES[html["lang"]] in Page(response.text).text
    return html["lang"]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("en;q=0.5, pt;q=0.9", "pt-BR"),
        ("pt;q=0, en", "en"),
        ("de, en-GB;q=0.8, pt;q=0.5", "en"),
        ("de", "en"),
        ("*", "en"),
        ("", "en"),
        (";;;=,q", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_prefers(
    server: Server, accepted: str, language: str
) -> None:
    response = docs(server, **{"Accept-Language": accepted})
    assert language_of(response) == language
    assert response.headers["Vary"] == "Accept-Language, Cookie"
    assert "Set-Cookie" not in response.headers


def test_a_choice_is_stored_and_overrides_the_browser(server: Server) -> None:
    with server.client() as client:
        headers = {"Accept": BROWSER, "Accept-Language": "en"}
        [choice] = [
            link["href"]
            for link in Page(client.get("/docs", headers=headers).text).all("a", hreflang="pt-BR")
        ]
        chosen = client.get(f"/docs{choice}", headers=headers)
        assert language_of(chosen) == "pt-BR"
        cookie = chosen.headers["Set-Cookie"]
        assert cookie.startswith("trio-stream-language=pt-BR; ")
        assert "Path=/" in cookie
        assert "SameSite=Lax" in cookie
        assert language_of(client.get("/docs", headers=headers)) == "pt-BR"
        assert language_of(client.get("/docs?lang=en", headers=headers)) == "en"
        assert language_of(client.get("/docs", headers=headers)) == "en"


@pytest.mark.parametrize("chosen", ["", "de", "../..", "pt-BR\r\nX: y", "<script>"])
def test_an_unknown_choice_is_ignored(server: Server, chosen: str) -> None:
    response = server.get("/docs", params={"lang": chosen}, headers={"Accept-Language": "pt"})
    assert language_of(response) == "pt-BR"
    assert "Set-Cookie" not in response.headers
    cookie = docs(server, Cookie="trio-stream-language=tlh", **{"Accept-Language": "pt"})
    assert language_of(cookie) == "pt-BR"


def test_each_language_has_its_own_tag(server: Server) -> None:
    tags = {language: docs(server, f"?lang={language}").headers["ETag"] for language in i18n.LANGUAGES}
    assert len(set(tags.values())) == 2
    for language, tag in tags.items():
        response = docs(server, f"?lang={language}", **{"If-None-Match": tag})
        assert (response.status_code, response.headers["Vary"]) == (304, "Accept-Language, Cookie")
        other = docs(server, f"?lang={language}", **{"If-None-Match": next(iter(set(tags.values()) - {tag}))})
        assert other.status_code == 200


def test_both_have_the_same_anchors(server: Server) -> None:
    """Problem documents link to them, whatever the language."""
    pages = [Page(docs(server, f"?lang={language}").text) for language in i18n.LANGUAGES]
    english, portuguese = ([each["id"] for _, each in page.elements if "id" in each] for page in pages)
    assert english == portuguese


def test_a_player_that_is_not_built_is_explained_in_both(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    server = start(app="tests.web.player_app:app", environ={"PLAYER": str(tmp_path)})
    for path in ("/", "/live"):
        headers = {"Accept": BROWSER, "Accept-Language": "pt-BR"}
        response = server.get(path, headers=headers)
        assert language_of(response) == "pt-BR"
        assert "scripts/player build" in response.text
        vary = {name.strip() for name in response.headers["Vary"].split(",")}
        assert vary == {"Accept-Language", "Cookie"} | ({"Accept"} if path == "/" else set())
        english = server.get(f"{path}?lang=en", headers=headers)
        assert language_of(english) == "en"
        assert "Set-Cookie" in english.headers


def test_both_languages_have_the_same_keys() -> None:
    english, portuguese = (i18n.MESSAGES[language] for language in i18n.LANGUAGES)
    assert english.keys() == portuguese.keys()
    for key, text in english.items():
        assert text.count("{") == portuguese[key].count("{"), key
        assert text.count("[") == portuguese[key].count("["), key


def test_no_translation_of_the_reference_is_missing_or_stale() -> None:
    described: dict[str, Any] = document()
    operations: dict[str, Any] = {
        each["operationId"]: each
        for about in described["paths"].values()
        for method, each in about.items()
        if method in {"get", "post", "put", "patch", "delete"}
    }
    [socket] = [about for about in described["paths"].values() if "x-websocket" in about]
    operations["websocket"] = socket
    assert docs_pt_br.OPERATIONS.keys() == operations.keys()
    for name, operation in operations.items():
        translated = docs_pt_br.OPERATIONS[name]
        assert translated.summary
        assert bool(translated.description) == bool(operation.get("description")), name
    assert docs_pt_br.TAGS.keys() == {tag["name"] for tag in described["tags"]}
    assert all(text.summary and text.description for text in docs_pt_br.TAGS.values())
    problems = {problem["code"]: problem for problem in described["x-problems"]}
    assert docs_pt_br.PROBLEMS.keys() == problems.keys()
    for code, problem in problems.items():
        assert bool(docs_pt_br.PROBLEMS[code].description) == bool(problem["remedy"]), code
    paragraphs = described["info"]["description"].count("\n\n")
    assert docs_pt_br.INTRODUCTION.count("\n\n") == paragraphs


def test_code_in_the_reference_is_not_translated() -> None:
    """What is between backquotes is the same in both languages: nothing was lost or renamed."""
    described: dict[str, Any] = document()

    def codes(text: str) -> set[str]:
        return set(text.split("`")[1::2])

    for about in described["paths"].values():
        for method, operation in about.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                translated = docs_pt_br.OPERATIONS[operation["operationId"]].description
                assert codes(translated) == codes(operation.get("description", "")), operation["operationId"]
    assert codes(docs_pt_br.INTRODUCTION) == codes(described["info"]["description"])
