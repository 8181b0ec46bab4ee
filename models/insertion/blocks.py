"""The places of attention: in the blocks of torchvision's networks, or where the caller asks for it."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from torch import fx, nn
from torchvision.models import mobilenetv2, mobilenetv3
from torchvision.models.convnext import CNBlock
from torchvision.models.densenet import _DenseLayer
from torchvision.models.efficientnet import FusedMBConv, MBConv
from torchvision.models.googlenet import Inception
from torchvision.models.regnet import ResBottleneckBlock
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.models.vgg import VGG

from models.insertion.operations import ADDITION, MAX_POOLING, NORM
from models.insertion.tracing import NAME, SHAPE, TracedNetwork

BRANCH_ENDS: dict[type[nn.Module], str] = {
    BasicBlock: "bn2",
    Bottleneck: "bn3",
    mobilenetv2.InvertedResidual: "conv",
    mobilenetv3.InvertedResidual: "block",
    MBConv: "block",
    FusedMBConv: "block",
    ResBottleneckBlock: "f",
    CNBlock: "mul",
    _DenseLayer: "conv2",
    Inception: "cat",
}
"""The end of each block's branch: the operation of that name, or the last BatchNorm in the submodule of that name.

The CBAM paper, figure 3, puts attention there: before the addition, and before an activation that follows.
ConvNeXt's `mul` is the product with `layer_scale`. DenseNet and GoogLeNet have no addition.
"""

LISTED_CANDIDATES = 8
"""The number of operations that an error names."""


@dataclass(frozen=True, slots=True)
class AttentionSite:
    """The place of an attention module.

    Attributes:
        node: the operation before it.
        block: the path of the block that it ends; the operation's name if there is no such block.
        path: the module's own path.
    """

    node: fx.Node
    block: str
    path: str


def find_places(traced: TracedNetwork, points: Sequence[str] | None) -> list[AttentionSite]:
    """Find the places of attention, in the order in which they run.

    Args:
        traced: the network.
        points: names of the operations after which to put it; None for the known places in torchvision's blocks.

    Raises:
        ValueError: the network has no known blocks, or a name is not an operation that gives maps.
    """
    operations = {node.meta[NAME]: node for node in traced.graph.nodes}
    order = {node: index for index, node in enumerate(traced.graph.nodes)}
    if points is not None:
        nodes = sorted({_find_point(traced, operations, name) for name in points}, key=order.__getitem__)
        return _place_beside(traced, nodes)
    if isinstance(traced.network, VGG):
        pooled = [node.all_input_nodes[0] for node in traced.graph.nodes if MAX_POOLING.includes(traced, node)]
        # The same places as in models.networks.vgg, so that checkpoints fit.
        return [AttentionSite(node, node.meta[NAME], f"cbam.{index}") for index, node in enumerate(pooled)]
    places = _place_in_blocks(traced, operations)
    if not places:
        raise ValueError(
            f"the blocks of {type(traced.network).__name__} are not known; name the operations after which attention "
            f"belongs in `points`, such as {', '.join(_find_candidates(traced))}"
        )
    return sorted(places, key=lambda place: order[place.node])


def _place_in_blocks(traced: TracedNetwork, operations: dict[str, fx.Node]) -> list[AttentionSite]:
    norms = [name for name, node in operations.items() if NORM.includes(traced, node)]
    places = []
    for path, module in traced.network.named_modules():
        parts = [f"{path}.{part}" for kind, part in BRANCH_ENDS.items() if isinstance(module, kind)]
        for part in parts[:1]:
            names = [name for name in norms if name.startswith(f"{part}.")]
            node = operations.get(part) or (operations[names[-1]] if names else None)
            if node is not None:
                places.append(AttentionSite(node, path, _free_path(traced.network, path)))
    return places


def _place_beside(traced: TracedNetwork, nodes: Sequence[fx.Node]) -> list[AttentionSite]:
    """The places after some operations, with paths in the modules that these belong to."""
    places: list[AttentionSite] = []
    for node in nodes:
        owner = node.meta[NAME].rpartition(".")[0]
        path = _free_path(traced.network, owner, taken={place.path for place in places})
        places.append(AttentionSite(node, node.meta[NAME], path))
    return places


def _free_path(network: nn.Module, owner: str, *, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """`cbam` in a module, or the first of `cbam_1`, `cbam_2` and so on that is free."""
    existing = vars(network.get_submodule(owner))["_modules"]
    name, count = "cbam", 0
    while name in existing or f"{owner}.{name}".lstrip(".") in taken:
        count += 1
        name = f"cbam_{count}"
    return f"{owner}.{name}".lstrip(".")


def _find_point(traced: TracedNetwork, operations: dict[str, fx.Node], name: str) -> fx.Node:
    if name not in operations:
        close = difflib.get_close_matches(name, operations) or _find_candidates(traced)
        raise ValueError(f"{type(traced.network).__name__} has no operation {name!r}; there are {', '.join(close)}")
    shape = operations[name].meta.get(SHAPE, ())
    if len(shape) != 4 or operations[name].op == "placeholder":
        raise ValueError(f"{name!r} gives {shape}; attention needs computed maps, (N, C, H, W); choose another")
    return operations[name]


def _find_candidates(traced: TracedNetwork) -> list[str]:
    """Suggest ends of branches: a BatchNorm before an addition, else any BatchNorm, else any map."""
    norms = [node for node in traced.graph.nodes if NORM.includes(traced, node)]
    added = [node for node in norms if any(ADDITION.includes(traced, user) for user in node.users)]
    maps = [node for node in traced.graph.nodes if len(node.meta.get(SHAPE, ())) == 4 and node.op == "call_module"]
    return [node.meta[NAME] for node in added or norms or maps][:LISTED_CANDIDATES]
