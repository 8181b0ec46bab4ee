"""The page of a picture's concepts."""

from dataclasses import dataclass
from typing import ClassVar

from app.analysis.concepts import Concepts
from app.analysis.options import FEWEST_CONCEPTS, MOST_CONCEPTS, ConceptOptions
from app.api.concepts import ConceptAnswer, build_concepts_answer
from app.numbers import format_probability, format_share
from app.pages.addresses import PANEL_SIDE_PIXELS, Addresses, PageImage
from app.pages.choices import STAGE_TITLES, Choice, list_choices
from models.names import Stage
from models.pictures.fitting import screen_size


@dataclass(frozen=True, slots=True)
class ConceptRow:
    """One concept of a network: its number, its part of all, and its likeliest classes in words."""

    number: int
    share: str
    classes: str


@dataclass(frozen=True, slots=True)
class ConceptPanel:
    """One network's concepts over the picture, and the list of them."""

    title: str
    image: PageImage
    rows: tuple[ConceptRow, ...]


@dataclass(frozen=True, slots=True)
class ConceptsPage:
    """A picture's concepts.

    Attributes:
        address: of the analysis's page.
        own_address: of this page, for the form.
        is_trained: whether the lineup was.
        has_classes: whether concepts have classes, which those of stage 4 have.
        counts, stages: the select boxes' choices.
        panels: every network's concepts, in the lineup's order.
    """

    template: ClassVar[str] = "concepts.html"
    address: str
    own_address: str
    is_trained: bool
    has_classes: bool
    counts: tuple[Choice, ...]
    stages: tuple[Choice, ...]
    panels: tuple[ConceptPanel, ...]


def build_concepts_page(
    concepts: Concepts, options: ConceptOptions, *, addresses: Addresses, own_address: str
) -> ConceptsPage:
    """Build the page.

    Args:
        concepts: the concepts to show.
        options: how they were found.
        addresses: the analysis's addresses.
        own_address: this page's, without its query.
    """
    analysis = concepts.analysis
    query = f"?count={options.count}&stage={options.stage.value}&opacity={options.opacity}"
    answer = build_concepts_answer(concepts, links=addresses.answer, query=f"{query}&max_side={PANEL_SIDE_PIXELS}")
    size = screen_size(analysis.placement.picture_width, analysis.placement.picture_height, PANEL_SIDE_PIXELS)
    counts = range(FEWEST_CONCEPTS, MOST_CONCEPTS + 1)
    return ConceptsPage(
        address=addresses.page,
        own_address=own_address,
        is_trained=analysis.card.trained,
        has_classes=concepts.stage is Stage.FOUR,
        counts=tuple(Choice(str(count), str(count), count == options.count) for count in counts),
        stages=list_choices({stage: STAGE_TITLES[stage] for stage in analysis.card.stages}, concepts.stage),
        panels=tuple(
            ConceptPanel(
                title=network.title,
                image=PageImage(network.link or "", _describe(network.title, network.concepts), *size),
                rows=tuple(_show(concept) for concept in network.concepts),
            )
            for network in answer.networks.values()
        ),
    )


def _describe(title: str, concepts: list[ConceptAnswer]) -> str:
    places = [
        f"{concept.number} at x {concept.peak_x:.0f}, y {concept.peak_y:.0f}"
        for concept in concepts
        if concept.peak_x is not None and concept.peak_y is not None
    ]
    return f"{title}: concepts over the picture, strongest {'; '.join(places)}"


def _show(concept: ConceptAnswer) -> ConceptRow:
    classes = [f"{guess.class_name} {format_probability(guess.probability)}" for guess in concept.predictions]
    return ConceptRow(concept.number, format_share(concept.share, 0), ", ".join(classes))
