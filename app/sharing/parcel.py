"""The files of a lineup's repository on the Hugging Face Hub, gathered and checked before anything is sent."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from app.sharing.readme import format_readme
from app.sharing.terms import read_licence
from models.checkpoints.writing import hash_file
from models.errors import LineupError
from models.lineups.card import LineupCard, NetworkCard, read_bytes, read_card
from models.lineups.choice import LineupChoice
from models.lineups.hub import CARD_FILE, WEIGHTS_FILE, list_files
from models.lineups.lineup import load_lineup
from models.training.records.headers import Licence
from models.training.records.toml_text import format_toml

README_FILE = "README.md"

Content: TypeAlias = bytes | Path


@dataclass(frozen=True, slots=True)
class Parcel:
    """Everything that is sent.

    Attributes:
        card: the lineup's card.
        licence: the terms of its weights.
        files: the contents by their names in the repository.
    """

    card: LineupCard
    licence: Licence
    files: dict[str, Content]

    def list_sizes(self) -> Iterator[tuple[str, int]]:
        """Each file's name and bytes."""
        for name, content in self.files.items():
            yield name, len(content) if isinstance(content, bytes) else content.stat().st_size


def pack_lineup(choice: LineupChoice, repository: str) -> Parcel:
    """Gather a lineup's files.

    Args:
        choice: a lineup with a TOML file.
        repository: owner and name.

    Raises:
        LineupError: the lineup has no TOML file, cannot be loaded, or has files that are not taken from the Hub.
    """
    if not isinstance(choice, Path):
        raise LineupError(
            f"{choice.name} has no TOML file of its own; push takes a lineup's TOML file, shipped, or another shipped "
            "name"
        )
    text, card = _complete(choice)
    needed = list_files(card, str(choice))
    load_lineup(choice)
    cards = {str(network.card): _find_card(choice, network) for network in card.networks.values() if network.card}
    licence = read_licence(cards.values())
    files: dict[str, Content] = {
        README_FILE: format_readme(card, repository, licence).encode(),
        CARD_FILE: text.encode(),
        **{name: choice.with_name(name) for name in needed},
        **cards,
        **_find_terms(choice, licence),
    }
    return Parcel(card, licence, files)


def _complete(path: Path) -> tuple[str, LineupCard]:
    """The card's text with every checksum, which a lineup of one's own may lack, and the card."""
    card = read_card(path)
    text = read_bytes(path).decode()
    if all(network.sha256 for network in card.networks.values()):
        return text, card
    table = tomllib.loads(text)
    for name, network in card.networks.items():
        # A source that is no such file is refused, with the remedy, where the files are listed.
        if WEIGHTS_FILE.fullmatch(network.file):
            table["networks"][name]["sha256"] = hash_file(path.parent / network.file)
    return format_toml(table), LineupCard.model_validate(table)


def _find_card(path: Path, network: NetworkCard) -> Path:
    found = path.parent / str(network.card)
    if found.parent != path.parent or found.name == README_FILE or not found.is_file():
        raise LineupError(
            f"{path} names the model card {network.card!r}; it must be a file beside it, not {README_FILE}"
        )
    return found


def _find_terms(path: Path, licence: Licence) -> dict[str, Content]:
    """The text of the licence, where the model cards link to a file beside them."""
    link = licence.link or ""
    if not link or "://" in link or link == README_FILE:
        return {}
    if Path(link).name != link or not path.with_name(link).is_file():
        raise LineupError(f"the model cards' license_link is {link!r}; it must be a file beside them, or an address")
    return {link: path.with_name(link)}
