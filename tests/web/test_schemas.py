"""Schemas of types."""

from typing import Annotated, Literal

import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from trio_stream.web.api.wire.operations import declares
from trio_stream.web.api.wire.parts import Body, DateTime, Ok, Query, Shape, says
from trio_stream.web.openapi.document import document
from trio_stream.web.openapi.schemas import components, query_parameters, schema_of


class Inner(Shape, frozen=True, kw_only=True):
    """A thing
    of two lines."""

    kind: Literal["b", "a"]
    status: Ok = "ok"


class Outer(Struct, frozen=True, kw_only=True):
    """An open object."""

    inner: Annotated[Inner | None, says("One, if there is one.")]
    many: list[Inner]
    kind: Literal["b", "a"] | None = None


class Change(Body, frozen=True, kw_only=True):
    """A change."""

    schema = {"minProperties": 1}  # noqa: RUF012 - as in the types of the wire

    name: Annotated[str, Meta(pattern=r"^[a-z]+\Z")] | UnsetType = UNSET


class SomeQuery(Query, frozen=True, kw_only=True):
    """A query."""

    first: Annotated[int, says("Which.", 3, ge=1)] = 1
    at: Annotated[DateTime | UnsetType, says("When.")] = UNSET


def test_objects() -> None:
    found = components([Outer])
    assert found["Inner"] == {
        "description": "A thing of two lines.",
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["a", "b"]},
            "status": {
                "type": "string",
                "const": "ok",
                "description": "Always `ok`; errors are problem documents.",
            },
        },
        "required": ["kind", "status"],
        "additionalProperties": False,
    }
    reference = {"$ref": "#/components/schemas/Inner"}
    assert found["Outer"] == {
        "description": "An open object.",
        "type": "object",
        "properties": {
            "inner": {"anyOf": [reference, {"type": "null"}], "description": "One, if there is one."},
            "many": {"type": "array", "items": reference},
            "kind": {"type": ["string", "null"], "enum": ["a", "b", None]},
        },
        "required": ["inner", "many"],
        "additionalProperties": True,
    }
    assert schema_of(Inner) == reference


def test_optional_members() -> None:
    found = components([Change])["Change"]
    assert found["required"] == []
    assert found["minProperties"] == 1
    assert found["properties"] == {"name": {"type": "string", "pattern": "^[a-z]+$"}}


def test_a_query() -> None:
    assert query_parameters(SomeQuery) == [
        {
            "name": "first",
            "in": "query",
            "required": False,
            "description": "Which.",
            "schema": {"type": "integer", "minimum": 1, "default": 1},
            "example": 3,
        },
        {
            "name": "at",
            "in": "query",
            "required": False,
            "description": "When.",
            "schema": {"type": "string", "format": "date-time"},
        },
    ]


def test_a_path_without_a_declaration_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """So does a declaration without a path."""
    from trio_stream.web.api import streams  # noqa: PLC0415 - only this test changes its function

    both = streams.stream_video.declared  # type: ignore[attr-defined]
    for some in ((), both[:1], (*both, both[0])):
        monkeypatch.setattr(streams.stream_video, "declared", some)
        with pytest.raises(ValueError, match="zip"):
            document()
    assert declares(*both)(streams.stream_video) is streams.stream_video
    assert document()
