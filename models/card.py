"""What is known of a pair before its weights are read: its card, a TOML file, and its class names.

Nothing here imports torch.
"""

import json
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.names import Attention, Geometry, NetworkName, Resolution, StridePlacement

SHIPPED_PAIR = Path(__file__).parent / "weights" / "resnet18_110.toml"


class PairError(Exception):
    """A pair cannot be loaded; the message says which file, what is wrong and what to do."""


class CardModel(BaseModel):
    """A frozen part of a pair's card that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ClassLabel(CardModel):
    """One class: its index in the logits, its identifier (a folder's name), its name for people, its data set."""

    index: int
    id: str
    name: str
    dataset: str = ""


class Preprocessing(CardModel):
    """The input that the networks were trained for; mean and deviation per RGB channel, for values in 0..1."""

    mean: tuple[float, float, float]
    standard_deviation: tuple[float, float, float]
    geometry: Geometry
    resolution: Resolution


class Accuracy(CardModel):
    """Accuracy measured with `cbam-lens evaluate`; `top1` and `top5` are shares in 0..1."""

    dataset: str
    pictures: int
    geometry: Geometry
    resolution: Resolution
    top1: float = Field(ge=0, le=1)
    top5: float = Field(ge=0, le=1)


class NetworkCard(CardModel):
    """Where one network's weights are, their checksum and what was measured with them.

    `multiply_adds` is for one picture at the pair's own resolution. It is written down because counting it imports
    torch's compiler, which takes longer than everything else at start-up; a test counts it again.
    """

    attention: Attention
    file: str
    sha256: str
    card: str
    multiply_adds: int = Field(gt=0)
    accuracy: tuple[Accuracy, ...] = ()


class PairCard(CardModel):
    """Everything that is known of a pair before its weights are read."""

    name: str
    title: str
    architecture: str
    stride_placement: StridePlacement
    trained: bool
    labels: str
    provenance: str
    warnings: tuple[str, ...] = ()
    preprocessing: Preprocessing
    folder_aliases: dict[str, str] = {}
    networks: dict[NetworkName, NetworkCard]


def read_card(path: Path) -> PairCard:
    """The pair's card from its TOML file; raises `PairError`."""
    try:
        card = PairCard.model_validate(tomllib.loads(read_bytes(path).decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise PairError(f"{path} is not a pair's card: {error}") from error
    if missing := set(NetworkName) - set(card.networks):
        raise PairError(f"{path} names no network {' and '.join(sorted(missing))}; a pair has baseline and cbam")
    return card


def read_labels(path: Path) -> tuple[ClassLabel, ...]:
    """The classes in index order from a JSON file; raises `PairError`."""
    try:
        labels = TypeAdapter(tuple[ClassLabel, ...]).validate_python(json.loads(read_bytes(path)))
    except (json.JSONDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise PairError(f"{path} is not a list of classes: {error}") from error
    if [label.index for label in labels] != list(range(len(labels))):
        raise PairError(f"{path}: the classes' indices must be 0, 1, 2, ... in this order")
    return labels


def read_bytes(path: Path) -> bytes:
    """A file's content; raises `PairError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise PairError(f"{path} cannot be read: {error.strerror}; check the path") from error
