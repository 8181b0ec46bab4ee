"""What people should know about a lineup before they believe its pictures: one sentence for each thing."""

from collections.abc import Mapping
from itertools import combinations

import torch

from models.checkpoints.diagnosis import GateState
from models.checkpoints.gates import sort_gates
from models.lineups.card import LineupCard
from models.lineups.sources import Member
from models.names import NetworkName


def compare_recipes(card: LineupCard, recipes: Mapping[NetworkName, str | None]) -> tuple[str, ...]:
    """The warning about networks that were not trained alike, or of which that is not known."""
    known = set(recipes.values())
    if len(known) == 1 and None not in known:
        return ()
    told = "; ".join(f"{card.title_network(name)}: {recipe or 'not known'}" for name, recipe in recipes.items())
    begin = "These networks were trained by different recipes"
    if None in known:
        begin = "It is not known whether these networks were trained by one recipe"
    return (f"{begin} ({told}): what differs between them need not come from attention.",)


def compare_placements(card: LineupCard, members: Mapping[NetworkName, Member]) -> tuple[str, ...]:
    """The warning about bottlenecks of which not all have their stride in one place."""
    placements = {name: member.stride_placement for name, member in members.items()}
    if len(set(placements.values())) == 1:
        return ()
    told = "; ".join(f"{card.title_network(name)}: {placement}" for name, placement in placements.items())
    return (
        f"The networks' bottlenecks have their stride in different places ({told}): what differs between them need not "
        "come from attention.",
    )


def warn_of_equal_networks(card: LineupCard, members: Mapping[NetworkName, Member]) -> tuple[str, ...]:
    """A warning for each two networks with the same weights: their maps are the same, and their difference is 0."""
    return tuple(
        f"{card.title_network(first)} and {card.title_network(second)} are the same network with the same weights: "
        "their difference is 0 everywhere."
        for first, second in combinations(members, 2)
        if _are_equal(members[first], members[second])
    )


def warn_of_untrained_gates(card: LineupCard, members: Mapping[NetworkName, Member]) -> tuple[str, ...]:
    """A warning for each network whose gates learned nothing: which of them are flat, and which are random."""
    return tuple(
        sentence
        for name, member in members.items()
        if member.gates is GateState.UNTRAINED
        for sentence in _describe_gates(card.title_network(name), member)
    )


def warn_of_changing_gates(card: LineupCard, members: Mapping[NetworkName, Member]) -> tuple[str, ...]:
    """A warning for each network that was trained without its gates, where these change its output."""
    return tuple(
        f"{card.title_network(name)} was trained without its gates, and they change its output: train it with them "
        "before you compare it."
        for name, member in members.items()
        if member.has_changing_gates
    )


def _describe_gates(title: str, member: Member) -> list[str]:
    gates = sort_gates(member.network.state_dict())
    sentences = []
    if gates.flat:
        sentences.append(
            f"The {' and '.join(gates.flat)} gates of {title} have learned nothing yet: they are the same for every "
            "picture."
        )
    # Gates with weights in a trained network may have learned.
    if gates.varying and not member.is_trained:
        sentences.append(
            f"The {' and '.join(gates.varying)} gates of {title} have random weights: they depend on the picture, but "
            "they have learned nothing."
        )
    return sentences


def _are_equal(first: Member, second: Member) -> bool:
    if (first.family, first.attention, first.stride_placement) != (
        second.family,
        second.attention,
        second.stride_placement,
    ):
        return False
    one, other = first.network.state_dict(), second.network.state_dict()
    return one.keys() == other.keys() and all(torch.equal(values, other[key]) for key, values in one.items())
