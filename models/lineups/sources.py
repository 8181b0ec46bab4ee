"""Sources of one network's weights, and loading a network from one.

| source | meaning |
|---|---|
| a path | a checkpoint in any layout that `cbam-lens inspect` knows |
| a path and `+cbam` | a checkpoint without attention, with new gates; only SimAM's change the network's output |
| `torchvision:resnet50`, `torchvision:resnet50:IMAGENET1K_V2` | weights that torchvision publishes, downloaded once |
| `torchvision:resnet50+cbam` | the same with new gates that do not change the network's output |
| `untrained:vgg16_bn` | random weights without attention |
| `untrained:vgg16_bn+cbam` | the same random weights with attention |
| `python:pkg.module:make_cbam` | what that function returns: this runs its code |
"""

import copy
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from models.attention.places import find_base
from models.calibration import NOT_CALIBRATED, NetworkCalibration
from models.checkpoints.diagnosis import ExaminationOptions, GateState
from models.checkpoints.examination import examine
from models.checkpoints.gates import judge_gates
from models.errors import LineupError
from models.insertion.building import build_any_network
from models.lineups.card import ClassLabel
from models.names import Attention, Stage, StridePlacement
from models.networks.fresh_gates import load_with_fresh_gates
from models.networks.staged import StagedNetwork
from models.networks.zoo import SHARED_WITH_TORCHVISION, TORCHVISION
from models.pictures.preparation import Preprocessing

UNTRAINED = "untrained:"

PYTHON = "python:"

DEFAULT_CLASS_COUNT = 10
"""The number of classes of an untrained network without class names."""

SEED = 20181008

FRESH_GATES = "with new gates that do not change the network's output"
CHANGING_GATES = "with new gates that change the network's output, since they have no weights that could be neutral"


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One network of a lineup, with the facts about it.

    Attributes:
        network: the network on the CPU, in evaluation mode, with frozen parameters.
        architecture: a name of the zoo.
        attention: the attention at the end of each block.
        stride_placement: see `StridePlacement`.
        class_count: K, the number of classes.
        is_trained: whether its weights are trained.
        gates: the state of its gates.
        recipe: the training recipe; None if not known.
        provenance: the origin of the weights, as one sentence.
        sha256: its file's checksum; None without a file.
        labels: the classes in index order, if the source names them.
        calibration: the calibration that its file carries.
        has_changing_gates: whether it was trained without its gates, and they change its output.
        preprocessing: its input, if the source says it.
        stages: those that it has.
        is_fixed_size: whether it accepts nothing but a square of its own resolution.
    """

    network: StagedNetwork
    architecture: str
    attention: Attention
    stride_placement: StridePlacement
    class_count: int
    is_trained: bool
    gates: GateState
    recipe: str | None
    provenance: str
    sha256: str | None = None
    labels: tuple[ClassLabel, ...] = ()
    calibration: NetworkCalibration = NOT_CALIBRATED
    has_changing_gates: bool = False
    preprocessing: Preprocessing | None = None
    stages: tuple[Stage, ...] = tuple(Stage)
    is_fixed_size: bool = False

    @property
    def family(self) -> str:
        """The architecture without the `torchvision:` prefix."""
        return self.architecture.removeprefix(TORCHVISION)


def open_source(source: str, *, directory: Path = Path(), options: ExaminationOptions | None = None) -> Member:
    """Load the network of a source.

    Args:
        source: see the module.
        directory: what a relative path is relative to.
        options: what is known beforehand: the number of classes, architecture and attention.

    Raises:
        LineupError: the source does not exist or does not hold a network.
    """
    options = options or ExaminationOptions()
    try:
        if source.startswith(UNTRAINED):
            member = _make_untrained(source.removeprefix(UNTRAINED), options.class_count)
        elif source.startswith(TORCHVISION):
            member = _open_published(source)
        elif source.startswith(PYTHON):
            member = _run_python(source.removeprefix(PYTHON))
        else:
            member = _open_file(source, directory, options)
    except (KeyError, ValueError) as error:
        raise LineupError(f"{source}: {error.args[0]}") from error
    member.network.eval().requires_grad_(False)
    return member


def _open_file(source: str, directory: Path, options: ExaminationOptions) -> Member:
    """Load a checkpoint, with new gates if the source asks for them."""
    name, plus, attention = source.rpartition("+")
    if not plus or attention not in set(Attention) or (directory / source).exists():
        return _open_checkpoint(directory / source, options)
    # The expected attention is not in the file: it is added.
    member = _open_checkpoint(directory / name, replace(options, attention=None))
    if member.attention is not Attention.NONE:
        raise LineupError(
            f"{name} already has attention, {member.attention}; new gates need a network without attention"
        )
    return _add_gates(member, Attention(attention))


def _add_gates(member: Member, attention: Attention) -> Member:
    if attention is Attention.NONE:
        return member
    if attention is Attention.BAM:
        raise LineupError(
            "BAM cannot be new in a trained network: it multiplies by more than 1, and so changes what the network "
            "computes; choose a network that was trained with it"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = build_any_network(
            member.architecture,
            attention=attention,
            class_count=member.class_count,
            stride_placement=member.stride_placement,
        )
    if not network.list_gate_scales():
        raise LineupError(f"{member.architecture} can get new gates only from the source {TORCHVISION}NAME+{attention}")
    load_with_fresh_gates(network, member.network)
    return _mark_fresh(replace(member, network=network, attention=attention))


def _mark_fresh(member: Member) -> Member:
    """Say of a member with new gates what they do: SimAM's are complete without training, and change its output."""
    if find_base(member.attention) is not Attention.SIMAM:
        return replace(member, gates=GateState.UNTRAINED, provenance=f"{member.provenance}, {FRESH_GATES}")
    gates = judge_gates({}, is_trained=member.is_trained, attention=member.attention)
    return replace(member, gates=gates, provenance=f"{member.provenance}, {CHANGING_GATES}", has_changing_gates=True)


def _open_checkpoint(path: Path, options: ExaminationOptions) -> Member:
    checkpoint = examine(path, options)
    found = checkpoint.diagnosis
    network = build_any_network(
        found.architecture,
        attention=found.attention,
        class_count=found.class_count,
        stride_placement=found.stride_placement,
    )
    network.load_state_dict(checkpoint.tensors)
    return Member(
        network=network,
        architecture=found.architecture,
        attention=found.attention,
        stride_placement=found.stride_placement,
        class_count=found.class_count,
        is_trained=found.is_trained,
        gates=found.gates,
        recipe=found.recipe,
        provenance=f"{path.name} ({found.layout.value} layout)",
        sha256=found.sha256,
        calibration=found.calibration,
    )


def list_source_labels() -> tuple[ClassLabel, ...]:
    """ImageNet's 1,000 classes by torchvision's names."""
    from models.lineups.torchvision_weights import list_imagenet_classes  # noqa: PLC0415  # see `_open_published`

    return list_imagenet_classes()


def want_source(source: str) -> None:
    """Raise `LineupError` for torchvision's weights that are not on this machine: opening them would fetch them."""
    if source.startswith(TORCHVISION):
        from models.lineups.torchvision_weights import want_weights  # noqa: PLC0415  # see `_open_published`

        name, version, _ = _split_published(source)
        want_weights(name, version=version)


def fetch_source(source: str) -> None:
    """Fetch torchvision's weights unless they are on this machine; raises `LineupError`."""
    if source.startswith(TORCHVISION):
        from models.lineups.torchvision_weights import fetch_weights  # noqa: PLC0415  # see `_open_published`

        name, version, _ = _split_published(source)
        fetch_weights(name, version=version)


def _open_published(source: str) -> Member:
    # torchvision's models take a second to import, which the shipped lineup does not want.
    from models.insertion import insert_cbam  # noqa: PLC0415
    from models.insertion.torchvision_networks import make_torchvision  # noqa: PLC0415
    from models.lineups.torchvision_weights import fetch_weights  # noqa: PLC0415

    name, version, attention = _split_published(source)
    weights = fetch_weights(name, version=version)
    original = make_torchvision(name, class_count=len(weights.labels))
    original.load_state_dict(weights.tensors)
    architecture = name if name in SHARED_WITH_TORCHVISION else TORCHVISION + name
    if attention is not Attention.NONE:
        network: StagedNetwork = insert_cbam(original, attention=attention)
        architecture = TORCHVISION + name
    else:
        network = build_any_network(architecture, class_count=len(weights.labels))
        network.load_state_dict(original.state_dict())
    member = Member(
        network=network,
        architecture=architecture,
        attention=attention,
        stride_placement=StridePlacement.V1_5,
        class_count=len(weights.labels),
        is_trained=True,
        gates=GateState.NONE,
        recipe=f"torchvision's {weights.name}",
        provenance=f"torchvision's weights {weights.name}",
        labels=weights.labels,
    )
    return member if attention is Attention.NONE else _mark_fresh(member)


def _make_untrained(text: str, class_count: int | None) -> Member:
    architecture, attention = _split_attention(text)
    count = class_count or DEFAULT_CLASS_COUNT
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = build_any_network(architecture, class_count=count)
        if attention is not Attention.NONE:
            # The networks differ only in their attention: shared layers have the same weights.
            shared = copy.copy(network.state_dict())
            network = build_any_network(architecture, attention=attention, class_count=count)
            network.load_state_dict(network.state_dict() | shared)
    return Member(
        network=network,
        architecture=architecture,
        attention=attention,
        stride_placement=StridePlacement.V1_5,
        class_count=count,
        is_trained=False,
        gates=GateState.NONE if attention is Attention.NONE else GateState.UNTRAINED,
        recipe="random weights",
        provenance="random weights, not trained",
    )


def _run_python(place: str) -> Member:
    # Only where somebody has such a network.
    from models.lineups.own_networks import run_source  # noqa: PLC0415

    return run_source(place)


def _split_published(source: str) -> tuple[str, str, Attention]:
    """`torchvision:resnet50:IMAGENET1K_V2+se` -> resnet50, IMAGENET1K_V2 and SE."""
    text, attention = _split_attention(source.removeprefix(TORCHVISION))
    name, _, version = text.partition(":")
    return name, version, attention


def _split_attention(text: str) -> tuple[str, Attention]:
    """Split `resnet50+se` into resnet50 and SE; a text that names no attention means none."""
    name, plus, attention = text.partition("+")
    if not plus:
        return name, Attention.NONE
    allowed = [known.value for known in Attention if known is not Attention.OWN]
    if attention not in allowed:
        raise LineupError(f"attention is {attention!r}; choose one of {', '.join(allowed)}")
    return name, Attention(attention)
