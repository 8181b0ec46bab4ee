"""The weights that a training starts from, if it does not start from scratch."""

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
    """The weights that one network starts from.

    Attributes:
        tensors: the tensors, by the names in the network's state; without the classifier if it had other classes.
        provenance: their origin, in a few words.
        digest: their file's checksum, if there is a file.
        has_classifier: whether the number of classes is the same as before.
    """

    tensors: Mapping[str, torch.Tensor]
    provenance: str
    digest: str | None
    has_classifier: bool

    def load_into(self, network: StagedNetwork, *, renewed: tuple[str, ...]) -> None:
        """Load the weights into a new network.

        Args:
            network: the network; its other parameters are not changed.
            renewed: parts of the network, by module name, whose spatial gates keep their new kernels and scales. Their
                biases are loaded, so that such a gate passes on about as much as before. A baseline has no gates and
                is not affected.

        Raises:
            TrainingError: a name is not a part with spatial gates.
        """
        stale = {name: part for part in renewed for name in self.tensors if is_gate_shape(name, part)}
        has_gates = any(is_gate_shape(name, name.partition(".")[0]) for name in self.tensors)
        if has_gates and (idle := sorted(set(renewed) - set(stale.values()))):
            raise TrainingError(f"spatial_gate.renewed names {', '.join(idle)}, which has no spatial gate")
        network.load_state_dict(
            network.state_dict() | {name: value for name, value in self.tensors.items() if name not in stale}
        )


def is_gate_shape(name: str, part: str) -> bool:
    """Whether a tensor belongs to a spatial gate in a part of the network, and is not its bias."""
    return name.startswith(f"{part}.") and "SpatialGate" in name and not name.endswith("bn.bias")


def open_beginnings(
    text: str, members: Mapping[NetworkName, Attention], *, architecture: str, class_count: int
) -> dict[Attention, Beginning]:
    """Open the initial weights of each network that is trained.

    Args:
        text: a lineup as `parse_lineup` knows them where several are trained, a source as `open_source` knows them for
            one.
        members: what is trained.
        architecture: of it.
        class_count: K, of the training.

    Raises:
        LineupError: a source cannot be read.
        TrainingError: the weights are those of another network.
    """
    found = _open_all(text, members)
    beginnings = {}
    for name, attention in members.items():
        member = found[name]
        if (member.architecture, member.attention) != (architecture, attention):
            raise TrainingError(
                f"--start-from {text} has {member.architecture} with attention {member.attention.value}, but "
                f"{architecture} with attention {attention.value} is to be trained; give its weights"
            )
        beginnings[attention] = _make_beginning(member, class_count)
    return beginnings


def _open_all(text: str, members: Mapping[NetworkName, Attention]) -> dict[NetworkName, Member]:
    """The networks that a text names."""
    if len(members) == 1:
        (name,) = members
        return {name: open_source(text, options=ExaminationOptions())}
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
    """List the names of the last layer's tensors, whose shape depends on the number of classes."""
    last = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)][-1]
    return {f"{last}.weight", f"{last}.bias"}
