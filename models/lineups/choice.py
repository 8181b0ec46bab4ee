"""The choice of a lineup on a command line. Nothing here imports torch or reads weights.

A known name (`models.lineups.catalogue`), a TOML file (the full form), `hf:OWNER/REPOSITORY` on the Hugging Face Hub
(`models.lineups.hub`), or `NAME=SOURCE,SOURCE` with two to five sources of weights (`models.lineups.sources`), the
baseline first. A source may have a name in front of it, `NAME=baseline:a.pth,new:b.pth`; else the network is named by
its attention.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from models.errors import LineupError
from models.lineups.card import FEWEST_NETWORKS, LINEUP_NAME, MOST_NETWORKS, RESERVED_NAMES
from models.lineups.catalogue import KnownChoice, list_known_names, resolve_name
from models.lineups.fetching.store import WeightStore
from models.lineups.hub import PREFIX, HubLineup
from models.names import NETWORK_NAME, NetworkName

SYNTAX = "write NAME=BASELINE,SE,CBAM with two to five files, the path of a TOML file, or a known name"

KINDS_OF_SOURCE = frozenset({"python", "torchvision", "untrained"})
"""Words before a colon that are part of a source."""


class NamedSource(NamedTuple):
    """One network of a lineup: its name, None where its attention names it, and its source of weights."""

    name: NetworkName | None
    source: str

    @classmethod
    def parse(cls, text: str, *, platform: str = sys.platform) -> "NamedSource":
        """`cbam:new.pth` or `new.pth`; raises `LineupError` for what stands before a colon and is no name.

        Args:
            text: a source, with or without a name in front.
            platform: as `sys.platform` names it: on Windows a letter and a slash begin a path.
        """
        text = text.strip()
        name, colon, source = text.partition(":")
        is_drive = platform == "win32" and len(name) == 1 and source.startswith(("\\", "/"))
        if not colon or is_drive or name in KINDS_OF_SOURCE:
            return cls(None, text)
        if re.fullmatch(NETWORK_NAME, name):
            return cls(name, source)
        if "/" in name or "\\" in name or Path(text).exists():
            return cls(None, text)
        raise LineupError(
            f"{name!r} in {text!r} is not a network's name: it begins with a small letter, and small letters, digits, "
            "dashes and underscores follow, at most 32 together; correct it, or write a file's path as ./FILE"
        )


@dataclass(frozen=True, slots=True)
class InlineLineup:
    """A lineup given by its sources of weights alone.

    Attributes:
        name: what it is asked for by.
        sources: each network's, the baseline's first; a file, `torchvision:NAME` or `untrained:ARCHITECTURE`.
        labels: a file of class names, `imagenet`, or None.
    """

    name: str
    sources: tuple[NamedSource, ...]
    labels: str | None = None

    @classmethod
    def of(cls, name: str, *sources: str, labels: str | None = None) -> "InlineLineup":
        """A lineup of sources as they are written on a command line."""
        return cls(name, tuple(NamedSource.parse(source) for source in sources), labels)


LineupChoice: TypeAlias = InlineLineup | Path | KnownChoice | HubLineup


def parse_lineup(text: str, *, labels: str | None = None, store: WeightStore | None = None) -> LineupChoice:
    """The lineup that a text means.

    Args:
        text: see the module.
        labels: class names for a lineup that is given by its weights alone.
        store: where the files of published networks are; the platform's cache directory by default.

    Raises:
        LineupError: the text is not a valid choice.
    """
    store = store or WeightStore()
    if text.startswith(PREFIX):
        return HubLineup.parse(text, is_offline=store.options.offline)
    if (known := resolve_name(text, store)) is not None:
        return known
    if "=" not in text or Path(text).is_file():
        if not Path(text).is_file():
            raise LineupError(
                f"lineup is {text!r}, and there is no such file; {SYNTAX}, one of {', '.join(list_known_names())}"
            )
        return Path(text)
    name, _, sources = text.partition("=")
    if not re.fullmatch(LINEUP_NAME, name):
        raise LineupError(
            f"the lineup's name is {name!r}; use letters, digits, dots, dashes and underscores, at most 64"
        )
    lineup = InlineLineup.of(name, *sources.split(","), labels=labels)
    if not FEWEST_NETWORKS <= len(lineup.sources) <= MOST_NETWORKS or not all(part.source for part in lineup.sources):
        raise LineupError(f"lineup {name} names {sources!r}; {SYNTAX}")
    names = [part.name for part in lineup.sources if part.name is not None]
    if taken := RESERVED_NAMES.intersection(names):
        raise LineupError(f"lineup {name}: no network may be called {', '.join(sorted(taken))}; choose another name")
    if len(names) > len(set(names)):
        raise LineupError(f"lineup {name} has two networks of one name, {', '.join(names)}; each needs its own")
    return lineup


def parse_lineups(
    texts: tuple[str, ...], labels: tuple[str, ...], *, store: WeightStore | None = None
) -> tuple[LineupChoice, ...]:
    """Every lineup; class names go to those that are given by their weights alone, one for all or one each.

    Raises:
        LineupError: a text is not a valid choice, or the number of lists of class names does not fit.
    """
    inline = [text for text in texts if isinstance(parse_lineup(text), InlineLineup)]
    if len(labels) > 1 and len(labels) != len(inline):
        raise LineupError(
            f"{len(labels)} lists of class names for {len(inline)} lineups of the form NAME=SOURCE,SOURCE; give one "
            "for all of them, or one each in their order"
        )
    if labels and not inline:
        raise LineupError("class names go with a lineup of the form NAME=SOURCE,SOURCE; a TOML file names its own")
    lists = iter(labels * len(inline) if len(labels) == 1 else labels)
    return tuple(
        parse_lineup(text, labels=next(lists, None) if text in inline else None, store=store) for text in texts
    )
