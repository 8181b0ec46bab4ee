"""Downloads of published weights, which happen only when the operator starts a command."""

from collections.abc import Callable

from app.settings import Settings
from models.errors import LineupError
from models.lineups.card import read_card
from models.lineups.catalogue import KnownChoice, list_known_names, resolve_name
from models.lineups.choice import LineupChoice, parse_lineups
from models.lineups.hub import PREFIX, HubLineup


def fetch_chosen(settings: Settings, tell: Callable[[str], None]) -> None:
    """Fetch the missing weights of the chosen lineups; raises `LineupError`.

    Args:
        settings: the settings, which choose the lineups.
        tell: called with a note on each file that is fetched.
    """
    for choice in parse_lineups(settings.lineups, settings.labels, store=settings.weight_store):
        if isinstance(choice, (KnownChoice, HubLineup)):
            choice.fetch(tell)
        if settings.offline:
            _want_torchvisions_files(choice)


def fetch_known(name: str, settings: Settings, tell: Callable[[str], None], *, is_forced: bool) -> tuple[str, ...]:
    """Fetch one known lineup, torchvision's weights included.

    Args:
        name: the lineup's name, or `hf:OWNER/REPOSITORY`.
        settings: the settings of the cache directory, the mirror and offline use.
        tell: called with a note on each file that is fetched.
        is_forced: whether to fetch files again that are on this machine.

    Returns:
        Every network's source.

    Raises:
        LineupError: for an unknown name, and for a file that cannot be fetched.
    """
    if name.startswith(PREFIX):
        return _fetch_from_hub(HubLineup.parse(name, is_offline=settings.offline), tell)
    choice = resolve_name(name, settings.weight_store)
    if choice is None:
        raise LineupError(f"{name!r} is no known lineup; choose one of {', '.join(list_known_names())}")
    if not isinstance(choice, KnownChoice):
        return tuple(str(choice.parent / network.file) for network in read_card(choice).networks.values())
    choice.fetch(tell, is_forced=is_forced)
    if any(network.source for network in choice.lineup.networks):
        _fetch_torchvisions_files(choice, settings)
    return tuple(network.source for network in choice.locate_networks())


def _fetch_from_hub(choice: HubLineup, tell: Callable[[str], None]) -> tuple[str, ...]:
    choice.fetch(tell)
    path = choice.locate()
    return tuple(str(path.with_name(network.file)) for network in read_card(path).networks.values())


def _fetch_torchvisions_files(choice: KnownChoice, settings: Settings) -> None:
    from models.lineups.sources import fetch_source, want_source

    for network in choice.lineup.networks:
        (want_source if settings.offline else fetch_source)(network.source)


def _want_torchvisions_files(choice: LineupChoice) -> None:
    """Refuse missing weights of torchvision offline; online it fetches them itself as it loads a network."""
    # Both import torch, which other commands need not wait for.
    from models.lineups.members import LineupPlan
    from models.lineups.sources import want_source

    for _, source in LineupPlan.read(choice).sources:
        want_source(source)
