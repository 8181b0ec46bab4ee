"""An evaluation's results: the output of `cbam-lens evaluate --json`, and the record of the shipped lineup."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer, SerializerFunctionWrapHandler, model_serializer

from app.evaluation.results.metrics import Metric
from app.evaluation.results.options import Fill
from app.explain.methods import Method
from models.names import Geometry, NetworkName, Resolution, Stage

Figure = Annotated[float, PlainSerializer(lambda value: round(value, 6), when_used="json")]
"""A measured number, written with six digits, which is more than its interval justifies."""


class ResultModel(BaseModel):
    """A frozen part of an evaluation that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ReliabilityBin(ResultModel):
    """The answers whose P lies above `lower` and not above `upper`, and their means; None without answers."""

    lower: Figure
    upper: Figure
    pictures: int
    confidence: Figure | None
    accuracy: Figure | None


class Calibration(ResultModel):
    """The expected calibration error, 0..1, and its table."""

    error: Figure
    bins: list[ReliabilityBin]


class NetworkAccuracy(ResultModel):
    """How often the true class was the first, or among the first five, as shares in 0..1."""

    top1: float
    top5: float
    top1_count: int
    top5_count: int
    calibration: Calibration


class Interval(ResultModel):
    """A mean and its bootstrap interval; both ends are None for fewer than two pictures."""

    mean: Figure
    low: Figure | None
    high: Figure | None


class MetricResult(ResultModel):
    """The means of one metric for the baseline and another network, over the same pictures.

    Attributes:
        pictures: the number of pictures for which both have a value.
        baseline, other: the means.
        difference: the mean difference, the other network minus the baseline, picture by picture.
    """

    pictures: int
    baseline: Figure
    other: Figure
    difference: Interval


class Subset(ResultModel):
    """The metrics over some of the pictures.

    Attributes:
        pictures: the number of pictures.
        object_share: the object's mean share of the seen picture, which a flat map has inside.
        hidden_share: the mean share of the object that the geometry cropped away; it counts in no metric.
        centre_hits: the pointing game of a map that always points at the centre of the seen picture.
        silent: the number of maps without any positive evidence, by network.
        metrics: the results; without metrics that have no value for any picture.
    """

    pictures: int
    object_share: Figure | None
    hidden_share: Figure | None
    centre_hits: Figure | None
    silent: dict[NetworkName, int]
    metrics: dict[Metric, MetricResult]


class PictureResult(ResultModel):
    """One picture on which two networks' shares of heat inside differ much; `right` and P are of the true class."""

    file: str
    class_name: str
    object_share: Figure
    share_inside: dict[NetworkName, Figure]
    difference: Figure
    probability: dict[NetworkName, Figure]
    right: dict[NetworkName, bool]


class ClassResult(ResultModel):
    """The difference in the share of heat inside, of a network minus the baseline, over one class's pictures."""

    class_name: str
    pictures: int
    difference: Interval


class Contrast(ResultModel):
    """One network's maps against the baseline's.

    Attributes:
        both_right: over the pictures that both networks get right.
        all: over all pictures.
        classes: every class, the largest gain of the network first.
        helped, hurt: the pictures with the highest and with the lowest difference in the share of heat inside.
    """

    both_right: Subset
    all: Subset
    classes: list[ClassResult]
    helped: list[PictureResult]
    hurt: list[PictureResult]


class MapResult(ResultModel):
    """How well the maps of one method at one stage point at the objects.

    Attributes:
        method, stage: the method, and the stage that it explains.
        height, width: the maps' size in positions; None if it differs between pictures.
        contrasts: every other network against the baseline.
    """

    method: Method
    stage: Stage
    height: int | None
    width: int | None
    contrasts: dict[NetworkName, Contrast]


class GateResult(ResultModel):
    """How far one gate is from flat, over all pictures.

    Attributes:
        mean: the gate's mean.
        deviation: the standard deviation within the gate, averaged over pictures; 0 is flat.
        share_above_mean: the share of positions or channels above the gate's own mean, averaged over pictures.
        explained: the share of the gate's variance that its mean over pictures explains: 1 for a gate that is the
            same for every picture; None for too few pictures of one shape, or a gate that never varies.
    """

    mean: Figure
    deviation: Figure
    share_above_mean: Figure
    explained: Figure | None


class SpatialGateResult(GateResult):
    """A spatial gate, also measured as if it were a heat map.

    Attributes:
        pointing: how often its highest position lies on the object.
        share_inside: the share of it on the object.
        excess: `share_inside` minus the object's share, picture by picture; 0 for a flat gate.
    """

    pointing: Figure
    share_inside: Figure
    excess: Interval


class BlockResult(ResultModel):
    """The gates of one block; None for a gate that this attention does not have.

    Of BAM `spatial` is the joint gate's mean over channels, and `channel` the sigmoid of the channel branch. Of
    Coordinate Attention, SimAM and triplet attention `spatial` is the joint gate's mean over channels, too.
    """

    name: str
    spatial: SpatialGateResult | None
    channel: GateResult | None


class Protocol(ResultModel):
    """How the focus was measured.

    Attributes:
        objects: `masks` or `boxes`.
        tolerance_pixels: the pointing game's tolerance, in the picture's own pixels.
        fill: the filling of removed positions; None if deletion and insertion were not measured.
        largest_steps: the largest number of steps of a curve; a map with fewer positions has one step per position.
        resamples, confidence_level, seed: the bootstrap's parameters.
    """

    objects: str
    tolerance_pixels: float
    fill: Fill | None
    largest_steps: int
    resamples: int
    confidence_level: float
    seed: int


class Focus(ResultModel):
    """Where the networks look, compared with the objects' places.

    Attributes:
        protocol: how the focus was measured.
        unseen: the pictures that were left out because none of their object was seen.
        maps: one entry per method.
        gates: one entry per block, of each network that has gates.
    """

    protocol: Protocol
    unseen: list[str]
    maps: list[MapResult]
    gates: dict[NetworkName, list[BlockResult]]


class Evaluation(ResultModel):
    """The measurements, and the pictures behind them.

    Attributes:
        lineup: its name.
        sha256: of each weights file; None for weights that are in no file.
        data: the directory's name.
        listing: the list's file name; None for all pictures.
        geometry, resolution: how a picture became the input.
        pictures: the number of measured pictures.
        unreadable: the pictures that could not be read, with the reasons.
        unknown: the number of pictures of unknown classes, which only a table of boxes may have.
        networks: each network's accuracy and calibration.
        top1_differences: each other network's top-1 accuracy minus the baseline's, picture by picture; empty in older
            records and without pictures.
        focus: where the networks look; None if it was not measured.
    """

    lineup: str
    sha256: dict[NetworkName, str | None]
    data: str
    listing: str | None
    geometry: Geometry
    resolution: Resolution
    pictures: int
    unreadable: list[str]
    unknown: int = 0
    networks: dict[NetworkName, NetworkAccuracy]
    top1_differences: dict[NetworkName, Interval] = {}
    focus: Focus | None = None

    @model_serializer(mode="wrap")
    def _leave_out_what_older_records_lack(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        return {key: value for key, value in written.items() if key != "top1_differences" or value}
