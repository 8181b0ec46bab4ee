"""The sanity check on the page of a comparison: its verdict, and one strip of maps per network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from app.analysis.sanity import SanityCheck
from app.api.analyses import name_contrast
from app.api.sanity import RandomisedNetwork, SanityAnswer, build_sanity_answer
from app.numbers import format_hundredths
from app.output.heat_maps import title_networks
from app.pages.addresses import Addresses, PageImage
from models.names import NetworkName
from models.networks.titles import join_words
from models.pictures.fitting import screen_size

MAP_SIDE_PIXELS = 320

CHANGED_CORRELATION = 0.5
"""A map of an all random network that correlates less with the learned one has changed."""

KEPT_CORRELATION = 0.8
"""One that correlates at least so much has hardly changed."""


class Change(StrEnum):
    """How much a network's map changes when all weights are random."""

    WHOLE = "whole"
    PART = "part"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SanityMap:
    """One map of a strip: what is random, the map, and its correlation with the learned one in words."""

    title: str
    image: PageImage
    note: str


@dataclass(frozen=True, slots=True)
class SanityStrip:
    """One network's maps, from the learned one to that of all random weights; `place` is its place in the lineup."""

    title: str
    place: int
    maps: tuple[SanityMap, ...]


@dataclass(frozen=True, slots=True)
class SanityView:
    """The result of the check: the answer in one line, and one strip per network."""

    verdict: str
    strips: tuple[SanityStrip, ...]


def build_sanity_view(check: SanityCheck, *, addresses: Addresses) -> SanityView:
    """Build the view of a check.

    Args:
        check: the comparison as learned, and those with random weights.
        addresses: the analysis's addresses.
    """
    learned = check.learned
    asked = {
        "target": str(learned.target.label.index),
        "method": learned.method.value,
        "stage": str(learned.stage.value),
        **name_contrast(learned),
    }
    card = learned.analysis.card
    answer = build_sanity_answer(check, links=addresses.answer, query=urlencode(asked))
    return SanityView(
        verdict=state_verdict(
            {name: [step.networks[name] for step in answer.steps] for name in learned.names},
            titles={name: card.title_network(name) for name in learned.names},
            is_trained=card.trained,
        ),
        strips=tuple(
            SanityStrip(title, place, _show_maps(check, answer, name, urlencode(asked), addresses))
            for place, (name, title) in enumerate(title_networks(learned).items(), start=1)
        ),
    )


def state_verdict(
    steps: Mapping[NetworkName, Sequence[RandomisedNetwork]], *, titles: Mapping[NetworkName, str], is_trained: bool
) -> str:
    """Answer in words whether the maps depend on what was learned.

    Args:
        steps: each network's maps compared with the learned one, from a random classifier to all weights random.
        titles: the networks' names for people.
        is_trained: whether the lineup was trained.
    """
    if not is_trained:
        return "These networks are untrained, so there is nothing learned that the maps could depend on."
    found = {name: judge_change(networks[-1]) for name, networks in steps.items()}
    return " ".join(
        _state_change(change, {titles[name]: steps[name] for name in steps if found[name] is change})
        for change in Change
        if change in found.values()
    )


def judge_change(network: RandomisedNetwork) -> Change:
    """Judge a map of random weights by its correlation with the learned one; one without a pattern has changed."""
    if network.correlation is None or network.correlation < CHANGED_CORRELATION:
        return Change.WHOLE
    return Change.PART if network.correlation < KEPT_CORRELATION else Change.NONE


def _state_change(change: Change, steps: Mapping[str, Sequence[RandomisedNetwork]]) -> str:
    names = join_words(list(steps))
    is_one = len(steps) == 1
    maps, it = (f"the map of {names}", "It") if is_one else (f"the maps of {names}", "They")
    verb = {
        Change.WHOLE: "changes" if is_one else "change",
        Change.PART: "changes in part" if is_one else "change in part",
        Change.NONE: "hardly changes" if is_one else "hardly change",
    }[change]
    numbers = ", ".join(f"{title} 1 → {_format_correlation(networks[-1])}" for title, networks in steps.items())
    begin = {Change.WHOLE: "Yes", Change.PART: "Partly", Change.NONE: "No"}[change]
    end = {
        Change.WHOLE: f"{it} {'depends' if is_one else 'depend'} on what was learned.",
        Change.PART: "Part of what it shows is in the picture alone."
        if is_one
        else "Part of what they show is in the picture alone.",
        Change.NONE: f"{it} may show the picture’s edges, not what was learned.",
    }[change]
    return (
        f"{begin}: {maps} {verb} when the weights are made random from the end of the network to its start "
        f"(correlation with the learned map: {numbers}). {end}"
    )


def _format_correlation(network: RandomisedNetwork) -> str:
    return "none" if network.correlation is None else format_hundredths(network.correlation)


def _show_maps(
    check: SanityCheck, answer: SanityAnswer, name: NetworkName, asked: str, addresses: Addresses
) -> tuple[SanityMap, ...]:
    learned, links = check.learned, addresses.answer
    title = learned.analysis.card.title_network(name)
    placement = learned.analysis.placement
    size = screen_size(placement.picture_width, placement.picture_height, MAP_SIDE_PIXELS)
    drawn = f"{asked}&max_side={MAP_SIDE_PIXELS}&scale=own"
    first = SanityMap(
        "as learned", PageImage(f"{links.heat_map(name)}?{drawn}", f"{title}, as learned", *size), "nothing is random"
    )
    rest = [
        SanityMap(
            step.random,
            PageImage(
                f"{links.randomised_heat_map(step.extent.value, name)}?{drawn}",
                f"{title} with {step.random} random",
                *size,
            ),
            _explain_change(step.networks[name]),
        )
        for step in answer.steps
    ]
    return (first, *rest)


def _explain_change(network: RandomisedNetwork) -> str:
    """Compare a map with the learned one in a few words."""
    if network.heat_map.max == 0:
        return "no evidence left"
    if network.correlation is None:
        return "the same value everywhere"
    return f"correlation {format_hundredths(network.correlation)}"
