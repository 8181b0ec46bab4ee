"""The page of the sanity check."""

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from app.analysis.sanity import SanityCheck
from app.api.sanity import RandomisedNetwork, build_sanity_answer
from app.numbers import format_hundredths
from app.output.heat_maps import title_networks
from app.pages.addresses import PANEL_SIDE_PIXELS, Addresses, PageImage, add_query
from app.pages.choices import METHOD_TITLES
from models.pictures.fitting import screen_size


@dataclass(frozen=True, slots=True)
class SanityView:
    """One step of the sanity check.

    Attributes:
        title: the random part of the weights.
        networks: each network's title, its map, and a sentence that compares the map with the learned one.
    """

    title: str
    networks: tuple[tuple[str, PageImage, str], ...]


@dataclass(frozen=True, slots=True)
class SanityPage:
    """The sanity check: do the maps depend on the learned weights?

    Attributes:
        target: the explained class.
        method: the method that made the maps.
        stage: the stage whose output they explain.
        address: the analysis's address.
        steps: the learned networks, then more and more of them random.
    """

    template: ClassVar[str] = "sanity.html"
    target: str
    method: str
    stage: int
    address: str
    steps: tuple[SanityView, ...]


def build_sanity_page(check: SanityCheck, *, addresses: Addresses) -> SanityPage:
    """Build the page of a check.

    Args:
        check: the comparison as learned, and those with random weights.
        addresses: the analysis's addresses.
    """
    learned, links = check.learned, addresses.answer
    asked = {
        "target": str(learned.target.label.index),
        "method": learned.method.value,
        "stage": str(learned.stage.value),
    }
    titles = title_networks(learned)
    drawn = urlencode(asked | {"max_side": str(PANEL_SIDE_PIXELS), "scale": "own"})
    answer = build_sanity_answer(check, links=links, query=urlencode(asked))
    placement = learned.analysis.placement
    size = screen_size(placement.picture_width, placement.picture_height, PANEL_SIDE_PIXELS)
    first = SanityView(
        "As learned: nothing is random",
        tuple(
            (titles[name], PageImage(f"{links.heat_map(name)}?{drawn}", f"{titles[name]}, as learned", *size), "")
            for name in learned.names
        ),
    )
    rest = tuple(
        SanityView(
            f"Random: {step.random}",
            tuple(
                (
                    titles[name],
                    PageImage(
                        f"{links.randomised_heat_map(step.extent.value, name)}?{drawn}",
                        f"{titles[name]} with {step.random} random: {_explain_change(step.networks[name])}",
                        *size,
                    ),
                    _explain_change(step.networks[name]),
                )
                for name in learned.names
            ),
        )
        for step in answer.steps
    )
    return SanityPage(
        target=learned.target.label.name,
        method=METHOD_TITLES[learned.method],
        stage=learned.stage.value,
        address=add_query(addresses.page, asked),
        steps=(first, *rest),
    )


def _explain_change(network: RandomisedNetwork) -> str:
    """Compare a map with the learned one in a sentence."""
    if network.heat_map.max == 0:
        return "No positive evidence is left."
    if network.correlation is None or network.overlap is None:
        return "One of the two maps has the same value everywhere."
    correlation, overlap = format_hundredths(network.correlation), format_hundredths(network.overlap)
    return f"Correlation with the learned map {correlation}, overlap {overlap}."
