"""Networks of a lineup chosen by name: one, several, or two for a difference."""

from app.analysis.comparison import Difference
from app.errors import InvalidOption, refuse_choice
from models.lineups.card import LineupCard
from models.names import NetworkName


def choose_network(card: LineupCard, name: str | None) -> NetworkName:
    """The network of that name, the last one for none; raises `InvalidOption`, which lists the networks."""
    return _check("network", name, card.names) if name else card.last


def choose_gated(card: LineupCard, name: str | None) -> NetworkName:
    """The network with gates of that name, the last one for none.

    Raises:
        InvalidOption: for another name, and for a lineup without gates.
    """
    if not card.gated:
        raise InvalidOption("no network of this lineup has gates; choose another lineup", option="lineup")
    return _check("network", name, card.gated) if name else card.gated[-1]


def choose_networks(card: LineupCard, text: str) -> tuple[NetworkName, ...]:
    """The networks that a text lists, `baseline,cbam`, each once and in the text's order; all for an empty text.

    Raises:
        InvalidOption: for a name that is not one of the lineup's.
    """
    names = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(dict.fromkeys(_check("networks", name, card.names) for name in names)) or card.names


def choose_difference(card: LineupCard, of: str | None = None, minus: str | None = None) -> Difference:
    """One network's map minus another's: by default the last one minus the baseline.

    Raises:
        InvalidOption: for a name that is not one of the lineup's, and for a network minus itself.
    """
    first = _check("minus", minus, card.names) if minus else next(name for name in card.names if name != of)
    others = [name for name in card.names if name != first]
    if of == minus and of:
        raise refuse_choice("of", of, others)
    return Difference(_check("of", of, card.names) if of else others[-1], first)


def _check(option: str, name: str, names: tuple[NetworkName, ...]) -> NetworkName:
    if name not in names:
        raise refuse_choice(option, name, list(names))
    return name
