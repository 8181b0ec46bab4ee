"""The bodies of KServe's v1 protocol: a lineup is a model, a picture is an instance."""

from base64 import b64encode
from dataclasses import dataclass, field

from pydantic import ConfigDict, Field

from app.analysis.analyses import Analysis
from app.analysis.comparison import Comparison, rank_classes
from app.analysis.fit import judge_fit
from app.analysis.options import ColourOptions, DifferenceScaleOptions, GeometryOptions, TargetOptions
from app.api.analyses import build_analysis_answer, build_fit_answer, build_prediction_answers
from app.api.schemas import (
    AlterationAnswer,
    ApiModel,
    ClassAnswer,
    ComparisonAnswer,
    FitAnswer,
    GeometryAnswer,
    HeatMapAnswer,
    PredictionAnswer,
    TargetAnswer,
)
from app.explain.methods import Method
from models.lineups.lineup import Lineup
from models.names import NetworkName, Stage

MOST_INSTANCES = 8
"""A request's pictures are answered one after the other, within one deadline."""

MOST_BASE64_CHARACTERS = 40_000_000
"""More than any body that is accepted."""


class Model(ApiModel):
    """A model's state."""

    name: str
    ready: bool = Field(description="False until its first picture, and while the server ends.")


class Models(ApiModel):
    """The names of all models, which are the loaded lineups'."""

    models: list[str]


class Base64Picture(ApiModel):
    """A picture's file as the protocol writes bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    b64: str = Field(max_length=MOST_BASE64_CHARACTERS, description="The file in base64.")


class PredictInstance(GeometryOptions):
    """A picture whose classes are asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: Base64Picture
    top: int = Field(default=5, ge=1, le=1000, description="The number of likeliest classes of each network.")


class ExplainInstance(TargetOptions, ColourOptions, DifferenceScaleOptions, GeometryOptions):
    """A picture whose heat maps are asked for, and the question."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    image: Base64Picture
    values: bool = Field(default=True, description="Add each heat map's values, row by row.")
    png: bool = Field(default=False, description="Add each heat map over the picture, and the difference, as PNG.")
    max_side: int = Field(default=768, ge=32, le=1024, description="The longer side of each PNG in pixels.")


class PredictRequest(ApiModel):
    """The body of `:predict`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instances: list[PredictInstance] = Field(min_length=1, max_length=MOST_INSTANCES)


class ExplainRequest(ApiModel):
    """The body of `:explain`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instances: list[ExplainInstance] = Field(min_length=1, max_length=MOST_INSTANCES)


class NetworkPredictions(ApiModel):
    """One network's likeliest classes."""

    predictions: list[PredictionAnswer]


class Prediction(ApiModel):
    """Every network's likeliest classes for one picture."""

    networks: dict[NetworkName, NetworkPredictions] = Field(description="In the lineup's order.")
    fit: FitAnswer | None = Field(description="As in an analysis.")


class PredictAnswer(ApiModel):
    """The answer of `:predict`, in the order of the instances."""

    predictions: list[Prediction]


class Base64Drawing(ApiModel):
    """A PNG file in base64."""

    b64: str


class ExplainedNetwork(ApiModel):
    """One network's answers about a picture, and its heat map."""

    predictions: list[PredictionAnswer] = Field(description="The five likeliest classes.")
    target_probability: float = Field(ge=0, le=1)
    heat_map: HeatMapAnswer
    alteration: AlterationAnswer | None = Field(description="Null for gates as learned.")
    values: list[list[float]] | None = Field(
        description="The heat map, row by row, in the method's own units; null if not asked for."
    )
    png: Base64Drawing | None = Field(description="The heat map over the picture; null if not asked for.")


class Explanation(ApiModel):
    """One picture, one class, every network, as in an analysis."""

    lineup: str
    trained: bool = Field(description="False for random weights: nothing in this answer was learned.")
    target: TargetAnswer
    fit: FitAnswer | None
    method: Method
    stage: Stage
    against: list[ClassAnswer] = Field(description="As in an analysis.")
    networks: dict[NetworkName, ExplainedNetwork] = Field(description="In the lineup's order.")
    comparisons: dict[NetworkName, ComparisonAnswer] = Field(
        description="Every other network compared with the baseline."
    )
    shared_max: float = Field(description="The upper end of the shared scale.")
    geometry: GeometryAnswer
    difference: Base64Drawing | None = Field(
        description="The last network's map minus the baseline's, over the picture; null if not asked for."
    )


class ExplainAnswer(ApiModel):
    """The answer of `:explain`, in the order of the instances."""

    explanations: list[Explanation]


def build_prediction(lineup: Lineup, analysis: Analysis, *, top: int) -> Prediction:
    """One picture's answer of `:predict`."""
    return Prediction(
        networks={
            name: NetworkPredictions(
                predictions=build_prediction_answers(rank_classes(trace.probabilities, lineup.labels, count=top))
            )
            for name, trace in analysis.traces.items()
        },
        fit=build_fit_answer(judge_fit(analysis.traces, lineup.card.fit)),
    )


@dataclass(frozen=True, slots=True)
class MapDrawings:
    """The PNG files of one picture; none if not asked for."""

    heat_maps: dict[NetworkName, bytes] = field(default_factory=dict)
    difference: bytes | None = None


def build_explanation(comparison: Comparison, drawings: MapDrawings, *, has_values: bool) -> Explanation:
    """One picture's answer of `:explain`."""
    answer = build_analysis_answer(comparison, links=None)
    return Explanation(
        lineup=answer.lineup,
        trained=answer.trained,
        target=answer.target,
        fit=answer.fit,
        method=answer.method,
        stage=answer.stage,
        against=answer.against,
        networks={
            name: ExplainedNetwork(
                predictions=network.predictions,
                target_probability=network.target_probability,
                heat_map=network.heat_map,
                alteration=network.alteration,
                values=comparison.heat_maps[name].values.tolist() if has_values else None,
                png=_wrap(drawings.heat_maps.get(name)),
            )
            for name, network in answer.networks.items()
        },
        comparisons=answer.comparisons,
        shared_max=answer.shared_max,
        geometry=answer.geometry,
        difference=_wrap(drawings.difference),
    )


def _wrap(png: bytes | None) -> Base64Drawing | None:
    return None if png is None else Base64Drawing(b64=b64encode(png).decode("ascii"))
