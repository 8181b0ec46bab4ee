"""A lineup: a baseline and the same network with attention, loaded with strict checks.

Loading executes nothing from a file. A wrong checksum, a missing, surplus or misshaped tensor, a value that is not
finite, and networks that do not belong together are errors, which name the file and the remedy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from models.lineups.card import SHIPPED_LINEUP, ClassLabel, LineupCard
from models.lineups.choice import LineupChoice
from models.lineups.label_files import name_classes
from models.lineups.members import LineupPlan, complete_card, open_members
from models.lineups.sources import Member
from models.names import NetworkName, Precision
from models.networks.inference import prepare_for_inference
from models.networks.staged import StagedNetwork
from models.networks.zoo import count_multiply_adds, count_parameters


@dataclass(frozen=True, slots=True)
class Lineup:
    """Two to five networks in evaluation mode with frozen parameters, on one device, with their card.

    Attributes:
        card: the lineup's card.
        labels: the classes in index order.
        networks: the networks, in their order.
        parameter_counts: the number of trainable values of each, before any folding.
        multiply_adds: the multiply-adds of each, for one picture at the lineup's own resolution.
        device: the device of all.
    """

    card: LineupCard
    labels: tuple[ClassLabel, ...]
    networks: Mapping[NetworkName, StagedNetwork]
    parameter_counts: Mapping[NetworkName, int]
    multiply_adds: Mapping[NetworkName, int]
    device: torch.device

    @property
    def names(self) -> tuple[NetworkName, ...]:
        """The networks' names in their order; the first one is the baseline."""
        return self.card.names

    def optimise(self, precision: Precision = Precision.FP32) -> "Lineup":
        """The same lineup, optimised for answering requests; see `prepare_for_inference`."""
        prepared = {
            name: prepare_for_inference(network, precision=precision) for name, network in self.networks.items()
        }
        return replace(self, networks=prepared)


def load_lineup(choice: LineupChoice = SHIPPED_LINEUP, *, device: torch.device | str = "cpu") -> Lineup:
    """Load a lineup.

    Args:
        choice: a TOML file that describes it, or its name and the networks' sources of weights.
        device: the device for the networks.

    Raises:
        LineupError: a file is missing, damaged or does not fit, or the networks do not belong together.
    """
    plan = LineupPlan.read(choice)
    return join_lineup(plan, open_members(plan), device=device)


def join_lineup(
    plan: LineupPlan, members: Mapping[NetworkName, Member], *, device: torch.device | str = "cpu"
) -> Lineup:
    """Make a lineup of opened networks; see `load_lineup`."""
    card = complete_card(plan, members)
    device = torch.device(device)
    return Lineup(
        card=card,
        labels=plan.labels or _take_labels(members),
        networks={name: member.network.to(device) for name, member in members.items()},
        parameter_counts={name: count_parameters(member.network) for name, member in members.items()},
        multiply_adds={name: _count_work(card, name, member.network) for name, member in members.items()},
        device=device,
    )


def _take_labels(members: Mapping[NetworkName, Member]) -> tuple[ClassLabel, ...]:
    """The class names from a source, or numbers."""
    known = next((member.labels for member in members.values() if member.labels), ())
    return known or name_classes(f"class {index}" for index in range(next(iter(members.values())).class_count))


def _count_work(card: LineupCard, name: NetworkName, network: StagedNetwork) -> int:
    side = card.preprocessing.resolution
    return card.networks[name].multiply_adds or count_multiply_adds(network, height=side, width=side)
