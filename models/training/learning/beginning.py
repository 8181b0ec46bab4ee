"""The weights that a training begins with, where it does not begin from scratch."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from models.checkpoints.diagnosis import ExaminationOptions
from models.errors import LineupError
from models.lineups.choice import parse_lineup
from models.lineups.members import LineupPlan, open_members
from models.lineups.sources import Member, open_source
from models.names import Attention, NetworkName
from models.networks.staged import StagedNetwork
from models.training.running.errors import TrainingError


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """The weights that one network begins with.

    Attributes:
        tensors: by the names of the network's state; the classifier is missing where it was for other classes.
        provenance: where they are from, in a few words.
        digest: of their file, where there is one.
        has_classifier: whether the classes are as many as before.
    """

    tensors: Mapping[str, torch.Tensor]
    provenance: str
    digest: str | None
    has_classifier: bool

    def load_into(self, network: StagedNetwork, *, renewed: tuple[str, ...]) -> None:
        """Put the weights into a fresh network.

        Args:
            network: where they go; what is missing stays as it is there.
            renewed: parts of the network, by the names of its modules, whose spatial gates keep their fresh kernels
                and scales. Their biases are put in, so that such a gate lets about as much through as it did. A
                baseline has none and is left alone.

        Raises:
            TrainingError: for a name of no part with spatial gates.
        """
        stale = {name: part for part in renewed for name in self.tensors if is_gate_shape(name, part)}
        has_gates = any(is_gate_shape(name, name.partition(".")[0]) for name in self.tensors)
        if has_gates and (idle := sorted(set(renewed) - set(stale.values()))):
            raise TrainingError(f"spatial_gate.renewed names {', '.join(idle)}, where there is no spatial gate")
        network.load_state_dict(
            network.state_dict() | {name: value for name, value in self.tensors.items() if name not in stale}
        )


def is_gate_shape(name: str, part: str) -> bool:
    """Whether a tensor is what a spatial gate of a part of the network has, apart from its bias."""
    return name.startswith(f"{part}.") and "SpatialGate" in name and not name.endswith("bn.bias")


def open_beginnings(
    text: str, members: Mapping[NetworkName, Attention], *, architecture: str, class_count: int
) -> dict[Attention, Beginning]:
    """The weights for each network that is trained.

    Args:
        text: a lineup as `parse_lineup` knows them where several are trained, a source as `open_source` knows them for
            one.
        members: what is trained.
        architecture: of it.
        class_count: K, of the training.

    Raises:
        LineupError: for what cannot be read.
        TrainingError: for the weights of another network.
    """
    found = _open_all(text, members)
    beginnings = {}
    for name, attention in members.items():
        member = found[name]
        if (member.architecture, member.attention) != (architecture, attention):
            raise TrainingError(
                f"--start-from {text} has {member.architecture} with attention {member.attention.value}, and "
                f"{architecture} with attention {attention.value} is trained; give the weights of that"
            )
        beginnings[attention] = _make_beginning(member, class_count)
    return beginnings


def _open_all(text: str, members: Mapping[NetworkName, Attention]) -> dict[NetworkName, Member]:
    """The networks that a text names."""
    if len(members) == 1:
        ((name, attention),) = members.items()
        return {name: open_source(text, attention, options=ExaminationOptions())}
    try:
        plan = LineupPlan.read(parse_lineup(text))
    except LineupError as error:
        raise TrainingError(f"--start-from of several networks is a lineup: {error}") from error
    found = open_members(plan)
    if missing := set(members) - set(found):
        raise TrainingError(
            f"--start-from {text} has no network {', '.join(sorted(missing))}; it has {', '.join(found)}"
        )
    return found


def _make_beginning(member: Member, class_count: int) -> Beginning:
    has_classifier = member.class_count == class_count
    tensors = member.network.state_dict()
    if not has_classifier:
        tensors = {name: value for name, value in tensors.items() if name not in list_classifier(member.network)}
    return Beginning(tensors, member.provenance, member.sha256, has_classifier)


def list_classifier(network: StagedNetwork) -> set[str]:
    """Names of the last layer's tensors, whose shape is by the classes."""
    last = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)][-1]
    return {f"{last}.weight", f"{last}.bias"}
