"""Writing tables as YAML, in the blocks in which people write the heads of model cards.

JSON's numbers and texts are valid YAML, so only mappings and lists are written here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool
Value: TypeAlias = "Scalar | Sequence[Value] | Mapping[str, Value]"


def format_yaml(table: Mapping[str, Value]) -> str:
    """Format a table of texts, numbers, lists and tables as YAML; an empty list or table is left out."""
    return "\n".join(_format_table(table)) + "\n"


def _format_table(table: Mapping[str, Value]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, (str, int, float)):
            yield f"{key}: {_format_scalar(value)}"
        elif value:
            yield f"{key}:"
            yield from (f"  {line}" for line in _format_nested(value))


def _format_nested(value: Sequence[Value] | Mapping[str, Value]) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _format_table(value)
        return
    for entry in value:
        lines = [_format_scalar(entry)] if isinstance(entry, (str, int, float)) else list(_format_nested(entry))
        yield from (f"{'  ' if place else '- '}{line}" for place, line in enumerate(lines))


def _format_scalar(value: Scalar) -> str:
    # YAML takes some characters for ends of lines that JSON leaves as they are, such as U+0085.
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return "".join(character if character.isprintable() else f"\\U{ord(character):08x}" for character in text)
