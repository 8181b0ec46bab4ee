"""An analysis as JSON."""

from collections.abc import Sequence
from datetime import UTC, datetime

from app.analysis.analyses import Analysis
from app.analysis.comparison import Comparison, Difference, Prediction
from app.analysis.fit import PictureFit
from app.api.links import AnalysisLinks
from app.api.schemas import (
    AlterationAnswer,
    AnalysisAnswer,
    BlockAnswer,
    ClassAnswer,
    ComparisonAnswer,
    FileAnswer,
    FitAnswer,
    GateAnswer,
    GeometryAnswer,
    HeatMapAnswer,
    LearnedAnswer,
    NetworkAnswer,
    PredictionAnswer,
    TargetAnswer,
)
from app.explain.maps import GateMap
from app.explain.methods import Method
from app.explain.metrics import compare_heat_maps
from app.render.figure import FigureFormat
from models.lineups.card import ClassLabel
from models.names import NetworkName
from models.pictures.placement import Placement


def build_analysis_answer(
    comparison: Comparison, *, links: AnalysisLinks | None, kept_seconds: float | None = None
) -> AnalysisAnswer:
    """A comparison as JSON.

    Args:
        comparison: the comparison to describe.
        links: the analysis's links; None for an analysis that is not kept.
        kept_seconds: how long it is kept; None where the reader need not know.
    """
    label = comparison.target.label
    card = comparison.analysis.card
    query = f"?target={label.index}&method={_quote(comparison.method)}&stage={comparison.stage.value}"
    query += "".join(f"&{name}={value}" for name, value in name_contrast(comparison).items())
    query += _quote_interventions(comparison)
    return AnalysisAnswer(
        id=comparison.analysis.id,
        lineup=card.name,
        trained=card.trained,
        target=TargetAnswer(class_index=label.index, class_name=label.name, chosen_by=comparison.target.chosen_by),
        fit=build_fit_answer(comparison.fit),
        method=comparison.method,
        stage=comparison.stage,
        against=build_class_answers(comparison.against),
        networks={name: _build_network_answer(comparison, name, links, query) for name in card.names},
        comparisons={
            name: _build_comparison_answer(comparison, Difference(name, card.baseline)) for name in card.names[1:]
        },
        shared_max=comparison.shared_maximum,
        geometry=_build_geometry_answer(comparison),
        picture=_build_file_answer(comparison),
        links=_link_files(links, query),
        expires=None if kept_seconds is None else find_expiry(comparison.analysis, kept_seconds),
    )


def build_class_answers(labels: Sequence[ClassLabel]) -> list[ClassAnswer]:
    """Describe classes."""
    return [ClassAnswer(class_index=label.index, class_name=label.name) for label in labels]


def name_contrast(comparison: Comparison) -> dict[str, str]:
    """The option for the same contrast in another query; empty where it is the default one, or there is none."""
    return {"against": str(comparison.against[0].index)} if len(comparison.against) == 1 else {}


def find_expiry(analysis: Analysis, kept_seconds: float) -> datetime:
    """When an analysis leaves the server, at the latest, in UTC."""
    return datetime.fromtimestamp(analysis.made_at + kept_seconds, UTC)


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


def build_fit_answer(fit: PictureFit | None) -> FitAnswer | None:
    """Say whether any class fits; None where the lineup has no threshold."""
    return None if fit is None else FitAnswer(score=fit.score, threshold=fit.threshold, fits=fit.is_good)


def _build_network_answer(
    comparison: Comparison, name: NetworkName, links: AnalysisLinks | None, query: str
) -> NetworkAnswer:
    return NetworkAnswer(
        title=comparison.analysis.card.title_network(name),
        attention=comparison.analysis.card.networks[name].attention,
        predictions=build_prediction_answers(comparison.predictions(name)),
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
            predictions=build_prediction_answers(learned.predictions(name)),
            target_probability=learned.target_probability(name),
            heat_map=build_heat_map_answer(learned, name),
        ),
        probability_change=comparison.target_probability(name) - learned.target_probability(name),
        correlation=change.correlation,
        overlap=change.overlap,
    )


def build_prediction_answers(predictions: Sequence[Prediction]) -> list[PredictionAnswer]:
    """Describe one network's likeliest classes."""
    return [
        PredictionAnswer(
            class_index=prediction.label.index,
            class_name=prediction.label.name,
            probability=prediction.probability,
        )
        for prediction in predictions
    ]


def _build_block_answers(comparison: Comparison, name: NetworkName, links: AnalysisLinks | None) -> list[BlockAnswer]:
    answers = []
    query = _quote_interventions(comparison).replace("&", "?", 1)
    for block in comparison.analysis.traces[name].blocks:
        positions = block.spatial or block.joint
        height, width = (None, None) if positions is None else positions.values.shape
        answers.append(
            BlockAnswer(
                name=block.name,
                channels=None if block.channel is None else block.channel.values.size,
                height=height,
                width=width,
                spatial=_build_gate_answer(block.spatial),
                channel=_build_gate_answer(block.channel),
                row=_build_gate_answer(block.row),
                column=_build_gate_answer(block.column),
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
