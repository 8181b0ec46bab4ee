"""Concepts as JSON."""

from pydantic import Field

from app.analysis.concepts import Concept, Concepts
from app.api.analyses import build_prediction_answers
from app.api.links import AnalysisLinks
from app.api.schemas import ApiModel, PredictionAnswer
from app.explain.metrics import measure_heat_map
from app.render.concepts import COLOURS
from models.names import NetworkName, Stage
from models.pictures.placement import Placement


class ConceptAnswer(ApiModel):
    """One part of the picture for one network."""

    number: int = Field(description="From 1, as in the image; the baseline's largest concept is 1.")
    colour: str = Field(description="Its colour in the image, #rrggbb.")
    share: float = Field(ge=0, le=1, description="Its part of all of the network's concepts.")
    peak_x: float | None = Field(description="Where it is strongest, in the picture's pixels; null if it is nowhere.")
    peak_y: float | None
    predictions: list[PredictionAnswer] = Field(
        description="The network's three likeliest classes for this concept alone; empty but at stage 4."
    )


class NetworkConcepts(ApiModel):
    """One network's concepts."""

    title: str
    concepts: list[ConceptAnswer]
    link: str | None = Field(description="The image; null for a picture that was not kept.")


class ConceptsAnswer(ApiModel):
    """The parts of a picture that each network treats alike, found without a class."""

    stage: Stage
    count: int
    networks: dict[NetworkName, NetworkConcepts] = Field(
        description="In the lineup's order. Concepts of one number lie, as far as possible, in one place."
    )


def build_concepts_answer(concepts: Concepts, *, links: AnalysisLinks | None, query: str = "") -> ConceptsAnswer:
    """Concepts as JSON.

    Args:
        concepts: the concepts to describe.
        links: the analysis's links; None for an analysis that is not kept.
        query: of the images' links, with its question mark.
    """
    analysis = concepts.analysis
    return ConceptsAnswer(
        stage=concepts.stage,
        count=len(next(iter(concepts.networks.values()))),
        networks={
            name: NetworkConcepts(
                title=analysis.card.title_network(name),
                concepts=[_describe(concept, number, analysis.placement) for number, concept in enumerate(found, 1)],
                link=None if links is None else links.concepts_of(name) + query,
            )
            for name, found in concepts.networks.items()
        },
    )


def _describe(concept: Concept, number: int, placement: Placement) -> ConceptAnswer:
    statistics = measure_heat_map(concept.place, placement)
    red, green, blue = COLOURS[number - 1]
    return ConceptAnswer(
        number=number,
        colour=f"#{red:02x}{green:02x}{blue:02x}",
        share=min(1.0, max(0.0, concept.share)),
        peak_x=statistics.peak_x,
        peak_y=statistics.peak_y,
        predictions=build_prediction_answers(concept.predictions),
    )
