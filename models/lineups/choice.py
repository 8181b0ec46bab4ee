"""Which pair is meant, as it is written on a command line: nothing here imports torch or reads weights.

`shipped`, a TOML file (the full form), or `NAME=BASELINE,CBAM` with two sources of weights (`models.lineups.sources`).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from models.errors import PairError
from models.lineups.card import PAIR_NAME, SHIPPED_PAIR

SHIPPED = "shipped"

SYNTAX = "write NAME=BASELINE,CBAM with two files, the path of a TOML file, or shipped"


@dataclass(frozen=True, slots=True)
class InlinePair:
    """A pair given by its two sources of weights alone.

    Attributes:
        name: what it is asked for by.
        baseline, cbam: a file, `torchvision:NAME` or `untrained:ARCHITECTURE`.
        labels: a file of class names, `imagenet`, or None.
    """

    name: str
    baseline: str
    cbam: str
    labels: str | None = None


PairChoice: TypeAlias = InlinePair | Path


def parse_pair(text: str, *, labels: str | None = None) -> PairChoice:
    """The pair that a text means.

    Args:
        text: see the module.
        labels: class names for a pair that is given by its weights alone.

    Raises:
        PairError: for a text that means none.
    """
    if text == SHIPPED:
        return SHIPPED_PAIR
    if "=" not in text or Path(text).is_file():
        if not Path(text).is_file():
            raise PairError(f"pair is {text!r}, and there is no such file; {SYNTAX}")
        return Path(text)
    name, _, sources = text.partition("=")
    if not re.match(PAIR_NAME, name):
        raise PairError(f"the pair's name is {name!r}; use letters, digits, dots, dashes and underscores, at most 64")
    halves = [source.strip() for source in sources.split(",")]
    if len(halves) != len(("baseline", "cbam")) or not all(halves):
        raise PairError(f"pair {name} names {sources!r}; {SYNTAX}")
    baseline, cbam = halves
    return InlinePair(name, baseline, cbam, labels)


def parse_pairs(texts: tuple[str, ...], labels: tuple[str, ...]) -> tuple[PairChoice, ...]:
    """Every pair; class names go to those that are given by their weights alone, one for all or one each.

    Raises:
        PairError: for a text that means none, and for another number of lists of class names.
    """
    inline = [text for text in texts if isinstance(parse_pair(text), InlinePair)]
    if len(labels) > 1 and len(labels) != len(inline):
        raise PairError(
            f"{len(labels)} lists of class names for {len(inline)} pairs of the form NAME=BASELINE,CBAM; give one for "
            "all of them, or one each in their order"
        )
    if labels and not inline:
        raise PairError("class names go with a pair of the form NAME=BASELINE,CBAM; a TOML file names its own")
    lists = iter(labels * len(inline) if len(labels) == 1 else labels)
    return tuple(parse_pair(text, labels=next(lists, None)) if text in inline else parse_pair(text) for text in texts)
