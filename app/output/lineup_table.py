"""`cbam-lens lineups`: the known lineups, with the weights on this machine and those to fetch."""

from pathlib import Path

from pydantic import BaseModel
from rich.table import Table

from models.lineups.card import read_card
from models.lineups.catalogue import KnownLineup, KnownNetwork, ReportedErrors, list_shipped, read_catalogue
from models.lineups.fetching.cache import find_torch_directory
from models.lineups.fetching.store import WeightStore

NOTE = "Sizes after “about” are estimated from the parameters. Errors are the publishers’ own, not measured here."


class NetworkState(BaseModel):
    """One network of a known lineup, and where its weights are.

    Attributes:
        name, attention: the network's name and attention.
        weights: the file on this machine, or torchvision's name for it.
        url: the address to fetch it from; None for a file that this program does not fetch.
        page: the web page of a file that has to be fetched by hand.
        sha1: the file's checksum, by its publisher.
        is_here: whether the file is on this machine.
        size_bytes: the file's size if it is here, otherwise an estimate from the parameters; None if unknown.
        reported: the publisher's own figures.
    """

    name: str
    attention: str
    weights: str
    url: str | None = None
    page: str | None = None
    sha1: str | None = None
    is_here: bool
    size_bytes: int | None = None
    reported: ReportedErrors | None = None


class LineupState(BaseModel):
    """A known lineup."""

    name: str
    title: str
    licence: str | None
    provenance: str
    networks: tuple[NetworkState, ...]


class KnownLineups(BaseModel):
    """All lineups that `--lineup` knows by name."""

    cache: Path
    lineups: tuple[LineupState, ...]


def list_lineups(store: WeightStore) -> KnownLineups:
    """List every known lineup; raises `LineupError` for a damaged installation."""
    shipped = (_read_shipped(path) for path in list_shipped().values())
    published = (_read_published(name, lineup, store) for name, lineup in read_catalogue().items())
    return KnownLineups(cache=store.directory, lineups=(*shipped, *published))


def tabulate_lineups(known: KnownLineups) -> Table:
    """Tabulate the lineups for the terminal."""
    table = Table(title="Lineups known by name", caption=f"Fetched files are kept in {known.cache}. {NOTE}")
    table.add_column("lineup", no_wrap=True)
    table.add_column("network", no_wrap=True)
    table.add_column("top-1 error", justify="right", no_wrap=True)
    table.add_column("weights")
    for lineup in known.lineups:
        for row, network in enumerate(lineup.networks):
            reported = network.reported
            table.add_row(
                "" if row else lineup.name,
                network.name,
                "" if reported is None else f"{reported.top1_error:.2f} %",
                _locate_weights(network),
                end_section=network is lineup.networks[-1],
            )
    return table


def _locate_weights(network: NetworkState) -> str:
    size = "" if network.size_bytes is None else f"{network.size_bytes / 1e6:,.0f} MB"
    if network.is_here:
        return f"on this machine{size and ', '}{size}"
    if network.page is not None:
        return "by hand: cbam-lens fetch says how"
    return f"to fetch{size and ', about '}{size}"


def _read_shipped(path: Path) -> LineupState:
    card = read_card(path)
    networks = tuple(
        NetworkState(
            name=name,
            attention=network.attention,
            weights=str(path.parent / network.file),
            is_here=True,
            size_bytes=(path.parent / network.file).stat().st_size,
        )
        for name, network in card.networks.items()
    )
    return LineupState(name=card.name, title=card.title, licence=None, provenance=card.provenance, networks=networks)


def _read_published(name: str, lineup: KnownLineup, store: WeightStore) -> LineupState:
    return LineupState(
        name=name,
        title=lineup.title,
        licence=lineup.licence,
        provenance=lineup.provenance,
        networks=tuple(_read_network(network, store) for network in lineup.networks),
    )


def _read_network(network: KnownNetwork, store: WeightStore) -> NetworkState:
    file = network.weights
    if file is None:
        return NetworkState(
            name=network.name,
            attention=network.attention,
            weights=network.source,
            is_here=(find_torch_directory() / network.source_file).is_file(),
            reported=network.reported,
        )
    found = store.find(file)
    return NetworkState(
        name=network.name,
        attention=network.attention,
        weights=str(found or store.place_of(file)),
        url=file.url,
        page=file.page,
        sha1=file.sha1,
        is_here=found is not None,
        size_bytes=file.expected_bytes if found is None else found.stat().st_size,
        reported=network.reported,
    )
