"""Classes found by name, identifier or index."""

import difflib
from collections.abc import Sequence
from typing import Literal

from app.errors import InvalidOption
from models.lineups.card import ClassLabel

ChosenBy = Literal["mean", "index", "name"]
"""The networks' mean probability, or somebody by the class's index or name."""


def find_class(
    labels: Sequence[ClassLabel], target: str, *, option: str = "target"
) -> tuple[ClassLabel | None, ChosenBy]:
    """Find a class by its name, identifier or index.

    Args:
        labels: the classes in index order.
        target: a name, an identifier or an index; empty for the class that the networks rank first.
        option: the option that has it, for the error.

    Returns:
        The class, or None for an empty text; and who chose it.

    Raises:
        InvalidOption: for an unknown class; the message names the nearest ones.
    """
    wanted = target.strip()
    if not wanted:
        return None, "mean"
    for label in labels:
        if wanted.casefold() in (label.name.casefold(), label.id.casefold()):
            return label, "name"
    if wanted.isascii() and wanted.isdigit() and int(wanted) < len(labels):
        return labels[int(wanted)], "index"
    raise _unknown_class(wanted, labels, option)


def _unknown_class(wanted: str, labels: Sequence[ClassLabel], option: str) -> InvalidOption:
    names = [label.name for label in labels]
    nearest = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(nearest)}?" if nearest else f"for example {names[0]} or {names[-1]}"
    return InvalidOption(
        f"{option} {wanted!r} is not one of the {len(names):,} classes; give a name or an index from 0 to "
        f"{len(names) - 1}; {hint}",
        option=option,
        allowed=names,
    )
