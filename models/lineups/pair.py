"""A pair: a baseline and the same network with CBAM, read with every check that can be made.

Nothing is executed while loading and nothing is forgiven: a wrong checksum, a missing, surplus or misshaped tensor, a
value that is not finite and halves that do not belong together are errors that name the file and the remedy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from models.lineups.card import SHIPPED_PAIR, ClassLabel, PairCard, name_classes
from models.lineups.choice import PairChoice
from models.lineups.halves import PairPlan, complete_card, open_halves
from models.lineups.sources import Half
from models.names import NetworkName, Precision
from models.networks.inference import prepare_for_inference
from models.networks.staged import StagedNetwork
from models.networks.zoo import count_multiply_adds, count_parameters


@dataclass(frozen=True, slots=True)
class NetworkPair:
    """Two networks in evaluation mode with frozen parameters, on one device, and what is known of them.

    Attributes:
        card: what its card says.
        labels: the classes in index order.
        networks: both networks.
        parameter_counts: trainable values of each, as it was trained.
        multiply_adds: of each, for one picture at the pair's own resolution.
        device: where they are.
    """

    card: PairCard
    labels: tuple[ClassLabel, ...]
    networks: Mapping[NetworkName, StagedNetwork]
    parameter_counts: Mapping[NetworkName, int]
    multiply_adds: Mapping[NetworkName, int]
    device: torch.device

    def optimise(self, precision: Precision = Precision.FP32) -> "NetworkPair":
        """The same pair in the form that answers requests; see `prepare_for_inference`."""
        prepared = {
            name: prepare_for_inference(network, precision=precision) for name, network in self.networks.items()
        }
        return replace(self, networks=prepared)


def load_pair(choice: PairChoice = SHIPPED_PAIR, *, device: torch.device | str = "cpu") -> NetworkPair:
    """Load a pair.

    Args:
        choice: a TOML file that describes it, or its name and two sources of weights.
        device: where the networks go.

    Raises:
        PairError: for a file that is missing, damaged or does not fit, and for halves that do not belong together.
    """
    plan = PairPlan.read(choice)
    halves = open_halves(plan)
    card = complete_card(plan, halves)
    device = torch.device(device)
    return NetworkPair(
        card=card,
        labels=plan.labels or _take_labels(halves),
        networks={name: half.network.to(device) for name, half in halves.items()},
        parameter_counts={name: count_parameters(half.network) for name, half in halves.items()},
        multiply_adds={name: _count_work(card, name, half.network) for name, half in halves.items()},
        device=device,
    )


def _take_labels(halves: Mapping[NetworkName, Half]) -> tuple[ClassLabel, ...]:
    """The names that a source tells, or numbers."""
    known = next((half.labels for half in halves.values() if half.labels), ())
    return known or name_classes(f"class {index}" for index in range(halves[NetworkName.BASELINE].class_count))


def _count_work(card: PairCard, name: NetworkName, network: StagedNetwork) -> int:
    side = card.preprocessing.resolution
    return card.networks[name].multiply_adds or count_multiply_adds(network, height=side, width=side)
