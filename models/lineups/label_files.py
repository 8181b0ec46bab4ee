"""Files that name the classes, in the forms in which training programs write them."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from models.errors import LineupError
from models.lineups.card import ClassLabel, read_bytes

HEADINGS = frozenset({"categories", "category", "class", "class_name", "classes", "label", "labels", "name", "names"})
"""The words of a first line that is a heading; no class is one of them."""

ID_TO_LABEL = "id2label"
"""The key of the classes in a model's `config.json` by transformers."""

LABEL_TO_ID = "label2id"
"""The same the other way round."""

NUMBER = re.compile(r"\d{1,6}")

NUMBERED = re.compile(r"(\d{1,6})\s*[:;,\s]\s*(.+)")
"""A line with its index before the name."""

COLUMNS = 2


def read_labels(path: Path) -> tuple[ClassLabel, ...]:
    """Read the classes, in index order.

    Args:
        path: a text file with one name per line; a table with an index and a name per line, in any order, by commas,
            semicolons or tabs; or a JSON file with a list of names or of whole classes, with names by index, indices by
            name, or transformers' `id2label`. A heading is skipped. Classes of the same name, such as ImageNet's two
            cranes, get their index behind it.

    Raises:
        LineupError: the file cannot be read, is empty, lacks an index or a name, or gives an identifier twice.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
        is_json = path.suffix == ".json" or text.lstrip()[:1] in ("[", "{")
        labels = _parse_json(json.loads(text)) if is_json else _parse_lines(text.splitlines())
        for label in labels:
            # JSON's escapes can give halves of characters, which no answer could carry.
            (label.id + label.name).encode()
    except (ValueError, TypeError, RecursionError, csv.Error) as error:
        raise LineupError(f"{path} is not a list of classes: {error}") from error
    if not labels:
        raise LineupError(f"{path} names no class; write one name per line")
    if [label.index for label in labels] != list(range(len(labels))):
        raise LineupError(f"{path}: the classes' indices must be 0, 1, 2, ... in this order")
    twice = [identifier for identifier, count in Counter(label.id for label in labels).items() if count > 1]
    if twice:
        raise LineupError(f"{path} has {', '.join(twice[:5])} more than once; a class is chosen by its identifier")
    return labels


def name_classes(names: Iterable[str]) -> tuple[ClassLabel, ...]:
    """Make classes of names, in index order; empty lines are skipped, names that are there twice get their index."""
    filled = [name.strip() for name in names if name.strip()]
    counts = Counter(filled)
    told = [f"{name} ({index})" if counts[name] > 1 else name for index, name in enumerate(filled)]
    return tuple(ClassLabel(index=index, id=name, name=name) for index, name in enumerate(told))


def _parse_lines(lines: Sequence[str]) -> tuple[ClassLabel, ...]:
    filled = [line.strip() for line in lines if line.strip()]
    for separator in "\t;,":
        rows = [[cell.strip() for cell in row] for row in csv.reader(filled, delimiter=separator)]
        if rows and all(len(row) == COLUMNS for row in rows):
            for number, name in ((0, 1), (1, 0)):
                # A heading has no number where all other rows have one.
                body = rows if NUMBER.fullmatch(rows[0][number]) else rows[1:]
                if body and all(NUMBER.fullmatch(row[number]) for row in body):
                    return _order({row[number]: row[name] for row in body}, count=len(body))
    # With its heading, if it has one, then without.
    for lines_left in (filled, filled[1:]):
        matches = [NUMBERED.fullmatch(line) for line in lines_left]
        names = {match[1]: match[2] for match in matches if match is not None}
        if names and {int(index) for index in names} == set(range(len(lines_left))):
            return _order(names, count=len(lines_left))
    if filled and filled[0].casefold() in HEADINGS:
        filled = filled[1:]
    return name_classes(filled)


def _parse_json(content: object) -> tuple[ClassLabel, ...]:
    for key in (ID_TO_LABEL, LABEL_TO_ID):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if isinstance(content, Mapping):
        if all(isinstance(value, int) for value in content.values()):
            return _order({str(index): name for name, index in content.items()}, count=len(content))
        return _order({index: _name(value) for index, value in content.items()}, count=len(content))
    if isinstance(content, list) and all(isinstance(entry, str) for entry in content):
        return _order({str(index): name for index, name in enumerate(content)}, count=len(content))
    try:
        return TypeAdapter(tuple[ClassLabel, ...]).validate_python(content)
    except ValidationError as error:
        raise ValueError('write a list of names, or names by index: {"0": "cat", "1": "dog"}') from error


def _name(value: object) -> str:
    """The name of a class by index: itself, or the last text of a list, as in Keras's `imagenet_class_index.json`."""
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return str(value[-1])
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no class's name")
    return value


def _order(names: Mapping[str, str], *, count: int) -> tuple[ClassLabel, ...]:
    """Make classes of names by index; raises `ValueError` for an index that is missing, twice or no number."""
    by_index = {int(index): name for index, name in names.items() if NUMBER.fullmatch(index)}
    missing = [index for index in range(count) if index not in by_index]
    if missing:
        raise ValueError(f"no class has the index {missing[0]}; give each of 0 to {count - 1} once")
    if empty := [index for index in range(count) if not by_index[index].strip()]:
        raise ValueError(f"the class with the index {empty[0]} has no name")
    return name_classes(by_index[index] for index in range(count))
