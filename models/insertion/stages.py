"""Finding the ends of a network's stages by the sizes of its maps alone."""

from itertools import accumulate, groupby
from typing import TypeAlias

from torch import fx, nn

from models.insertion.operations import IDENTITY, MEAN, POOLING, RESHAPING
from models.insertion.tracing import MODULE, NAME, SHAPE, TracedNetwork, is_read
from models.names import Stage

Size: TypeAlias = tuple[int, int]
"""Height and width of a map for the example picture."""


def find_stage_ends(traced: TracedNetwork) -> tuple[fx.Node, ...]:
    """Find the last map of each of the last four sizes.

    A map counts if the network can be cut after it: no other earlier result is used later. The end is the last such
    map that is not the result of pooling. If it is inside the module that shrinks the maps, such as the widening
    convolution in the first block of a MobileNet stage, the end is the last map before that module.

    Raises:
        ValueError: there are fewer than four sizes.
    """
    order = {node: index for index, node in enumerate(traced.graph.nodes)}
    maps = _find_maps(traced)
    groups: dict[Size, list[fx.Node]] = {}
    for node in maps:
        if _is_made(traced, node):
            groups.setdefault(_size(node), []).append(node)
    ends = []
    for group in groups.values():
        border = order.get(_find_reduction(traced, maps, group[-1]), len(order))
        ends.append([node for node in group if order[node] < border or node is group[0]][-1])
    if len(ends) < len(Stage):
        found = ", ".join(f"{_size(end)[0]} x {_size(end)[1]} at {end.meta[NAME]}" for end in ends) or "none"
        raise ValueError(
            f"{type(traced.network).__name__} has {len(ends)} sizes of convolutional maps ({found}); {len(Stage)} "
            f"stages are explained, so it must have {len(Stage)}; a vision transformer does not"
        )
    return tuple(sorted(ends, key=order.__getitem__)[-len(Stage) :])


def find_linear_head(traced: TracedNetwork, end: fx.Node) -> str | None:
    """The path of the last linear layer, if only a mean over positions is between it and `end`; else None."""
    last = traced.graph.output_node().all_input_nodes[0]
    if not isinstance(traced.module(last), nn.Linear):
        return None
    channels = end.meta[SHAPE][1]
    pooled = last.all_input_nodes[0]
    if pooled.meta[SHAPE] != (1, channels):
        return None
    while (IDENTITY | RESHAPING).includes(traced, pooled):
        pooled = pooled.all_input_nodes[0]
    # After pooling to several positions there are more values than channels.
    is_mean = MEAN.includes(traced, pooled) and pooled.all_input_nodes == [end]
    return str(last.target) if is_mean else None


def _size(node: fx.Node) -> Size:
    height, width = node.meta[SHAPE][2:]
    return height, width


def _find_maps(traced: TracedNetwork) -> list[fx.Node]:
    """Every map after which no other result is alive, starting at the first operation with weights."""
    # Each segment reads its parameters again, so they do not count as alive.
    nodes = [node for node in traced.graph.nodes if not is_read(node)]
    order = {node: index for index, node in enumerate(nodes)}
    last_uses = [max((order[user] for user in node.users), default=order[node]) for node in nodes]
    alive_until = [0, *accumulate(last_uses, max)]  # for the results before each node
    weighted = (order[node] for node in nodes if traced.parameters(node))
    start = next(weighted, len(nodes))
    return [node for node in nodes[start:] if _is_map(node) and alive_until[order[node]] <= order[node]]


def _is_map(node: fx.Node) -> bool:
    """Whether a node's result is (1, C, H, W) with more than one position.

    The example picture is square, so its maps are too. A result that is not square has its channels last, as in a Swin
    transformer.
    """
    shape = node.meta.get(SHAPE, ())
    return len(shape) == 4 and shape[0] == 1 and shape[2] == shape[3] > 1


def _is_made(traced: TracedNetwork, node: fx.Node) -> bool:
    return not (POOLING | IDENTITY).includes(traced, node)


def _find_reduction(traced: TracedNetwork, maps: list[fx.Node], last: fx.Node) -> fx.Node | None:
    """The first node of the outermost module around `last` that shrinks the map once and then computes further.

    A VGG group ends with its pooling, and a container of several stages has more than two sizes, so neither is such a
    module. A module that receives a larger map than `last` is not one either.
    """
    atoms = last.meta[MODULE].split(".")
    for path in (".".join(atoms[:depth]) for depth in range(1, len(atoms) + 1)):
        inside: list[fx.Node] = [node for node in traced.graph.nodes if f"{node.meta[MODULE]}.".startswith(f"{path}.")]
        members = set(inside)
        within = [node for node in maps if node in members]
        sizes = [size for size, _ in groupby(within, key=_size)]
        is_made = any(_size(node) == sizes[-1] and _is_made(traced, node) for node in within)
        sources = [_size(node) for node in inside[0].all_input_nodes if _is_map(node)] if inside else []
        if is_made and len(sizes) == 2 and sizes[0] == _size(last) and sizes[0] in sources:
            return inside[0]
    return None
