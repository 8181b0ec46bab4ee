"""Which lineup is meant, as it is written on a command line: nothing here imports torch or reads weights.

A known name (`models.lineups.catalogue`), a TOML file (the full form), or `NAME=BASELINE,CBAM` with two sources of
weights (`models.lineups.sources`).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from models.errors import LineupError
from models.lineups.card import LINEUP_NAME
from models.lineups.catalogue import KnownChoice, list_known_names, resolve_name
from models.lineups.fetching.store import WeightStore

SYNTAX = "write NAME=BASELINE,CBAM with two files, the path of a TOML file, or a known name"


@dataclass(frozen=True, slots=True)
class InlineLineup:
    """A lineup given by its two sources of weights alone.

    Attributes:
        name: what it is asked for by.
        baseline, cbam: a file, `torchvision:NAME` or `untrained:ARCHITECTURE`.
        labels: a file of class names, `imagenet`, or None.
    """

    name: str
    baseline: str
    cbam: str
    labels: str | None = None


LineupChoice: TypeAlias = InlineLineup | Path | KnownChoice


def parse_lineup(text: str, *, labels: str | None = None, store: WeightStore | None = None) -> LineupChoice:
    """The lineup that a text means.

    Args:
        text: see the module.
        labels: class names for a lineup that is given by its weights alone.
        store: where the files of published networks are; the platform's cache directory by default.

    Raises:
        LineupError: for a text that means none.
    """
    if (known := resolve_name(text, store or WeightStore())) is not None:
        return known
    if "=" not in text or Path(text).is_file():
        if not Path(text).is_file():
            raise LineupError(
                f"lineup is {text!r}, and there is no such file; {SYNTAX}, one of {', '.join(list_known_names())}"
            )
        return Path(text)
    name, _, sources = text.partition("=")
    if not re.match(LINEUP_NAME, name):
        raise LineupError(
            f"the lineup's name is {name!r}; use letters, digits, dots, dashes and underscores, at most 64"
        )
    members = [source.strip() for source in sources.split(",")]
    if len(members) != len(("baseline", "cbam")) or not all(members):
        raise LineupError(f"lineup {name} names {sources!r}; {SYNTAX}")
    baseline, cbam = members
    return InlineLineup(name, baseline, cbam, labels)


def parse_lineups(
    texts: tuple[str, ...], labels: tuple[str, ...], *, store: WeightStore | None = None
) -> tuple[LineupChoice, ...]:
    """Every lineup; class names go to those that are given by their weights alone, one for all or one each.

    Raises:
        LineupError: for a text that means none, and for another number of lists of class names.
    """
    inline = [text for text in texts if isinstance(parse_lineup(text), InlineLineup)]
    if len(labels) > 1 and len(labels) != len(inline):
        raise LineupError(
            f"{len(labels)} lists of class names for {len(inline)} lineups of the form NAME=BASELINE,CBAM; give one for "
            "all of them, or one each in their order"
        )
    if labels and not inline:
        raise LineupError("class names go with a lineup of the form NAME=BASELINE,CBAM; a TOML file names its own")
    lists = iter(labels * len(inline) if len(labels) == 1 else labels)
    return tuple(
        parse_lineup(text, labels=next(lists, None) if text in inline else None, store=store) for text in texts
    )
