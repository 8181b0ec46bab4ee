"""The lineups that are known by name: those that are shipped, and published networks that can be fetched.

Nothing here imports torch, and nothing is fetched here.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from models.errors import LineupError
from models.lineups.card import FEWEST_NETWORKS, MOST_NETWORKS, SHIPPED_LINEUP, CardModel, read_bytes, read_card
from models.lineups.fetching.published import FetchError, PublishedFile
from models.lineups.fetching.store import WeightStore
from models.names import NETWORK_NAME, StridePlacement
from models.pictures.preparation import Preprocessing

CATALOGUE = Path(__file__).with_name("catalogue.toml")

SHIPPED = "shipped"


class ReportedErrors(CardModel):
    """Others' figures in per cent on ImageNet's validation pictures: cited, never measured here."""

    top1_error: float = Field(ge=0, le=100)
    top5_error: float = Field(ge=0, le=100)
    by: str


class KnownNetwork(CardModel):
    """One network of a known lineup.

    Attributes:
        name: unique in its lineup.
        attention: the name of an attention of the zoo.
        weights: the published file; None where `source` tells it all.
        source: of weights, see `models.lineups.sources`; empty where they are in a published file.
        source_file: the name under which torchvision keeps the weights of `source`.
        reported: its publisher's own figures.
    """

    name: str = Field(pattern=NETWORK_NAME)
    attention: str
    weights: PublishedFile | None = None
    source: str = ""
    source_file: str = ""
    reported: ReportedErrors | None = None

    @model_validator(mode="after")
    def _want_one_origin(self) -> Self:
        if (self.weights is None) is (not self.source) or bool(self.source) is not bool(self.source_file):
            raise ValueError(f"{self.name} has either weights or a source, and a source has its file's name")
        return self


class KnownLineup(CardModel):
    """Published networks that are compared with each other; the first is the baseline.

    Attributes:
        title: its name for people.
        architecture: of all networks, see `models.networks.zoo`.
        stride_placement: of all networks.
        labels: as in a card.
        licence: of the weights.
        recipe: by which all were trained; None where they were not trained alike.
        provenance: where the weights are from.
        preprocessing: the networks' input.
        networks: two to five, in their order.
    """

    title: str
    architecture: str
    stride_placement: StridePlacement
    labels: str
    licence: str
    recipe: str | None = None
    provenance: str
    preprocessing: Preprocessing = Preprocessing()
    networks: tuple[KnownNetwork, ...] = Field(min_length=FEWEST_NETWORKS, max_length=MOST_NETWORKS)


@dataclass(frozen=True, slots=True)
class LocatedNetwork:
    """One network of a lineup, ready to be loaded.

    Attributes:
        name: unique in its lineup.
        attention: the name of an attention of the zoo.
        source: of weights, see `models.lineups.sources`; a file is there, and is the published one.
    """

    name: str
    attention: str
    source: str


@dataclass(frozen=True, slots=True)
class KnownChoice:
    """A known lineup that somebody chose.

    Attributes:
        name: what it is asked for by.
        lineup: what is known of it.
        store: where its files are, and how they get there.
    """

    name: str
    lineup: KnownLineup
    store: WeightStore

    @property
    def files(self) -> tuple[PublishedFile, ...]:
        """The published files of its networks."""
        return tuple(network.weights for network in self.lineup.networks if network.weights is not None)

    def fetch(self, tell: Callable[[str], None], *, is_forced: bool = False) -> None:
        """Fetch every published file that is not on this machine.

        Args:
            tell: told of each that is fetched, and of waiting for another process, before.
            is_forced: fetch also what is on this machine.

        Raises:
            FetchError: where one cannot be had; the others are there then, as far as that is possible.
        """
        wanted = [file for file in self.files if is_forced or self.store.find(file) is None]
        if wanted and self.store.options.offline:
            missing = self.store.explain_missing(wanted)
            raise FetchError(f"{missing}; or run `cbam-lens fetch {self.name}` without --offline")
        for file in wanted:
            if file.url is not None:
                self.store.fetch(file, is_forced=is_forced, tell=tell)
        if by_hand := [file for file in self.files if file.url is None and self.store.find(file) is None]:
            raise FetchError(self.store.explain_missing(by_hand))

    def locate_networks(self) -> tuple[LocatedNetwork, ...]:
        """Every network's source, in their order; raises `FetchError` for a file that is missing or another one."""
        return tuple(
            LocatedNetwork(
                network.name,
                network.attention,
                network.source if network.weights is None else str(self.store.locate(network.weights)),
            )
            for network in self.lineup.networks
        )


def read_catalogue(path: Path | None = None) -> dict[str, KnownLineup]:
    """The published lineups by name.

    Args:
        path: a TOML file; our own by default.

    Raises:
        LineupError: for a file that is not a catalogue.
    """
    return _read(path or CATALOGUE)


def list_known_names() -> tuple[str, ...]:
    """Every name that `--lineup` knows, the shipped ones first."""
    return (SHIPPED, *list_shipped(), *read_catalogue())


def resolve_name(text: str, store: WeightStore) -> Path | KnownChoice | None:
    """The lineup of a known name; None for a text that is none.

    Args:
        text: a name, or NAME=FOLDER with a folder in which its files are looked for first.
        store: where fetched files are kept.
    """
    if text == SHIPPED:
        return SHIPPED_LINEUP
    name, equals, folder = text.partition("=")
    if (lineup := read_catalogue().get(name)) is not None:
        if not equals:
            return KnownChoice(name, lineup, store)
        if Path(folder).expanduser().is_dir():
            return KnownChoice(name, lineup, replace(store, folder=Path(folder).expanduser().absolute()))
    return list_shipped().get(text)


@lru_cache
def list_shipped() -> dict[str, Path]:
    """The cards of the lineups that are shipped, by their names."""
    return {read_card(path).name: path for path in sorted(SHIPPED_LINEUP.parent.glob("*.toml"))}


@lru_cache
def _read(path: Path) -> dict[str, KnownLineup]:
    try:
        return TypeAdapter(dict[str, KnownLineup]).validate_python(tomllib.loads(read_bytes(path).decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise LineupError(f"{path} is not a catalogue of lineups: {error}") from error
