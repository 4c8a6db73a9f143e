"""Numbers of JSON (pure)."""


def whole_number(value: object) -> int | None:
    """The integer that a JSON number is; None for anything else.

    `785.0` is one: JSON has a single kind of number (RFC 8259 section 6, JSON Schema 2020-12 section 4.2.3).
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
