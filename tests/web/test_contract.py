"""The server accepts exactly what its description allows: checked with values that are generated from the description.

`test_openapi.py` checks the responses.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.depth import large
from tests.support import Server
from tests.web.conftest import EPISODES
from tests.web.contract import Contract, named
from tests.web.requesting import call, video
from tests.web.test_feeds import VIDEO, index_of
from trio_stream.app import LONGEST_REQUEST_BODY
from trio_stream.errors import BadRequest, RangeNotSatisfiable
from trio_stream.web.api.feeds import ByteFeed, Feed, FragmentFeed
from trio_stream.web.api.sockets import parse_command
from trio_stream.web.openapi.document import document

DESCRIBED: dict[str, Any] = json.loads(json.dumps(document()))
PROBLEM = named(DESCRIBED, "Problem")

pytestmark = pytest.mark.filterwarnings(
    "default::hypothesis.errors.HypothesisWarning"
)  # of failures, at length

type Request = tuple[str, str, bytes | None]
type Case = tuple[Request, bool]


@pytest.fixture
def client(stocked: Server) -> Iterator[httpx.Client]:
    with stocked.client() as client:
        yield client


@pytest.fixture
def here(stocked: Server) -> Iterator[str]:
    """The address of a video, whose state is restored afterwards."""
    url: str = video(stocked, EPISODES[2])["urls"]["self"]
    yield url
    call(stocked, "PATCH", url, {"title": None, "description": "", "tags": []})
    call(stocked, "DELETE", f"{url}/playhead")


def check_requests(client: httpx.Client, cases: st.SearchStrategy[Case], examples: int) -> Counter[bool]:
    """Fail unless the server accepts exactly the allowed requests. Returns how many were allowed and how many were not.

    Many are sent at once, so that their changes share transactions.
    """
    counts = Counter[bool]()

    def send(case: Case) -> httpx.Response:
        (method, url, body), _ = case
        return client.request(method, url, content=body)

    with ThreadPoolExecutor(8) as pool:

        @settings(
            max_examples=examples,
            phases=[
                Phase.explicit,
                Phase.reuse,
                Phase.generate,
            ],  # without shrinking, which takes minutes
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(st.lists(cases, min_size=8, max_size=16))
        def check(batch: list[Case]) -> None:
            for (request, allowed), response in zip(batch, pool.map(send, batch), strict=True):
                about = (request[:2], (request[2] or b"")[:300], response.text[:300])
                counts[allowed] += 1
                if len(request[2] or b"") > LONGEST_REQUEST_BODY and "watch-state" not in request[1]:
                    assert response.status_code == 413, about
                elif allowed:
                    assert response.status_code == 200, about
                else:
                    assert response.status_code == 400, about
                    assert response.headers["Content-Type"] == "application/problem+json", about
                    assert PROBLEM.allows(response.json()), about

        check()
    return counts


def bodies(path: str, method: str) -> Contract:
    """The contract for the body of a request."""
    wanted = DESCRIBED["paths"][path][method]["requestBody"]["content"]
    assert list(wanted) == ["application/json"]
    return Contract(wanted["application/json"]["schema"], DESCRIBED)


BODIES = [
    (path, method)
    for path, about in DESCRIBED["paths"].items()
    for method in about
    if "requestBody" in about[method]
]


@pytest.mark.parametrize("examples", [6, large(150)])
@pytest.mark.parametrize(("path", "method"), BODIES)
def test_bodies(client: httpx.Client, here: str, path: str, method: str, examples: int) -> None:
    contract = bodies(path, method)
    url = path.replace("/api/videos/{id}", here)

    def case(value: Any) -> Case:
        return (method.upper(), url, json.dumps(value).encode()), contract.allows(value)

    counts = check_requests(client, (contract.values() | contract.near()).map(case), examples)
    assert min(counts[True], counts[False]) >= examples // 3  # of about twelve times as many random values


QUERIES = [
    path
    for path, about in DESCRIBED["paths"].items()
    if {"limit"} & {parameter["name"] for parameter in about.get("get", {}).get("parameters", [])}
]


@pytest.mark.parametrize("examples", [6, large(150)])
@pytest.mark.parametrize("path", QUERIES)
def test_queries(client: httpx.Client, path: str, examples: int) -> None:
    parameters = DESCRIBED["paths"][path]["get"]["parameters"]
    contracts = {parameter["name"]: Contract(parameter["schema"], DESCRIBED) for parameter in parameters}
    drawn = st.fixed_dictionaries(
        {}, optional={name: _strings(name, contract) for name, contract in contracts.items()}
    )

    def case(query: dict[str, tuple[str, bool]], more: list[tuple[str, str]]) -> Case:
        pairs = [(name, text) for name, (text, _) in query.items()]
        pairs += [(name, text) for name, text in more if name in query or name not in contracts]
        return ("GET", f"{path}?{urlencode(pairs)}", None), all(allowed for _, allowed in query.values())

    names = st.sampled_from(["x", "user", "Limit", *contracts])
    counts = check_requests(
        client, st.builds(case, drawn, st.lists(st.tuples(names, st.text()), max_size=2)), examples
    )
    assert min(counts[True], counts[False]) >= examples // 3  # of about twelve times as many random values


NUMBERS = {"integer": "0|[1-9][0-9]*", "number": r"(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?"}
"""The spelling of numbers in a query, by the type of the parameter; none is negative."""


def _strings(name: str, contract: Contract) -> st.SearchStrategy[tuple[str, bool]]:
    """Values of a parameter as text, and whether each is allowed."""
    number = re.compile(NUMBERS.get(str(contract.kind), "(?!)"))
    junk = st.sampled_from(
        ["", "0", "-1", "x", "201", "1.5", "1e1", "007", " 1", "1 ", "+1", "²", "9" * 400, "null"]
    )

    def spelt(value: object) -> str:
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return value if isinstance(value, str) else json.dumps(value)

    def with_verdict(text: str) -> tuple[str, bool]:
        return text, contract.allows(json.loads(text) if number.fullmatch(text) else text)

    strings = junk | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    if name == "cursor":  # only the server knows which well-formed cursors are valid
        return strings.filter(lambda text: not contract.allows(text)).map(with_verdict)
    return (strings | contract.values().map(spelt)).map(with_verdict)


@pytest.mark.parametrize("id_", ["x", "0" * 15, "0" * 17, "F" * 16, "%00", "%ff", "0" * 16 + "%0A", "0" * 16])
def test_invalid_ids_are_not_found(client: httpx.Client, id_: str) -> None:
    """Malformed ids, and a well-formed one that does not exist."""
    for path, about in DESCRIBED["paths"].items():
        if "{id}" not in path or not path.startswith("/api/"):
            continue
        for method in set(about) & {"get", "put", "patch", "delete"}:
            value = b'{"position": 1}' if "playhead" in path else b'{"title": "x"}'
            content = value if method in {"put", "patch"} else None
            url = path.replace("{id}", id_).replace("{", "").replace("}", "")
            response = client.request(method, url, content=content)
            assert response.status_code == 404, (method, url)
            assert PROBLEM.allows(response.json())


FEEDS = [
    (ByteFeed(0, 10**6), ("SeekMessage", "PauseMessage", "ResumeMessage")),
    (FragmentFeed.of({}, index_of(VIDEO)), ("FragmentsSeekMessage", "PauseMessage", "ResumeMessage")),
]


@pytest.mark.parametrize(("feed", "names"), FEEDS, ids=["bytes", "fragments"])
def test_messages(feed: Feed, names: tuple[str, ...]) -> None:
    contract = Contract({"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]}, DESCRIBED)

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(contract.values() | contract.near())
    def check(value: Any) -> None:
        try:
            parse_command(json.dumps(value), feed)
        except BadRequest:
            assert not contract.allows(value)
        except RangeNotSatisfiable:
            pass  # a schema cannot know where the video ends
        else:
            assert contract.allows(value)

    check()


OFFSETS: Callable[[dict[str, str]], object] = lambda query: ByteFeed.of(query, 10**6)  # noqa: E731 - next to each other, as in a table
TIMES: Callable[[dict[str, str]], object] = lambda query: FragmentFeed.of(query, FEEDS[1][0].index)  # type: ignore[attr-defined] # the list has both kinds of feeds  # noqa: E731 - next to each other, as in a table


@pytest.mark.parametrize(("name", "read"), [("start", OFFSETS), ("end", OFFSETS), ("time", TIMES)])
def test_start_positions_of_a_websocket(name: str, read: Callable[[dict[str, str]], object]) -> None:
    parameters = DESCRIBED["paths"]["/api/ws/stream/{name}"]["parameters"]
    contract = Contract(
        next(parameter["schema"] for parameter in parameters if parameter["name"] == name), DESCRIBED
    )

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(_strings(name, contract))
    def check(case: tuple[str, bool]) -> None:
        text, allowed = case
        try:
            read({name: text})
        except BadRequest:
            assert not allowed, text
        except RangeNotSatisfiable:
            pass
        else:
            assert allowed, text

    check()
