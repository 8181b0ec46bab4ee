"""The sanity check as the page's context."""

from urllib.parse import urlencode

from app.analysis.sanity import SanityCheck
from app.api.links import AnalysisLinks
from app.api.sanity import RandomisedNetwork, build_sanity_answer
from app.output.images import title_networks
from app.pages.analysis import PANEL_SIDE_PIXELS
from app.pages.choices import METHOD_TITLES
from app.pages.contexts import PageImage, SanityPage, SanityView
from app.pages.wording import typeset_minus
from models.names import NetworkName
from models.pictures.fitting import fit_size


def build_sanity_page(check: SanityCheck, *, links: AnalysisLinks, address: str) -> SanityPage:
    """The page of a check.

    Args:
        check: the learned comparison and those of networks that forgot.
        links: where the analysis is served.
        address: the path of the analysis's page.
    """
    learned = check.learned
    asked = {
        "target": str(learned.target.label.index),
        "method": learned.method.value,
        "stage": str(learned.stage.value),
    }
    titles = title_networks(learned.analysis.card)
    drawn = urlencode(asked | {"max_side": str(PANEL_SIDE_PIXELS), "scale": "own"})
    answer = build_sanity_answer(check, links=links, query=urlencode(asked))
    placement = learned.analysis.placement
    size = fit_size(placement.picture_width, placement.picture_height, longer=PANEL_SIDE_PIXELS)
    first = SanityView(
        "Nothing is random: as learned",
        tuple(
            (titles[name], PageImage(f"{links.heat_map(name)}?{drawn}", f"{titles[name]}, as learned", *size), "")
            for name in NetworkName
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
                for name in NetworkName
            ),
        )
        for step in answer.steps
    )
    query = urlencode(asked)
    return SanityPage(
        target=learned.target.label.name,
        method=METHOD_TITLES[learned.method],
        stage=learned.stage.value,
        address=f"{address}?{query}",
        steps=(first, *rest),
    )


def _explain_change(network: RandomisedNetwork) -> str:
    """What a map has in common with the learned one."""
    if network.heat_map.max == 0:
        return "No positive evidence is left."
    if network.correlation is None or network.overlap is None:
        return "One of the two maps has the same value everywhere."
    correlation = typeset_minus(f"{network.correlation:.2f}")
    return f"Correlation with the learned map {correlation}, overlap {network.overlap:.2f}."
