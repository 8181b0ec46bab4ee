"""The parts of the REST API's answers; `app.api.lineups` and `app.api.analyses` build them."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from app.analysis.classes import ChosenBy
from app.explain.methods import Method
from models.calibration import FitThreshold
from models.lineups.card import Accuracy, ClassLabel
from models.names import Attention, Geometry, NetworkName, Resolution, Stage, StridePlacement
from models.probabilities import Activation


class ApiModel(BaseModel):
    """A frozen part of an answer."""

    model_config = ConfigDict(frozen=True)


class Readiness(StrEnum):
    """Whether the server accepts pictures, or the reason why not."""

    OK = "ok"
    STARTING = "starting"
    FAILED = "failed"
    DRAINING = "draining"


class Problem(ApiModel):
    """An error as RFC 9457 problem details."""

    type: str = Field(description="Names the kind of problem.", examples=["urn:cbam-lens:problem:invalid-option"])
    title: str = Field(description="The kind of problem in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="The rule, the value and the remedy.")
    option: str | None = Field(default=None, description="The option that is not valid.")
    allowed: list[str] | None = Field(default=None, description="Every allowed value, where they can be listed.")


class NetworkDescription(ApiModel):
    """One network of a lineup."""

    title: str
    attention: Attention
    parameters: int
    multiply_adds: int = Field(description="Per picture at the lineup's default resolution.")
    sha256: str | None = Field(description="Checksum of the weights file; null where there is no file.")
    recipe: str | None = Field(description="The training recipe; null where it is not known.")
    accuracy: tuple[Accuracy, ...] = Field(description="Measured with `cbam-lens evaluate`.")
    temperature: float = Field(
        gt=0,
        description="Every P is softmax(logits / temperature), or the sigmoid; see the lineup's `activation`. 1 for a "
        "network that was not calibrated.",
    )


class LineupDescription(ApiModel):
    """A loaded lineup."""

    name: str
    title: str
    architecture: str
    stride_placement: StridePlacement
    trained: bool = Field(description="False for random weights.")
    provenance: str
    warnings: tuple[str, ...]
    geometry: Geometry = Field(description="The default geometry.")
    resolution: Resolution = Field(description="The default resolution.")
    device: str
    activation: Activation = Field(description="How logits become P: softmax, or each class's own sigmoid.")
    fit: FitThreshold | None = Field(
        description="The threshold below which none of the classes fits a picture well, with the shares of its false "
        "alarms and misses; null where none was chosen."
    )
    networks: dict[NetworkName, NetworkDescription] = Field(description="In their order; the first is the baseline.")
    labels: tuple[ClassLabel, ...]


class TargetAnswer(ApiModel):
    """The class that all networks explain."""

    class_index: int
    class_name: str
    chosen_by: ChosenBy


class ClassAnswer(ApiModel):
    """One class."""

    class_index: int
    class_name: str


class PredictionAnswer(ApiModel):
    """One class and its softmax probability."""

    class_index: int
    class_name: str
    probability: float = Field(ge=0, le=1)


class HeatMapAnswer(ApiModel):
    """One heat map in numbers; values in the method's own units, places in the picture's pixels."""

    height: int = Field(description="The number of rows of the stage's map.")
    width: int
    min: float
    max: float
    mean: float
    peak_x: float | None = Field(description="Centre of the highest position; null without positive evidence.")
    peak_y: float | None
    share_above_half: float | None = Field(
        description="The share of all evidence where the map is at least half its maximum."
    )


class GateAnswer(ApiModel):
    """One gate in numbers, absolute: 0 blocks, 1 passes unchanged."""

    min: float
    max: float
    mean: float
    standard_deviation: float = Field(description="0 for a flat gate.")


class BlockAnswer(ApiModel):
    """One block's gates."""

    name: str
    channels: int | None = Field(description="The number of channels of the channel gate.")
    height: int | None = Field(
        description="The number of rows of the gates of positions; null for channel gates alone."
    )
    width: int | None
    spatial: GateAnswer | None = Field(description="Null for attention without a spatial gate.")
    channel: GateAnswer | None = Field(description="Null for attention without a channel gate.")
    row: GateAnswer | None = Field(
        description="The mean over channels of a gate of channels and rows; null for attention without one."
    )
    column: GateAnswer | None = Field(
        description="The mean over channels of a gate of channels and columns; null for attention without one."
    )
    joint: GateAnswer | None = Field(
        description="The mean over channels of what is applied to each channel and position, where that is neither a "
        "channel gate nor a spatial gate; else null."
    )
    links: dict[str, str]


class LearnedAnswer(ApiModel):
    """A network with its gates as learned, for comparison with its changed gates."""

    predictions: list[PredictionAnswer] = Field(description="The five likeliest classes.")
    target_probability: float = Field(ge=0, le=1)
    heat_map: HeatMapAnswer


class AlterationAnswer(ApiModel):
    """Changed gates. The network was not retrained for them, so this is not an ablation as in the paper."""

    interventions: list[str]
    learned: LearnedAnswer
    probability_change: float = Field(
        description="P of the target class with changed gates, minus P with learned gates."
    )
    correlation: float | None = Field(
        description="Pearson's r of the two heat maps, with changed and with learned gates."
    )
    overlap: float | None = Field(description="Their intersection over union at 0.6 of each map's maximum.")


class NetworkAnswer(ApiModel):
    """One network's answers about the picture."""

    title: str
    attention: Attention
    predictions: list[PredictionAnswer] = Field(description="The five likeliest classes.")
    target_probability: float = Field(ge=0, le=1)
    heat_map: HeatMapAnswer
    blocks: list[BlockAnswer] = Field(description="Each block's gates; none for a network without attention.")
    alteration: AlterationAnswer | None = Field(
        description="Null for gates as learned; otherwise all numbers here are of the changed network."
    )
    links: dict[str, str]


class ComparisonAnswer(ApiModel):
    """A network's heat map compared with another's; null where a map has no evidence or does not vary."""

    minus: NetworkName = Field(description="The other network.")

    correlation: float | None
    overlap: float | None = Field(description="Intersection over union at 0.6 of each map's maximum.")
    peak_distance: float | None = Field(
        description="The distance of the two peaks, as a share of the picture's diagonal."
    )
    probability_difference: float = Field(description="P of the target class by this network, minus P by the other.")


class GeometryAnswer(ApiModel):
    """The part of the upright picture that the networks saw, in its pixels, and the size of their input."""

    geometry: Geometry
    resolution: Resolution
    picture_width: int
    picture_height: int
    left: float
    upper: float
    right: float
    lower: float
    input_width: int
    input_height: int
    is_cropped: bool


class FitAnswer(ApiModel):
    """How well the classes fit the picture."""

    score: float = Field(description="Higher means a better fit; the lineup's `fit` names the score.")
    threshold: float = Field(description="The lowest score that fits.")
    fits: bool = Field(description="False if none of the classes fits the picture well.")


class FileAnswer(ApiModel):
    """What was read of the picture's file, where there was a choice."""

    value_range: tuple[float, float] | None = Field(
        description="The values that became black and white, where the file has more than 8 bits; null otherwise."
    )
    pages: int = Field(description="The number of pages in the file, of which the first was read.")


class AnalysisAnswer(ApiModel):
    """One picture, one class, every network."""

    id: str
    lineup: str
    trained: bool = Field(description="False for random weights: nothing in this answer was learned.")
    target: TargetAnswer
    fit: FitAnswer | None = Field(
        description="Whether any class fits the picture, by the networks as learned; null for a lineup without a "
        "threshold."
    )
    method: Method
    stage: Stage
    against: list[ClassAnswer] = Field(
        default_factory=list, description="The classes that Finer-CAM contrasted the target with; empty otherwise."
    )
    networks: dict[NetworkName, NetworkAnswer] = Field(description="In the lineup's order; the first is the baseline.")
    comparisons: dict[NetworkName, ComparisonAnswer] = Field(
        description="Every other network compared with the baseline."
    )
    shared_max: float = Field(description="The upper end of the shared scale.")
    geometry: GeometryAnswer
    picture: FileAnswer
    links: dict[str, str] = Field(description="Paths on this server; empty for a picture that was not kept.")
    expires: datetime | None = Field(
        default=None,
        description="When the links end, at the latest; null for a picture that was not kept. A server that needs the "
        "memory may drop it before.",
    )


class Health(ApiModel):
    """Whether the server runs, or accepts pictures."""

    status: Readiness


class QueuePlace(ApiModel):
    """The place in the queue of one request."""

    before: int | None = Field(default=None, description="Pictures that precede it; null if it does not wait.")
    seconds: float | None = Field(default=None, description="The time until its turn, by what was measured.")
    passes_done: int | None = Field(default=None, description="The passes of its map that are done, of Score-CAM.")
    passes_total: int | None = Field(default=None, description="All passes of its map; null for other methods.")
