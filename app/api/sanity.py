"""The sanity check as JSON: each network's map with more and more of its weights random."""

from pydantic import BaseModel, ConfigDict, Field

from app.analysis.comparison import Comparison
from app.analysis.sanity import SanityCheck
from app.api.analyses import build_heat_map_answer
from app.api.links import AnalysisLinks
from app.api.schemas import HeatMapAnswer
from app.explain.metrics import compare_heat_maps
from models.names import NetworkName
from models.networks.randomisation import Randomisation


class RandomisedNetwork(BaseModel):
    """One network's map with random weights, compared with its map with learned weights."""

    model_config = ConfigDict(frozen=True)

    heat_map: HeatMapAnswer
    correlation: float | None = Field(description="Pearson's r with the learned map; null where one does not vary.")
    overlap: float | None = Field(description="Intersection over union at 0.6 of each map's maximum.")
    link: str = Field(description="The map as PNG, on its own scale.")


class SanityStep(BaseModel):
    """The networks with one more part of their weights random."""

    model_config = ConfigDict(frozen=True)

    extent: Randomisation
    random: str = Field(description="The random part of the weights, in words.")
    networks: dict[NetworkName, RandomisedNetwork]


class SanityAnswer(BaseModel):
    """The steps of the sanity check, from the classifier alone to all weights random."""

    model_config = ConfigDict(frozen=True)

    steps: list[SanityStep]


EXTENT_TITLES = {
    Randomisation.CLASSIFIER: "the classifier",
    Randomisation.STAGE_FOUR: "the classifier and stage 4",
    Randomisation.STAGE_THREE: "the classifier and stages 3 and 4",
    Randomisation.STAGE_TWO: "the classifier and stages 2 to 4",
    Randomisation.STAGE_ONE: "everything but the first layer",
    Randomisation.EVERYTHING: "everything",
}


def build_sanity_answer(check: SanityCheck, *, links: AnalysisLinks, query: str) -> SanityAnswer:
    """A check as JSON.

    Args:
        check: the check to describe.
        links: the analysis's links.
        query: the rest of the query of the maps' links, without a question mark.
    """
    return SanityAnswer(
        steps=[
            SanityStep(
                extent=extent,
                random=EXTENT_TITLES[extent],
                networks={
                    name: _build_network(
                        check.learned, randomised, name, f"{links.randomised_heat_map(extent.value, name)}?{query}"
                    )
                    for name in randomised.names
                },
            )
            for extent, randomised in check.randomised.items()
        ]
    )


def _build_network(learned: Comparison, randomised: Comparison, name: NetworkName, link: str) -> RandomisedNetwork:
    placement = learned.analysis.placement
    change = compare_heat_maps(learned.heat_maps[name], randomised.heat_maps[name], placement)
    return RandomisedNetwork(
        heat_map=build_heat_map_answer(randomised, name),
        correlation=change.correlation,
        overlap=change.overlap,
        link=link,
    )
