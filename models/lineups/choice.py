"""The choice of a lineup on a command line. Nothing here imports torch or reads weights.

A choice is `shipped`, a TOML file, or `NAME=BASELINE,CBAM` with two sources of weights (`models.lineups.sources`).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from models.errors import LineupError
from models.lineups.card import LINEUP_NAME, SHIPPED_LINEUP

SHIPPED = "shipped"

SYNTAX = "write NAME=BASELINE,CBAM with two files, the path of a TOML file, or shipped"


@dataclass(frozen=True, slots=True)
class InlineLineup:
    """A lineup that is given only by its two sources of weights.

    Attributes:
        name: the lineup's name.
        baseline, cbam: a file, `torchvision:NAME` or `untrained:ARCHITECTURE`.
        labels: a file of class names, `imagenet`, or None.
    """

    name: str
    baseline: str
    cbam: str
    labels: str | None = None


LineupChoice: TypeAlias = InlineLineup | Path


def parse_lineup(text: str, *, labels: str | None = None) -> LineupChoice:
    """Parse a choice of a lineup.

    Args:
        text: a choice as described in this module.
        labels: class names for a lineup that is given only by its weights.

    Raises:
        LineupError: the text is not a valid choice.
    """
    if text == SHIPPED:
        return SHIPPED_LINEUP
    if "=" not in text or Path(text).is_file():
        if not Path(text).is_file():
            raise LineupError(f"lineup is {text!r}, and there is no such file; {SYNTAX}")
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


def parse_lineups(texts: tuple[str, ...], labels: tuple[str, ...]) -> tuple[LineupChoice, ...]:
    """Parse several choices; lineups given only by their weights share one list of class names, or have one each.

    Raises:
        LineupError: a text is not a valid choice, or the number of lists of class names does not fit.
    """
    inline = [text for text in texts if isinstance(parse_lineup(text), InlineLineup)]
    if len(labels) > 1 and len(labels) != len(inline):
        raise LineupError(
            f"{len(labels)} lists of class names for {len(inline)} lineups of the form NAME=BASELINE,CBAM; give one for "
            "all of them, or one for each in the same order"
        )
    if labels and not inline:
        raise LineupError("class names go with a lineup of the form NAME=BASELINE,CBAM; a TOML file names its own")
    lists = iter(labels * len(inline) if len(labels) == 1 else labels)
    return tuple(
        parse_lineup(text, labels=next(lists, None)) if text in inline else parse_lineup(text) for text in texts
    )
