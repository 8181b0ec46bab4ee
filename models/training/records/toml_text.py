"""Writing tables as TOML.

The standard library reads TOML but does not write it, and the program's dependencies include no writer. JSON's
numbers, texts and arrays are valid TOML, so only the headings of tables are written here.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def format_toml(table: Mapping[str, Any]) -> str:
    """Format a table of texts, numbers, arrays, tables and lists of tables as TOML; None is left out."""
    return "\n".join(_format_table(table, ())).strip() + "\n"


def _format_table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    present = {key: value for key, value in table.items() if value is not None}
    for key, value in present.items():
        if not isinstance(value, Mapping) and not _is_table_list(value):
            yield f"{_format_key(key)} = {_format_value(value)}"
    for key, value in present.items():
        name = ".".join(_format_key(part) for part in (*path, key))
        if isinstance(value, Mapping):
            lines = list(_format_table(value, (*path, key)))
            # A table that has only tables needs no heading.
            has_values = not lines or lines[0] != ""
            yield from (("", f"[{name}]", *lines) if has_values else lines)
        elif _is_table_list(value):
            for entry in value:
                yield from ("", f"[[{name}]]", *_format_table(entry, (*path, key)))


def _is_table_list(value: object) -> bool:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and bool(value) and all(isinstance(entry, Mapping) for entry in value)  # type: ignore[attr-defined]


def _format_key(key: str) -> str:
    return key if BARE_KEY.fullmatch(key) else _format_value(key)


def _format_value(value: object) -> str:
    # TOML needs U+007F escaped, and no halves of a pair of surrogates, which JSON's escapes would be.
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\x7f", "\\u007f")
