"""A foreign network that runs by its graph of operations and, like our own, is traced without hooks.

`torch.fx` records the operations of the network's `forward`. The graph is cut into five parts at the ends of the four
stages, and each part becomes one generated function, which takes the network as its argument. The function looks up
the modules while it runs, so a copy, or a network with folded BatchNorms, runs by the same functions.

`models.insertion` makes these networks.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import torch
from torch import fx, nn

from models.names import Stage
from models.networks.staged import Gates, StagedNetwork

Segment: TypeAlias = Callable[[nn.Module, torch.Tensor, Gates], torch.Tensor]
"""One part of the forward pass: takes the network, the part's input and the dict that collects its blocks' gates."""

BLOCK_PATH = "block_path"
"""The key in an attention node's `meta` for the path of its block."""


@dataclass(frozen=True, slots=True)
class InsertionPoint:
    """One inserted attention module.

    Attributes:
        name: the block's name in a trace, such as `layer1.0`.
        path: the block's path in the network; the operation's name if there is no such block.
        operation: the name of the operation before the module.
        channels: C, the number of channels there.
        is_exact: whether the module in its initial state leaves the network's function unchanged.
        reason: why it does not; None if it does.
        scaled: the names of the parameters that were scaled to make up for the gates' initial 0.5.
    """

    name: str
    path: str
    operation: str
    channels: int
    is_exact: bool
    reason: str | None
    scaled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InsertionReport:
    """The inserted modules, in the order in which they run."""

    points: tuple[InsertionPoint, ...]

    @property
    def is_exact(self) -> bool:
        """Whether no inserted module changes the network's function."""
        return all(point.is_exact for point in self.points)


@dataclass(frozen=True, slots=True)
class GraphPlan:
    """The plan for running a graph.

    Attributes:
        graph: all operations. The node of an attention module returns `(features, BlockAttention)` and has the path of
            its block in its `meta`.
        ends: the last node of each stage; no other earlier result is used after it.
        head: the path of the layer for `StagedNetwork.linear_head`, or None.
        norms: paths of (convolution, BatchNorm), if only the second reads the first and each runs once.
    """

    graph: fx.Graph
    ends: Sequence[fx.Node]
    head: str | None
    norms: tuple[tuple[str, str], ...]


class GraphNetwork(StagedNetwork):
    """A foreign network under its own parameter names.

    It was traced in evaluation mode. Anything for which `forward` asked `self.training` (dropout and stochastic depth
    as functions, auxiliary classifiers) therefore stays off after `train()`.

    Args:
        network: the foreign network; its children, parameters and buffers move here.
        plan: how to run it.

    Attributes:
        block_paths: the path in the foreign network of each block with attention, by its name in a trace.
        insertion: the report on inserted modules; None if nothing was inserted.
        norms: see `GraphPlan`.

    Raises:
        ValueError: a child of the network has the name of a method of this class.
    """

    def __init__(self, network: nn.Module, plan: GraphPlan) -> None:
        super().__init__()
        self.insertion: InsertionReport | None = None
        self.norms = plan.norms
        self._head = plan.head
        parts = _split(plan.graph, plan.ends)
        names = _name_blocks(parts)
        self.block_paths: Mapping[str, str] = {names[node]: node.meta[BLOCK_PATH] for node in names}
        self._segments = tuple(_compile(network, part, names) for part in parts)
        self._adopt(network)
        self.eval()

    @property
    def linear_head(self) -> nn.Linear | None:
        """See `StagedNetwork.linear_head`."""
        return None if self._head is None else cast("nn.Linear", self.get_submodule(self._head))

    def run_stem(self, batch: torch.Tensor) -> torch.Tensor:
        """No operation: everything before the first block belongs to stage 1."""
        return batch

    def run_stage(self, stage: Stage, features: torch.Tensor, gates: Gates) -> torch.Tensor:
        """See `StagedNetwork.run_stage`."""
        return self._segments[stage - 1](self, features, gates)

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        """See `StagedNetwork.classify`."""
        return self._segments[-1](self, features, Gates())

    def _adopt(self, network: nn.Module) -> None:
        try:
            for name, child in network._modules.items():
                self.add_module(name, child)
            for name, parameter in network._parameters.items():
                self.register_parameter(name, parameter)
            for name, buffer in network._buffers.items():
                self.register_buffer(name, buffer, persistent=name not in network._non_persistent_buffers_set)
        except KeyError as error:
            raise ValueError(f"{error.args[0]}: {name!r} is reserved in a GraphNetwork; rename that child") from error


@dataclass(frozen=True, slots=True)
class _Part:
    """The nodes of one segment, with its input and its output."""

    source: fx.Node
    nodes: tuple[fx.Node, ...]
    result: fx.Node


def _split(graph: fx.Graph, ends: Sequence[fx.Node]) -> list[_Part]:
    nodes = [node for node in graph.nodes if node.op not in ("placeholder", "output")]
    batch = next(node for node in graph.nodes if node.op == "placeholder")
    results = [*ends, cast("fx.Node", graph.output_node().args[0])]
    bounds = [0, *(nodes.index(result) + 1 for result in results)]
    return [
        _Part(source, tuple(nodes[start:end]), result)
        for source, result, start, end in zip([batch, *ends], results, bounds[:-1], bounds[1:], strict=True)
    ]


def _name_blocks(parts: Sequence[_Part]) -> dict[fx.Node, str]:
    """Name the block of each attention node by its stage and its position there."""
    names: dict[fx.Node, str] = {}
    for stage, part in zip(Stage, parts[:-1], strict=True):
        attentions = [node for node in part.nodes if BLOCK_PATH in node.meta]
        names |= {node: f"layer{stage.value}.{position}" for position, node in enumerate(attentions)}
    return names


def _compile(network: nn.Module, part: _Part, names: Mapping[fx.Node, str]) -> Segment:
    """Compile a part to a function of (network, features, gates)."""
    segment = fx.Graph()
    copies = {part.source: segment.placeholder("features")}
    gates = segment.placeholder("gates")

    def fetch(node: fx.Node) -> fx.Node:
        # Each segment reads its parameters itself: fx reads each once, perhaps in an earlier segment.
        if node not in copies and node.op == "get_attr":
            copies[node] = segment.node_copy(node)
        return copies[node]

    for node in part.nodes:
        if node.op == "get_attr":
            continue
        change = segment.call_method("find_change", (gates, names[node])) if node in names else None
        copies[node] = segment.node_copy(node, fetch)
        if change is not None:
            copies[node].args = (*copies[node].args, change)
        # Otherwise fx would keep a function of every compilation and patch it in all later tracings.
        copies[node].meta.pop("is_wrapped", None)
        if node in names:
            computed = segment.call_function(operator.getitem, (copies[node], 1))
            segment.call_function(operator.setitem, (gates, names[node], computed))
    segment.output(fetch(part.result))
    return cast("Segment", type(fx.GraphModule(network, segment)).forward)
