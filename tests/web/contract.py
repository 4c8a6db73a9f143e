"""Values that a JSON Schema allows, and similar values, most of which it refuses."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
from hypothesis import strategies as st

type Json = dict[str, Any]

JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -0.0, 1, 1.0, 2, -1, 0.5, 785.0, 10**7, 10**7 + 1, 10**9 + 1, 1e9, 1e308, 10**30),
    *("", "x", "0", "\0", "\ud800", "\udcff", "x\n", "x" * 101, "x" * 4097, "é😀"),
    *("0" * 24, "0" * 24 + "\n", "F" * 24, "1969-12-31T23:59:59Z", "2026-01-01T00:00:00", "2026-01-01"),
    *([], [None], ["x"], ["x"] * 101, [[]], {}, {"x": 1}),
)


def _pattern(_: Any, pattern: str, value: object, __: Any) -> Iterator[jsonschema.ValidationError]:
    # As in ECMA-262: `$` of Python also matches before a line break.
    if isinstance(value, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), value):
        yield jsonschema.ValidationError("the pattern does not match")


_Validator: Any = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call] # jsonschema has no types


_FORMATS = jsonschema.FormatChecker(("date-time",))


@_FORMATS.checks("date-time")
def _is_date_time(value: object) -> bool:
    # The checker accepts a trailing line break, and digits of other scripts.
    exact = not isinstance(value, str) or re.fullmatch("[0-9TtZz:.+-]*", value)
    return bool(exact) and bool(_Validator.FORMAT_CHECKER.conforms(value, "date-time"))


class Contract:
    """A schema of the description, with the schemas that it refers to."""

    def __init__(self, schema: Json, described: Json) -> None:
        self._schema = schema
        self.kind = schema.get("type")
        self._components = described["components"]
        whole = schema | {"components": self._components}
        self._validator = _Validator(whole, format_checker=_FORMATS)

    def allows(self, value: object) -> bool:
        """Whether the schema allows this value."""
        return bool(self._validator.is_valid(value))

    def values(self) -> st.SearchStrategy[Any]:
        """Values that it allows, as parsed from JSON."""
        return self._values(self._schema).map(through_json).filter(self.allows)

    def near(self) -> st.SearchStrategy[Any]:
        """Values that it allows, with one change; some of them are still allowed."""
        return self.values().flatmap(_changed).map(through_json)

    def _values(self, schema: Json) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one for each kind of schema
        match schema:
            case {"$ref": str(path)}:
                return self._values(self._components["schemas"][path.rpartition("/")[2]])
            case {"anyOf": options}:
                return st.one_of([self._values(option) for option in options])
            case {"const": value}:
                return st.just(value)
            case {"enum": values}:
                return st.sampled_from(values)
            case {"type": [*kinds]}:
                return st.one_of([self._values(schema | {"type": kind}) for kind in kinds])
            case {"type": "object", "properties": properties}:
                members = {name: self._values(member) for name, member in properties.items()}
                needed = {name: members.pop(name) for name in schema["required"]}
                return st.fixed_dictionaries(needed, optional=members)
            case {"type": "array", "items": items}:
                most = schema.get("maxItems", 5)
                some = st.lists(self._values(items), max_size=5)
                return some | self._values(items).map(lambda item: [item] * most)
            case _:
                return _scalar(schema)


def _scalar(schema: Json) -> st.SearchStrategy[Any]:
    least, most = schema.get("minimum", 0), schema.get("maximum", schema.get("exclusiveMaximum", 10**6))
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            whole = st.integers(least, most) | st.sampled_from([least, most])
            return whole | whole.filter(lambda number: number < 1 << 53).map(float)
        case "number":
            return st.floats(least, most) | st.integers(least, most) | st.sampled_from([least, most])
    if schema.get("format") == "date-time":
        return st.datetimes().flatmap(
            lambda at: st.sampled_from([f"{at.isoformat()}{zone}" for zone in ZONES])
        )
    found, pattern = st.text(max_size=schema.get("maxLength", 20)), schema.get("pattern")
    if pattern is not None:
        matching = st.from_regex(re.sub(r"\$$", r"\\Z", pattern))
        # If the pattern allows only few characters, random text would hardly ever match.
        found = found | matching if pattern.startswith("^[^") else matching
    longest = schema.get("maxLength")
    return found if longest is None else found | st.sampled_from(["é" * longest, "x" * longest])


ZONES = ("Z", "z", "+00:00", "-00:00", "+14:00", "-23:59")


@st.composite
def _changed(draw: st.DrawFn, value: Any) -> Any:
    """The value with one change, anywhere in it."""
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        name = draw(st.sampled_from(sorted(value)))
        return value | {name: draw(_changed(value[name]))}
    if isinstance(value, list) and value and draw(st.booleans()):
        at = draw(st.integers(0, min(len(value), 5) - 1))
        return [*value[:at], draw(_changed(value[at])), *value[at + 1 :]]
    ways: list[Any] = [draw(st.sampled_from(JUNK))]
    match value:
        case dict():
            ways += [value | {"user": "x"}, value | {"": None}]
            ways += [{key: value[key] for key in value if key != name} for name in value]
        case list():
            ways += [[*value, draw(st.sampled_from(JUNK))], [value]]
        case str():
            ways += [f"{value}{more}" for more in ("\n", "\0", "\ud800", " ", "x")] + [
                value[:-1],
                value.upper(),
            ]
        case int() | float():
            ways += [-value, value + 0.5, str(value), float(value), value * 10 + 1]
    return draw(st.sampled_from(ways))


def through_json(value: Any) -> Any:
    """The value after encoding and decoding it as JSON, which can turn two lone surrogates into one character."""
    return json.loads(json.dumps(value))


def named(described: Mapping[str, Any], name: str) -> Contract:
    """The contract of the schema `name`."""
    return Contract({"$ref": f"#/components/schemas/{name}"}, dict(described))
