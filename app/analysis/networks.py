"""Networks of a lineup chosen by name: one, several, or two for a difference."""

from app.analysis.comparison import Difference
from app.analysis.options import DifferenceNetworksOptions, NetworksOptions, TargetOptions
from app.errors import InvalidOption, refuse_choice
from models.lineups.card import LineupCard
from models.names import NetworkName


def choose_network(card: LineupCard, name: str | None) -> NetworkName:
    """Find a network by name, or the last one without a name; raises `InvalidOption`, which lists the networks."""
    return _check("network", name, card.names) if name else card.last


def choose_gated(card: LineupCard, name: str | None) -> NetworkName:
    """Find a network with gates by name, or the last such network without a name.

    Raises:
        InvalidOption: for an unknown name or a network without gates, and for a lineup without gates.
    """
    if not card.gated:
        raise InvalidOption("no network of this lineup has gates; choose another lineup", option="lineup")
    return _check("network", name, card.gated) if name else card.gated[-1]


def choose_networks(card: LineupCard, text: str) -> tuple[NetworkName, ...]:
    """Find the networks that a text such as `baseline,cbam` lists, each once and in its order; all for an empty text.

    Raises:
        InvalidOption: for an unknown name.
    """
    names = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(dict.fromkeys(_check("networks", name, card.names) for name in names)) or card.names


def choose_difference(card: LineupCard, of: str | None = None, minus: str | None = None) -> Difference:
    """Choose the two networks of a difference: by default the last one minus the baseline.

    Raises:
        InvalidOption: for an unknown name, and for a network minus itself.
    """
    first = _check("minus", minus, card.names) if minus else next(name for name in card.names if name != of)
    others = [name for name in card.names if name != first]
    if of == minus and of:
        raise refuse_choice("of", of, others)
    return Difference(_check("of", of, card.names) if of else others[-1], first)


def check_networks(card: LineupCard, options: TargetOptions) -> None:
    """Refuse options that name networks which a lineup lacks, before anything is computed.

    Raises:
        InvalidOption: for an unknown name, and for a network minus itself.
    """
    if isinstance(options, NetworksOptions):
        choose_networks(card, options.networks)
    if isinstance(options, DifferenceNetworksOptions):
        choose_difference(card, options.of, options.minus)


def _check(option: str, name: str, names: tuple[NetworkName, ...]) -> NetworkName:
    if name not in names:
        raise refuse_choice(option, name, list(names))
    return name
