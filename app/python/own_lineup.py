"""Lineups of a program's own networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn

from app.engine.loading import choose_device
from app.python.open_lineup import OpenLineup
from app.python.opening import prepare_lineup
from app.settings import Settings
from models.errors import LineupError
from models.foreign.description import Head, Reading, Score
from models.lineups.card import LineupCard
from models.lineups.choice import NamedSource
from models.lineups.lineup import join_lineup
from models.lineups.members import LineupPlan, join_members
from models.lineups.own_networks import OwnNetwork, make_member, make_own_card, read_form
from models.lineups.sources import Member
from models.names import NetworkName
from models.networks.titles import OWN
from models.pictures.preparation import Preprocessing
from models.probabilities import Activation


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What only the user can say about a lineup; see `cbam_lens.lineup`.

    Attributes:
        name, title: for options and for people.
        recipe: how all networks were trained, in a word or two.
        trained: whether their weights were learned.
        activation: how scores become P.
    """

    name: str = "mine"
    title: str | None = None
    recipe: str | None = None
    trained: bool = True
    activation: Activation = Activation.SOFTMAX


def describe_network(  # noqa: PLR0913  # each is the user's to say or to leave out
    module: nn.Module,
    *,
    classes: Sequence[str] = (),
    preprocessing: Preprocessing | Mapping[str, Any] | None = None,
    stages: Sequence[str] | None = None,
    gates: Mapping[str, str | Sequence[str]] | None = None,
    head: "Head | None" = None,
    score: "Score | None" = None,
) -> OwnNetwork:
    """Describe a network; see `cbam_lens.network`."""
    reading = Reading(stages=stages, gates=gates, head=head, score=score)
    try:
        form = read_form(preprocessing)
    except ValidationError as error:
        raise _explain("preprocessing", error) from error
    return OwnNetwork(module=module, reading=reading, form=form, classes=classes)


def open_networks(
    networks: Mapping[NetworkName, nn.Module | OwnNetwork],
    shared: Mapping[str, Any],
    facts: Facts,
    *,
    device: str | None = None,
) -> OpenLineup:
    """Make a lineup of networks; see `cbam_lens.lineup`.

    Args:
        networks: by name, the baseline first.
        shared: arguments of `describe_network` for the networks that are not described yet.
        facts: what is known of the lineup.
        device: the device's name; None for that of the first network.

    Raises:
        LineupError: the networks cannot be run, or do not belong together.
    """
    described = {name: _describe(name, network, shared, networks) for name, network in networks.items()}
    members = [_examine(name, network) for name, network in described.items()]
    card = _make_card(facts, dict(zip(described, members, strict=True)))
    plan = LineupPlan(facts.name, card, Path(), tuple(NamedSource(name, OWN) for name in described), None)
    chosen = _find_device(described) if device is None else choose_device(device)
    return prepare_lineup(join_lineup(plan, join_members(plan, members), device=chosen), Settings())


def _describe(
    name: NetworkName,
    network: nn.Module | OwnNetwork,
    shared: Mapping[str, Any],
    networks: Mapping[NetworkName, nn.Module | OwnNetwork],
) -> OwnNetwork:
    if isinstance(network, OwnNetwork):
        return network
    if not isinstance(network, nn.Module):
        raise LineupError(f"{name} is {type(network).__name__}; a network is a torch module")
    own = dict(shared)
    # The baseline has no such modules, and that is what is compared.
    if (
        own.get("gates")
        and not _has_any(network, own["gates"])
        and any(isinstance(other, nn.Module) and _has_any(other, own["gates"]) for other in networks.values())
    ):
        own["gates"] = {}
    return describe_network(network, **own)


def _has_any(module: nn.Module, gates: Mapping[str, str | Sequence[str]]) -> bool:
    """Whether a network has one of the named modules."""
    paths = {path for given in gates.values() for path in ([given] if isinstance(given, str) else given)}
    return any(path in paths for path, _ in module.named_modules())


def _examine(name: NetworkName, network: OwnNetwork) -> Member:
    try:
        return make_member(network, origin=f"{type(network.module).__name__} of a Python program")
    except ValueError as error:
        raise LineupError(f"{name}: {error}") from error


def _make_card(facts: Facts, members: Mapping[NetworkName, Member]) -> LineupCard:
    first = next(iter(members.values()), None)
    if first is None:
        raise LineupError("a lineup has two to five networks; give them by name, as baseline=NETWORK, mine=NETWORK")
    try:
        card = make_own_card(facts.name, members)
    except ValidationError as error:
        raise _explain(f"lineup {facts.name}", error) from error
    stated = {
        "title": facts.title or card.title,
        "trained": facts.trained,
        "activation": facts.activation,
        "preprocessing": first.preprocessing,
        "networks": {
            name: network.model_copy(update={"recipe": facts.recipe}) for name, network in card.networks.items()
        },
    }
    return card.model_copy(update=stated)


def _explain(part: str, error: ValidationError) -> LineupError:
    faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return LineupError(f"{part}: {'; '.join(faults)}")


def _find_device(networks: Mapping[NetworkName, OwnNetwork]) -> torch.device:
    return next(next(iter(networks.values())).module.parameters()).device
