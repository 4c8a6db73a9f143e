"""The schemas of types (JSON Schema 2020-12) as OpenAPI 3.1 has them: made by msgspec, in the fewest words."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

type Json = dict[str, Any]

TEMPLATE = "#/components/schemas/{name}"


def components(kinds: Iterable[Any]) -> Json:
    """The schemas of these types and of those they refer to, by name."""
    kinds = list(dict.fromkeys(kinds))
    _, found = msgspec.json.schema_components(kinds, ref_template=TEMPLATE)
    more = {kind.__name__: getattr(kind, "schema", {}) for kind in kinds}
    return {name: _plain(schema) | more.get(name, {}) for name, schema in found.items()}


def schema_of(kind: Any) -> Json:
    """The schema of a type; of a shape, a reference to it."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {"$ref": TEMPLATE.format(name=kind.__name__)}
    ((schema,), _) = msgspec.json.schema_components([kind], ref_template=TEMPLATE)
    return _plain(schema)


def parameter(name: str, where: str, schema: Mapping[str, Any], *, required: bool) -> Json:
    """A parameter, of the schema of its value: what that says for people is said of the parameter."""
    bare = {key: each for key, each in schema.items() if key not in {"description", "examples"}}
    found: Json = {
        "name": name,
        "in": where,
        "required": required,
        "description": schema.get("description", ""),
        "schema": bare,
    }
    examples = schema.get("examples", [])
    return found | ({"example": examples[0]} if examples else {})


def query_parameters(kind: Any) -> list[Json]:
    """The parameters of a query."""
    schema = components([kind])[kind.__name__]
    return [
        parameter(name, "query", each, required=name in schema["required"])
        for name, each in schema["properties"].items()
    ]


def _plain(schema: Json) -> Json:
    """The same schema: without titles, which repeat names, and with types where msgspec leaves them out."""
    found = {key: each for key, each in schema.items() if not (key == "title" and isinstance(each, str))}
    if "description" in found:  # a docstring of several lines
        found["description"] = " ".join(found["description"].split())
    if "pattern" in found:  # the end of a text is `$` in ECMA-262, which in Python is that of a line as well
        found["pattern"] = found["pattern"].replace(r"\Z", "$")
    if found.get("default", UNSET) is None:
        found.pop("default", None)
    if "properties" in found:
        members = found["properties"]
        found["properties"] = {name: _plain(each) for name, each in members.items()}
        needed = {*found.get("required", ()), *(name for name, each in members.items() if _is_one_word(each))}
        found["required"] = [name for name in members if name in needed]
        found.setdefault("additionalProperties", True)
    if "items" in found:
        found["items"] = _plain(found["items"])
    if "anyOf" in found:
        return _either([_plain(each) for each in found.pop("anyOf")], found)
    if "enum" in found:
        words = found.pop("enum")
        found = {"type": "string" if isinstance(words[0], str) else "integer"} | found
        found |= {"const": words[0]} if len(words) == 1 else {"enum": words}
        if "const" in found:
            found.pop("default", None)
    return found


def _is_one_word(schema: Json) -> bool:
    """Whether a member has a default and nothing else: who builds it need not say so, and it is always there."""
    return "default" in schema and schema.get("enum") == [schema["default"]]


def _either(options: list[Json], about: Json) -> Json:
    """One of two schemas; something or null is one, where it is no reference."""
    some = [each for each in options if each != {"type": "null"}]
    if len(some) == 1 and len(options) == 2 and "type" in some[0]:
        (schema,) = some
        words = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
        return schema | about | words | {"type": [schema["type"], "null"]}
    return {"anyOf": options} | about
