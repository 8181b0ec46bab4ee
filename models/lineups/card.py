"""A lineup's card, which is a TOML file, and its class names; both are read before the weights.

Nothing here imports torch.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.errors import LineupError
from models.names import Attention, Geometry, NetworkName, Resolution, StridePlacement
from models.pictures.preparation import Preprocessing

LINEUP_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""A lineup's name is part of addresses, options and headers."""

SHIPPED_LINEUP = Path(__file__).parents[1] / "weights" / "resnet18_110.toml"


class CardModel(BaseModel):
    """A frozen part of a lineup's card that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ClassLabel(CardModel):
    """One class: its index in the logits, its identifier (a folder's name), its display name and its data set."""

    index: int
    id: str
    name: str
    dataset: str = ""


class Accuracy(CardModel):
    """Accuracy measured with `cbam-lens evaluate`; `top1` and `top5` are shares in 0..1."""

    dataset: str
    pictures: int
    geometry: Geometry
    resolution: Resolution
    top1: float = Field(ge=0, le=1)
    top5: float = Field(ge=0, le=1)


class NetworkCard(CardModel):
    """One network's weights: their source, checksum and measurements.

    Attributes:
        attention: the attention at the end of each block.
        file: a source of weights, see `models.lineups.sources`; usually a safetensors file beside the card.
        sha256: the file's checksum; None to skip the check.
        card: the model card's file beside it.
        multiply_adds: the multiply-adds for one picture at the lineup's own resolution. Recorded, because counting them
            imports torch's compiler, which takes longer than the rest of the start-up.
        recipe: the training recipe's name; equal for both networks of a fair lineup.
        accuracy: the measured accuracies.
    """

    attention: Attention
    file: str
    sha256: str | None = None
    card: str | None = None
    multiply_adds: int | None = Field(default=None, gt=0)
    recipe: str | None = None
    accuracy: tuple[Accuracy, ...] = ()


class LineupCard(CardModel):
    """Everything about a lineup that is known before its weights are read.

    Attributes:
        name: its name in REST and on the command line.
        title: its display name.
        architecture: the architecture of both networks, see `models.networks.zoo`.
        stride_placement: see `StridePlacement`.
        trained: whether both networks are trained; results of other lineups are marked as untrained.
        labels: a file of class names beside the card, or `imagenet`; None for numbered classes.
        provenance: the origin of the weights.
        warnings: warnings for whoever looks at the maps.
        preprocessing: the preprocessing of the networks' input.
        folder_aliases: class names by the names of folders that are called differently.
        networks: both networks.
    """

    name: str = Field(pattern=LINEUP_NAME)
    title: str
    architecture: str
    stride_placement: StridePlacement = StridePlacement.V1_5
    trained: bool
    labels: str | None = None
    provenance: str
    warnings: tuple[str, ...] = ()
    preprocessing: Preprocessing = Preprocessing()
    folder_aliases: dict[str, str] = {}
    networks: dict[NetworkName, NetworkCard]


def read_card(path: Path) -> LineupCard:
    """Read a lineup's card from its TOML file; raises `LineupError`."""
    try:
        card = LineupCard.model_validate(tomllib.loads(read_bytes(path).decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise LineupError(f"{path} is not a lineup's card: {error}") from error
    if missing := set(NetworkName) - set(card.networks):
        raise LineupError(f"{path} names no network {' and '.join(sorted(missing))}; a lineup has baseline and cbam")
    return card


def read_labels(path: Path) -> tuple[ClassLabel, ...]:
    """Read the classes, in index order.

    Args:
        path: a text file with one name per line, or a JSON file with a list of names or of whole classes.

    Raises:
        LineupError: the file cannot be read, is empty or names a class twice.
    """
    try:
        text = read_bytes(path).decode()
        labels = _parse_json_labels(text) if path.suffix == ".json" else name_classes(text.splitlines())
    except (json.JSONDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise LineupError(f"{path} is not a list of classes: {error}") from error
    if not labels:
        raise LineupError(f"{path} names no class; write one name per line")
    if [label.index for label in labels] != list(range(len(labels))):
        raise LineupError(f"{path}: the classes' indices must be 0, 1, 2, ... in this order")
    twice = [identifier for identifier, count in Counter(label.id for label in labels).items() if count > 1]
    if twice:
        raise LineupError(f"{path} has {', '.join(twice[:5])} more than once; a class is chosen by its name")
    return labels


def name_classes(names: Iterable[str]) -> tuple[ClassLabel, ...]:
    """Make classes of names, in index order; empty lines are skipped."""
    filled = [name.strip() for name in names if name.strip()]
    return tuple(ClassLabel(index=index, id=name, name=name) for index, name in enumerate(filled))


def _parse_json_labels(text: str) -> tuple[ClassLabel, ...]:
    content = json.loads(text)
    if isinstance(content, list) and all(isinstance(entry, str) for entry in content):
        return name_classes(content)
    return TypeAdapter(tuple[ClassLabel, ...]).validate_python(content)


def read_bytes(path: Path) -> bytes:
    """Read a file's content; raises `LineupError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise LineupError(f"{path} cannot be read: {error.strerror}; check the path") from error
