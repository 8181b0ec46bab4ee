"""The REST API's answers."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from app.analysis.classes import ChosenBy
from app.analysis.comparison import Comparison, Difference, Prediction
from app.analysis.fit import PictureFit
from app.api.links import AnalysisLinks
from app.explain.maps import GateMap
from app.explain.methods import Method
from app.explain.metrics import compare_heat_maps
from app.render.figure import FigureFormat
from models.calibration import FitThreshold
from models.lineups.card import Accuracy, ClassLabel, LineupCard
from models.lineups.lineup import Lineup
from models.names import Attention, Geometry, NetworkName, Resolution, Stage, StridePlacement
from models.pictures.placement import Placement


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
        gt=0, description="Every P is softmax(logits / temperature); 1 for a network that was not calibrated."
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
    height: int | None = Field(description="The number of rows of the spatial gate.")
    width: int | None
    spatial: GateAnswer | None = Field(description="Null for attention without a spatial gate.")
    channel: GateAnswer | None = Field(description="Null for attention without a channel gate.")
    joint: GateAnswer | None = Field(
        description="The mean over channels of a gate of channels and positions, as BAM has; null without one."
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
    networks: dict[NetworkName, NetworkAnswer] = Field(description="In the lineup's order; the first is the baseline.")
    comparisons: dict[NetworkName, ComparisonAnswer] = Field(
        description="Every other network compared with the baseline."
    )
    shared_max: float = Field(description="The upper end of the shared scale.")
    geometry: GeometryAnswer
    picture: FileAnswer
    links: dict[str, str] = Field(description="Paths on this server; empty for a picture that was not kept.")


class Health(ApiModel):
    """Whether the server runs, or accepts pictures."""

    status: Readiness


def build_lineup_description(lineup: Lineup) -> LineupDescription:
    """A lineup for `GET /lineups`."""
    card = lineup.card
    return LineupDescription(
        name=card.name,
        title=card.title,
        architecture=card.architecture,
        stride_placement=card.stride_placement,
        trained=card.trained,
        provenance=card.provenance,
        warnings=card.warnings,
        geometry=card.preprocessing.geometry,
        resolution=card.preprocessing.resolution,
        device=str(lineup.device),
        fit=card.fit,
        networks={name: _build_network_description(lineup, card, name) for name in card.names},
        labels=lineup.labels,
    )


def build_analysis_answer(comparison: Comparison, *, links: AnalysisLinks | None) -> AnalysisAnswer:
    """A comparison as JSON.

    Args:
        comparison: the comparison to describe.
        links: the analysis's links; None for an analysis that is not kept.
    """
    label = comparison.target.label
    card = comparison.analysis.card
    query = f"?target={label.index}&method={_quote(comparison.method)}&stage={comparison.stage.value}"
    query += _quote_interventions(comparison)
    return AnalysisAnswer(
        id=comparison.analysis.id,
        lineup=card.name,
        trained=card.trained,
        target=TargetAnswer(class_index=label.index, class_name=label.name, chosen_by=comparison.target.chosen_by),
        fit=_build_fit_answer(comparison.fit),
        method=comparison.method,
        stage=comparison.stage,
        networks={name: _build_network_answer(comparison, name, links, query) for name in card.names},
        comparisons={
            name: _build_comparison_answer(comparison, Difference(name, card.baseline)) for name in card.names[1:]
        },
        shared_max=comparison.shared_maximum,
        geometry=_build_geometry_answer(comparison),
        picture=_build_file_answer(comparison),
        links=_link_files(links, query),
    )


def _build_comparison_answer(comparison: Comparison, difference: Difference) -> ComparisonAnswer:
    metrics = comparison.compare_maps(difference)
    first, second = (comparison.target_probability(name) for name in (difference.minus, difference.of))
    return ComparisonAnswer(
        minus=difference.minus,
        correlation=metrics.correlation,
        overlap=metrics.overlap,
        peak_distance=metrics.peak_distance,
        probability_difference=second - first,
    )


def _build_fit_answer(fit: PictureFit | None) -> FitAnswer | None:
    return None if fit is None else FitAnswer(score=fit.score, threshold=fit.threshold, fits=fit.is_good)


def _build_network_description(lineup: Lineup, card: LineupCard, name: NetworkName) -> NetworkDescription:
    network = card.networks[name]
    return NetworkDescription(
        title=card.title_network(name),
        attention=network.attention,
        parameters=lineup.parameter_counts[name],
        multiply_adds=lineup.multiply_adds[name],
        sha256=network.sha256,
        recipe=network.recipe,
        accuracy=network.accuracy,
        temperature=card.find_temperature(name),
    )


def _build_network_answer(
    comparison: Comparison, name: NetworkName, links: AnalysisLinks | None, query: str
) -> NetworkAnswer:
    return NetworkAnswer(
        title=comparison.analysis.card.title_network(name),
        attention=comparison.analysis.card.networks[name].attention,
        predictions=[_build_prediction_answer(prediction) for prediction in comparison.predictions(name)],
        target_probability=comparison.target_probability(name),
        heat_map=build_heat_map_answer(comparison, name),
        blocks=_build_block_answers(comparison, name, links),
        alteration=_build_alteration_answer(comparison, name),
        links={} if links is None else {"heat_map": links.heat_map(name) + query},
    )


def build_heat_map_answer(comparison: Comparison, name: NetworkName) -> HeatMapAnswer:
    """Describe one map in numbers."""
    statistics = comparison.statistics(name)
    height, width = comparison.heat_maps[name].shape
    return HeatMapAnswer(
        height=height,
        width=width,
        min=statistics.minimum,
        max=statistics.maximum,
        mean=statistics.mean,
        peak_x=statistics.peak_x,
        peak_y=statistics.peak_y,
        share_above_half=statistics.share_above_half,
    )


def _build_alteration_answer(comparison: Comparison, name: NetworkName) -> AlterationAnswer | None:
    altered = comparison.altered
    if altered is None or name not in altered.networks:
        return None
    learned = altered.learned
    change = compare_heat_maps(learned.heat_maps[name], comparison.heat_maps[name], comparison.analysis.placement)
    return AlterationAnswer(
        interventions=[str(change) for change in altered.interventions if change.network == name],
        learned=LearnedAnswer(
            predictions=[_build_prediction_answer(prediction) for prediction in learned.predictions(name)],
            target_probability=learned.target_probability(name),
            heat_map=build_heat_map_answer(learned, name),
        ),
        probability_change=comparison.target_probability(name) - learned.target_probability(name),
        correlation=change.correlation,
        overlap=change.overlap,
    )


def _build_prediction_answer(prediction: Prediction) -> PredictionAnswer:
    return PredictionAnswer(
        class_index=prediction.label.index,
        class_name=prediction.label.name,
        probability=prediction.probability,
    )


def _build_block_answers(comparison: Comparison, name: NetworkName, links: AnalysisLinks | None) -> list[BlockAnswer]:
    answers = []
    query = _quote_interventions(comparison).replace("&", "?", 1)
    for block in comparison.analysis.traces[name].blocks:
        height, width = (None, None) if block.spatial is None else block.spatial.values.shape
        answers.append(
            BlockAnswer(
                name=block.name,
                channels=None if block.channel is None else block.channel.values.size,
                height=height,
                width=width,
                spatial=_build_gate_answer(block.spatial),
                channel=_build_gate_answer(block.channel),
                joint=_build_gate_answer(block.joint),
                links={}
                if links is None
                else {kind: links.gate(name, block.name, kind) + query for kind in block.gates},
            )
        )
    return answers


def _build_gate_answer(gate: GateMap | None) -> GateAnswer | None:
    if gate is None:
        return None
    return GateAnswer(
        min=float(gate.values.min()),
        max=float(gate.values.max()),
        mean=float(gate.values.mean()),
        standard_deviation=gate.standard_deviation,
    )


def _build_geometry_answer(comparison: Comparison) -> GeometryAnswer:
    analysis = comparison.analysis
    placement: Placement = analysis.placement
    return GeometryAnswer(
        geometry=analysis.geometry,
        resolution=analysis.resolution,
        picture_width=placement.picture_width,
        picture_height=placement.picture_height,
        left=placement.left,
        upper=placement.upper,
        right=placement.right,
        lower=placement.lower,
        input_width=placement.input_width,
        input_height=placement.input_height,
        is_cropped=placement.is_cropped,
    )


def _build_file_answer(comparison: Comparison) -> FileAnswer:
    source = comparison.analysis.source
    values = None if source.values is None else (source.values.low, source.values.high)
    return FileAnswer(value_range=values, pages=source.pages)


def _link_files(links: AnalysisLinks | None, query: str) -> dict[str, str]:
    if links is None:
        return {}
    figures = {f"figure_{form}": links.figure(form) for form in FigureFormat}
    paths = {"self": links.root, "difference": links.difference, "maps": links.arrays} | figures
    return {name: path + query for name, path in paths.items()}


def _quote_interventions(comparison: Comparison) -> str:
    """The end of a query for the same changed gates; empty for learned ones."""
    if comparison.altered is None:
        return ""
    return f"&interventions={','.join(str(intervention) for intervention in comparison.altered.interventions)}"


def _quote(method: Method) -> str:
    # A plus sign means a space in a query.
    return method.value.replace("+", "%2B")
