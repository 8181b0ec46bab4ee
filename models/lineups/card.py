"""A lineup's card, which is a TOML file, and its class names; both are read before the weights.

Nothing here imports torch.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from models.calibration import FitThreshold, TemperatureRecord
from models.errors import LineupError
from models.names import NETWORK_NAME, Attention, Geometry, NetworkName, Resolution, Stage, StridePlacement
from models.networks.titles import title_in_lineup
from models.pictures.preparation import Preprocessing
from models.probabilities import Activation

LINEUP_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""A lineup's name is part of addresses, options and headers."""

BASELINE = "baseline"

RESERVED_NAMES = frozenset({"difference", "figure", "maps", "picture", "position"})
"""They name other files and parts of the page beside the networks' own."""

LARGE_RESOLUTIONS = (
    Resolution.PIXELS_160,
    Resolution.PIXELS_224,
    Resolution.PIXELS_320,
    Resolution.PIXELS_448,
)
"""Those of all lineups but CIFAR's and users' own."""

FEWEST_NETWORKS = 2
MOST_NETWORKS = 5

SHIPPED_LINEUP = Path(__file__).parents[1] / "weights" / "efficientnet_lite0.toml"


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
        title: its name for people; by default that of its attention.
        attention: what each block ends with.
        file: a source of weights, see `models.lineups.sources`: most often a safetensors file beside the card.
        sha256: the file's checksum; None where it is not checked.
        card: the model card beside it.
        multiply_adds: of one picture at the lineup's own resolution. It can be written down because counting it imports
            torch's compiler, which takes longer than everything else at start-up.
        recipe: by what recipe it was trained, in a word or two; the same word for all networks of a fair lineup.
        accuracy: what was measured.
        temperature: every P is softmax(logits / temperature); None, which means 1, for a network without calibration.
        calibration: how the temperature was found.
    """

    title: str | None = None
    attention: Attention
    file: str
    sha256: str | None = None
    card: str | None = None
    multiply_adds: int | None = Field(default=None, gt=0)
    recipe: str | None = None
    accuracy: tuple[Accuracy, ...] = ()
    temperature: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    calibration: TemperatureRecord | None = None


class LineupCard(CardModel):
    """Everything about a lineup that is known before its weights are read.

    Attributes:
        name: what it is asked for by, in REST and on the command line.
        title: its name for people.
        architecture: of all networks, see `models.networks.zoo`.
        stride_placement: see `StridePlacement`.
        trained: whether all networks' weights were learned; what is shown of others says that it is not.
        labels: a file of class names beside the card, or `imagenet`; None for classes that have numbers only.
        provenance: where the weights are from.
        warnings: what to know before believing a picture.
        preprocessing: the networks' input.
        folder_aliases: names of class folders that mean a class under another name.
        activation: how logits become P: softmax, or the sigmoid of each class by itself, for networks that were trained
            for several labels a picture or for one class alone.
        fit: the threshold below which none of the classes fits a picture well; None if none was chosen.
        stages: those that the networks have, the last one being 4; networks with fewer than four sizes of maps lack the
            first ones.
        is_fixed_size: whether the networks accept nothing but a square of the preprocessing's resolution.
        needs_input: whether a gradient needs the networks' input again, because they cannot resume from a stage.
        networks: two to five, by their names; the first one is the baseline.
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
    activation: Activation = Activation.SOFTMAX
    fit: FitThreshold | None = None
    stages: tuple[Stage, ...] = tuple(Stage)
    is_fixed_size: bool = False
    needs_input: bool = False
    networks: dict[Annotated[NetworkName, StringConstraints(pattern=NETWORK_NAME)], NetworkCard] = Field(
        min_length=FEWEST_NETWORKS, max_length=MOST_NETWORKS
    )

    @field_validator("networks")
    @classmethod
    def _check_names(cls, networks: dict[NetworkName, NetworkCard]) -> dict[NetworkName, NetworkCard]:
        if taken := RESERVED_NAMES & set(networks):
            raise ValueError(f"no network may be called {', '.join(sorted(taken))}")
        return networks

    @model_validator(mode="after")
    def _check_fit(self) -> Self:
        if self.fit is not None and self.activation is Activation.SIGMOID:
            raise ValueError("fit is for softmax; with activation sigmoid leave it out")
        return self

    @property
    def names(self) -> tuple[NetworkName, ...]:
        """The networks' names in their order."""
        return tuple(self.networks)

    @property
    def baseline(self) -> NetworkName:
        """The first network, which the others are compared with."""
        return self.names[0]

    @property
    def last(self) -> NetworkName:
        """The last network, which is meant where none is named."""
        return self.names[-1]

    @property
    def gated(self) -> tuple[NetworkName, ...]:
        """The networks that have gates."""
        return tuple(name for name, network in self.networks.items() if network.attention is not Attention.NONE)

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """The resolutions at which its networks have maps: 32 pixels are for CIFAR's stem, and that is for them."""
        own = self.preprocessing.resolution
        return LARGE_RESOLUTIONS if own in LARGE_RESOLUTIONS and not self.is_fixed_size else (own,)

    @property
    def geometries(self) -> tuple[Geometry, ...]:
        """The geometries that its networks accept: the whole picture need not be square."""
        return (Geometry.CENTER_CROP,) if self.is_fixed_size else tuple(Geometry)

    def find_temperature(self, name: NetworkName) -> float:
        """A network's temperature; 1 for one that was not calibrated."""
        return self.networks[name].temperature or 1.0

    def title_network(self, name: NetworkName) -> str:
        """A network's name for people, unique in the lineup: `Baseline`, `SE`, `CBAM`."""
        title = self._title(name)
        others = [self._title(other) for other in self.names if other != name]
        return f"{title} ({name})" if title in others else title

    def _title(self, name: NetworkName) -> str:
        network = self.networks[name]
        others = [other.attention for other in self.networks.values() if other is not network]
        return network.title or title_in_lineup(network.attention, others)


def name_network(attention: Attention) -> NetworkName:
    """The name of a network that nobody named: `baseline`, `se`, `cbam`."""
    return BASELINE if attention is Attention.NONE else attention.value


def read_card(path: Path) -> LineupCard:
    """Read a lineup's card from its TOML file; raises `LineupError`."""
    try:
        return LineupCard.model_validate(tomllib.loads(read_bytes(path).decode()))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise LineupError(f"{path} is not a lineup's card: {'; '.join(faults)}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LineupError(f"{path} is not a lineup's card: {error}") from error


def read_bytes(path: Path) -> bytes:
    """Read a file's content; raises `LineupError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise LineupError(f"{path} cannot be read: {error.strerror}; check the path") from error
