"""A network's attention as its tensors show it: the kind, and whether it is trained."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from models.attention.design import DESIGNS, AttentionDesign
from models.attention.places import PLACED, describe_place, find_base
from models.checkpoints.diagnosis import CheckpointError, GateState
from models.checkpoints.layouts import KERNEL, LAST_LAYER, NORM
from models.names import Attention, AttentionPlace, GateKind, SpatialPooling

IN_BLOCKS = re.compile(r"\bcbam(_\d+)?\.")
"""A part of the names of tensors of attention that stands in blocks."""

STAGE_NAMES = {
    AttentionPlace.LAST_STAGE: ("layer4.", "cbam.4."),
    AttentionPlace.LAST_TWO_STAGES: ("layer3.", "layer4.", "cbam.3.", "cbam.4."),
}
"""How the names begin in the stages of a place, the fewest stages first: of all networks but VGG-16, and of VGG-16."""

SIGNS = {
    Attention.BAM: re.compile(r"^bam\d\."),
    Attention.ECA: re.compile(r"\bcbam(\.\d+|_\d+)?\.conv\.weight$"),
    Attention.COORDINATE: re.compile(r"\bcbam(\.\d+|_\d+)?\.conv_h\.weight$"),
    Attention.TRIPLET: re.compile(r"\.ChannelGateH\."),
}
"""The names of tensors that only one attention has."""

LAST_WEIGHTS = {
    GateKind.SPATIAL: re.compile(rf"{re.escape(NORM)}weight$|gate_s_conv_final\.weight$"),
    GateKind.CHANNEL: re.compile(
        rf"{re.escape(LAST_LAYER)}weight$|gate_c_fc_final\.weight$|{SIGNS[Attention.ECA].pattern}"
    ),
    GateKind.ROW: re.compile(r"\.conv_h\.weight$|ChannelGateW\.spatial\.bn\.weight$"),
    GateKind.COLUMN: re.compile(r"\.conv_w\.weight$|ChannelGateH\.spatial\.bn\.weight$"),
}
"""The names of the last weights before the gates' sigmoids, of every attention."""


@dataclass(frozen=True, slots=True)
class GateShapes:
    """The properties of gates that names and shapes show.

    Attributes:
        has_channel: there is a channel gate; how it pools cannot be told.
        place: the blocks that have gates.
        named: the attention that the names alone show; None for one of CBAM's designs.
        spatial: how the spatial gate pools; None without one.
        kernel_size: of the spatial gate's convolution; None without one.
    """

    has_channel: bool
    spatial: SpatialPooling | None = None
    kernel_size: int | None = None
    place: AttentionPlace = AttentionPlace.EVERY_BLOCK
    named: Attention | None = None


def shape_gates(design: AttentionDesign | None) -> GateShapes:
    """The gate shapes of a design."""
    if design is None:
        return GateShapes(has_channel=False)
    kernel_size = None if design.spatial is None else design.kernel_size
    return GateShapes(design.channel is not None, design.spatial, kernel_size)


def read_gates(shapes: Mapping[str, torch.Size]) -> GateShapes:
    """The gate shapes of a file's tensors, by our names.

    Raises:
        CheckpointError: the spatial gates differ, or have another number of input planes.
    """
    own = [name for name in shapes if IN_BLOCKS.search(name)]
    places = [place for place, beginnings in STAGE_NAMES.items() if all(name.startswith(beginnings) for name in own)]
    place = places[0] if own and places else AttentionPlace.EVERY_BLOCK
    for attention, sign in SIGNS.items():
        if any(sign.search(name) for name in shapes):
            return GateShapes(has_channel=True, place=place, named=attention)
    kernels = {shape for name, shape in shapes.items() if name.endswith(f"{KERNEL}weight")}
    has_channel = any(".ChannelGate." in name for name in shapes)
    if not kernels:
        return GateShapes(has_channel, place=place)
    has_reduction = any(name.endswith(".SpatialGate.reduce.weight") for name in shapes)
    spatial = SpatialPooling.CONVOLUTION if has_reduction else SpatialPooling.MAX_MEAN
    kernel = next(iter(kernels))
    if len(kernels) > 1 or kernel != (1, 1 if has_reduction else 2, kernel[-1], kernel[-1]):
        raise CheckpointError(
            f"its spatial gates' kernels are {' and '.join(str(tuple(shape)) for shape in kernels)}; CBAM's are "
            "(1, 2, 7, 7), for the maximum and the mean over channels; other shapes are not supported"
        )
    return GateShapes(has_channel, spatial, kernel[-1], place)


def list_lookalikes(gates: GateShapes) -> list[Attention]:
    """Every attention with tensors of these shapes, the usual one first.

    SimAM has no tensors: a network with it looks like one without attention.

    Raises:
        CheckpointError: there is none.
    """
    here = replace(gates, place=AttentionPlace.EVERY_BLOCK)
    found = [attention for attention, design in DESIGNS.items() if shape_gates(design) == here]
    if gates.named is not None:
        found = [gates.named]
    if gates.place in PLACED:
        names = PLACED[gates.place]
        found = [names[attention] for attention in found if attention in names]
    if not found:
        parts = "with" if gates.has_channel else "without"
        if gates.kernel_size is None:
            raise CheckpointError(
                f"its gates are in the {describe_place(gates.place)} alone, and no known attention has this form "
                f"({', '.join(Attention)})"
            )
        raise CheckpointError(
            f"its spatial gates see {gates.kernel_size} x {gates.kernel_size} positions, {parts} a channel gate before "
            f"them; no known attention has this form ({', '.join(Attention)})"
        )
    if found == [Attention.NONE]:
        found += [Attention.SIMAM, *(names[Attention.SIMAM] for names in PLACED.values())]
    # First the form that the known projects use: both poolings, channel before space.
    return sorted(found, key=lambda attention: attention not in {Attention.CBAM, Attention.CHANNEL_BOTH})


def has_learnt(tensors: Mapping[str, torch.Tensor]) -> bool:
    """Whether any BatchNorm has seen a batch; initially, its mean is 0 and its variance 1 in every channel.

    A network without BatchNorm, such as ConvNeXt, has learnt if a bias is not 0.
    """
    statistics = {name: tensor for name, tensor in tensors.items() if name.endswith((".running_mean", ".running_var"))}
    if not statistics:
        return any(bool(tensor.any()) for tensor in select(tensors, ".bias"))
    return any(bool((tensor != (0 if name.endswith("mean") else 1)).any()) for name, tensor in statistics.items())


def judge_gates(
    tensors: Mapping[str, torch.Tensor], *, is_trained: bool, attention: Attention = Attention.NONE
) -> GateState:
    """The state of the gates.

    A spatial gate whose BatchNorm has scale 0 is the same everywhere. A channel gate whose last layer is 0 is the same
    for every channel.

    Args:
        tensors: the network's tensors.
        is_trained: whether it is trained.
        attention: its attention; only for SimAM, whose gates have no tensors, does it matter.
    """
    # Of every gate that pools planes: CBAM's spatial gate, and triplet attention's three.
    scales = select(tensors, ".spatial.bn.weight")
    last_weights = [tensor for found in _find_last_weights(tensors).values() for tensor in found]
    if find_base(attention) is Attention.SIMAM:
        return GateState.TRAINED if is_trained else GateState.UNTRAINED
    if not last_weights:
        return GateState.NONE
    is_flat = not any(bool(tensor.any()) for tensor in scales or last_weights)
    return GateState.TRAINED if is_trained and not is_flat else GateState.UNTRAINED


@dataclass(frozen=True, slots=True)
class GateValues:
    """The kinds of gates that a network has, by whether a picture can change them.

    Attributes:
        flat: those that are one number whatever the picture: the weights of their last layer are 0.
        varying: the others.
    """

    flat: tuple[GateKind, ...]
    varying: tuple[GateKind, ...]


def sort_gates(tensors: Mapping[str, torch.Tensor]) -> GateValues:
    """Sort a network's kinds of gates, by the last layers before their sigmoids."""
    layers = _find_last_weights(tensors)
    varying = tuple(kind for kind, found in layers.items() if any(bool(tensor.any()) for tensor in found))
    return GateValues(tuple(kind for kind, found in layers.items() if found and kind not in varying), varying)


def _find_last_weights(tensors: Mapping[str, torch.Tensor]) -> dict[GateKind, list[torch.Tensor]]:
    """The last weights before the sigmoids of each kind of gate."""
    return {
        kind: [tensor for name, tensor in tensors.items() if ending.search(name)]
        for kind, ending in LAST_WEIGHTS.items()
    }


def measure_scales(tensors: Mapping[str, torch.Tensor]) -> tuple[float, float] | None:
    """The smallest and largest scale of the spatial gates' BatchNorms; None without such gates."""
    scales = [float(value) for tensor in select(tensors, f"{NORM}weight") for value in tensor]
    return (min(scales), max(scales)) if scales else None


def select(tensors: Mapping[str, torch.Tensor], suffix: str) -> list[torch.Tensor]:
    """The tensors whose names end with `suffix`."""
    return [tensor for name, tensor in tensors.items() if name.endswith(suffix)]
