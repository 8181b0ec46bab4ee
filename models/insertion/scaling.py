"""How a map can be made larger by a factor without changing anything else: by the weights that it comes from.

New gates start at 0.5 each. Where what comes before is multiplied by their inverse, the network computes what it
computed before. The factor is carried back through operations with f(k x) = k f(x) for k > 0.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from models.insertion.operations import (
    ADDITION,
    CONCATENATION,
    IDENTITY,
    POOLING,
    PRODUCT,
    RECTIFIER,
    RESHAPING,
    OperationKind,
)
from models.insertion.tracing import NAME, TracedNetwork, find_parameter, is_read

SCALABLE = OperationKind(
    (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, _BatchNorm, nn.GroupNorm, nn.LayerNorm),
)
"""Modules whose output is proportional to their weight and bias together."""

HOMOGENEOUS = RECTIFIER | POOLING | IDENTITY | RESHAPING


@dataclass(frozen=True, slots=True)
class Scale:
    """The parameters that multiply one map and nothing else.

    Attributes:
        parameters: their names; empty where there are none.
        reason: why there are none; else None.
    """

    parameters: tuple[str, ...] = ()
    reason: str | None = None


class _NotScalable(Exception):
    """A map cannot be multiplied alone; the message says why."""


def find_scales(traced: TracedNetwork, nodes: Sequence[fx.Node]) -> list[Scale]:
    """For each node the parameters that multiply its result, and nothing that bypasses it."""
    uses = count_uses(traced)
    return [_Walk(traced, uses).find(node) for node in nodes]


def count_uses(traced: TracedNetwork) -> Counter[nn.Parameter]:
    """How many operations work with each parameter."""
    return Counter(parameter for node in traced.graph.nodes for parameter in set(traced.parameters(node)))


@dataclass(slots=True)
class _Walk:
    """One search, from a node back to the weights that its result comes from.

    Attributes:
        traced: the network.
        uses: how many operations work with each of its parameters.
        carriers: nodes whose result is multiplied.
        factors: operands of products that must not be.
        parameters: names of what is multiplied in the network.
    """

    traced: TracedNetwork
    uses: Counter[nn.Parameter]
    carriers: set[fx.Node] = field(default_factory=set)
    factors: set[fx.Node] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)

    def find(self, node: fx.Node) -> Scale:
        waiting = [node]
        try:
            while waiting:
                carrier = waiting.pop()
                if carrier not in self.carriers:
                    self.carriers.add(carrier)
                    waiting += self._carry_back(carrier)
            self._check_bypasses(node)
        except _NotScalable as obstacle:
            return Scale(reason=str(obstacle))
        return Scale(parameters=tuple(sorted(self.parameters)))

    def _carry_back(self, node: fx.Node) -> list[fx.Node]:
        """The inputs that must be multiplied for the result of `node` to be; what has weights of its own has none."""
        traced = self.traced
        if is_read(node) or SCALABLE.includes(traced, node):
            self.parameters.update(self._find_parameters(node))
            return []
        if HOMOGENEOUS.includes(traced, node):
            return node.all_input_nodes[:1]
        if CONCATENATION.includes(traced, node):
            return node.all_input_nodes
        if ADDITION.includes(traced, node) and all(isinstance(term, fx.Node) for term in node.args):
            return node.all_input_nodes
        if PRODUCT.includes(traced, node):
            carried = self._choose_factor(node)
            self.factors |= set(node.all_input_nodes) - {carried}
            return [carried]
        raise _NotScalable(f"{node.meta[NAME]} does not carry a factor through")

    def _choose_factor(self, product: fx.Node) -> fx.Node:
        """The parameter of a product with one, as ConvNeXt's `layer_scale`, or the map of a product with a number."""
        nodes = [factor for factor in product.args if isinstance(factor, fx.Node)]
        if len(nodes) == 1:
            return nodes[0]
        parameters = [node for node in nodes if is_read(node)]
        if not parameters:
            raise _NotScalable(f"{product.meta[NAME]} is a product of two computed maps")
        return parameters[0]

    def _find_parameters(self, node: fx.Node) -> list[str]:
        """The names of the weight and bias that `node` applies, where it alone does."""
        target = str(node.target)
        names = [target] if is_read(node) else [f"{target}.weight", f"{target}.bias"]
        present = {name: value for name in names if (value := find_parameter(self.traced.network, name)) is not None}
        # A norm without them, and a weight that is itself computed (weight_norm), have no such parameter.
        if names[0] not in present:
            raise _NotScalable(f"{node.meta[NAME]} has no weight of its own")
        if any(self.uses[parameter] > 1 for parameter in present.values()):
            raise _NotScalable(f"the weights of {node.meta[NAME]} are also used elsewhere")
        return list(present)

    def _check_bypasses(self, node: fx.Node) -> None:
        """Whatever else reads a multiplied map would see another one; `node` itself is read through the gates alone."""
        for carrier in self.carriers - {node}:
            if not self.carriers.issuperset(carrier.users):
                raise _NotScalable(f"{carrier.meta[NAME]} is also used elsewhere")
        if self.carriers & self.factors:
            raise _NotScalable("both factors of a product would be multiplied")
