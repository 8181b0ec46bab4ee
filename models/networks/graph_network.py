"""A network that was written elsewhere, run by its graph of operations: traced without hooks, like the ones from here.

`torch.fx` writes down which operations the network's `forward` calls. The graph is cut into five at the ends of the
four stages, and each part becomes one generated function that takes the network as its argument: the modules are
looked up while it runs, so that a copy, or one whose BatchNorms were folded away, runs by the same functions.

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
"""One part of the forward pass: the network, the part's input, and where its blocks leave their gates."""

BLOCK_PATH = "block_path"
"""The key under which the node of an attention module carries the path of its block."""


@dataclass(frozen=True, slots=True)
class InsertionPoint:
    """One attention module that was inserted.

    Attributes:
        name: the block's name in a trace, `layer1.0`.
        path: the block's path in the network; where there is no such block, the name of the operation.
        operation: the name of the operation behind which the module stands.
        channels: C of the features there.
        is_exact: whether the network's function is unchanged by this module in its initial state.
        reason: why it is not; None where it is.
        scaled: the names of the parameters that make up for the gates' initial 0.5.
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
        """Whether the network computes what it computed before, at every point."""
        return all(point.is_exact for point in self.points)


@dataclass(frozen=True, slots=True)
class GraphPlan:
    """How a graph is run.

    Attributes:
        graph: all operations. A node of an attention module answers `(features, BlockAttention)` and has the path of
            its block in its `meta`.
        ends: the four nodes at which the stages end; at each of them nothing else is alive.
        head: the path of the linear layer that `StagedNetwork.linear_head` speaks of, or None.
        norms: paths of (convolution, BatchNorm), where the second alone reads the first and each runs once.
    """

    graph: fx.Graph
    ends: Sequence[fx.Node]
    head: str | None
    norms: tuple[tuple[str, str], ...]


class GraphNetwork(StagedNetwork):
    """A foreign network under its own parameter names.

    It was traced in evaluation mode and stays so in one respect: what `forward` asked `self.training` for (dropout and
    stochastic depth as functions, auxiliary classifiers) stays off after `train()`.

    Args:
        network: whose children, parameters and buffers this one takes over.
        plan: how to run them.

    Attributes:
        block_paths: each block with attention: its name in a trace and its path in the foreign network.
        insertion: what was inserted and whether it left the function unchanged; None where nothing was.
        norms: see `GraphPlan`.

    Raises:
        ValueError: for a network one of whose children has the name of a method here.
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
        """Nothing: what stands before the first stage's blocks belongs to that stage."""
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
            raise ValueError(f"{error.args[0]}: {name!r} has a meaning in a GraphNetwork; rename that child") from error


@dataclass(frozen=True, slots=True)
class _Part:
    """The nodes of one segment, with the one it reads and the one it answers."""

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
    """Each attention's node and its block's name in a trace: the stage, and the position in it."""
    names: dict[fx.Node, str] = {}
    for stage, part in zip(Stage, parts[:-1], strict=True):
        attentions = [node for node in part.nodes if BLOCK_PATH in node.meta]
        names |= {node: f"layer{stage.value}.{position}" for position, node in enumerate(attentions)}
    return names


def _compile(network: nn.Module, part: _Part, names: Mapping[fx.Node, str]) -> Segment:
    """The part as a function of (network, features, gates)."""
    segment = fx.Graph()
    copies = {part.source: segment.placeholder("features")}
    gates = segment.placeholder("gates")

    def fetch(node: fx.Node) -> fx.Node:
        # A parameter is read where it is used: fx reads it once, perhaps in an earlier segment.
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
        # Else every compilation would leave a function with fx, which patches it in all later tracings.
        copies[node].meta.pop("is_wrapped", None)
        if node in names:
            computed = segment.call_function(operator.getitem, (copies[node], 1))
            segment.call_function(operator.setitem, (gates, names[node], computed))
    segment.output(fetch(part.result))
    return cast("Segment", type(fx.GraphModule(network, segment)).forward)
