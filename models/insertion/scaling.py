"""Multiplying a map by a factor without changing anything else, by scaling the weights that make it.

New gates start at 0.5 each. If the map before them is multiplied by the inverse, the network computes the same as
before. The factor is carried back through operations with f(k x) = k f(x) for k > 0.
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
    """The parameters that scale one map and nothing else.

    Attributes:
        parameters: their names; empty if there are none.
        reason: why there are none; None if there are some.
    """

    parameters: tuple[str, ...] = ()
    reason: str | None = None


class _NotScalable(Exception):
    """A map cannot be scaled alone; the message says why."""


def find_scales(traced: TracedNetwork, nodes: Sequence[fx.Node]) -> list[Scale]:
    """Find, for each node, the parameters that scale its result and nothing that bypasses it."""
    uses = count_uses(traced)
    return [_Walk(traced, uses).find(node) for node in nodes]


def count_uses(traced: TracedNetwork) -> Counter[nn.Parameter]:
    """Count the operations that use each parameter."""
    return Counter(parameter for node in traced.graph.nodes for parameter in set(traced.parameters(node)))


@dataclass(slots=True)
class _Walk:
    """One search from a node back to the weights that make its result.

    Attributes:
        traced: the network.
        uses: the number of operations that use each of its parameters.
        carriers: nodes whose result is scaled.
        factors: operands of products that must not be scaled.
        parameters: names of the parameters to multiply.
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
        """The inputs to scale so that the result of `node` is scaled; none if `node` has weights of its own."""
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
        raise _NotScalable(f"{node.meta[NAME]} does not pass a factor on")

    def _choose_factor(self, product: fx.Node) -> fx.Node:
        """The operand of a product to scale: a parameter (ConvNeXt's `layer_scale`) or the map beside a number."""
        nodes = [factor for factor in product.args if isinstance(factor, fx.Node)]
        if len(nodes) == 1:
            return nodes[0]
        parameters = [node for node in nodes if is_read(node)]
        if not parameters:
            raise _NotScalable(f"{product.meta[NAME]} is a product of two computed maps")
        return parameters[0]

    def _find_parameters(self, node: fx.Node) -> list[str]:
        """The names of the weight and bias of `node`, if no other node uses them."""
        target = str(node.target)
        names = [target] if is_read(node) else [f"{target}.weight", f"{target}.bias"]
        present = {name: value for name in names if (value := find_parameter(self.traced.network, name)) is not None}
        # A norm may have none, and a weight may itself be computed (weight_norm).
        if names[0] not in present:
            raise _NotScalable(f"{node.meta[NAME]} has no weight of its own")
        if any(self.uses[parameter] > 1 for parameter in present.values()):
            raise _NotScalable(f"the weights of {node.meta[NAME]} are also used elsewhere")
        return list(present)

    def _check_bypasses(self, node: fx.Node) -> None:
        """Refuse if anything else reads a scaled map; `node` itself is read only through the gates."""
        for carrier in self.carriers - {node}:
            if not self.carriers.issuperset(carrier.users):
                raise _NotScalable(f"{carrier.meta[NAME]} is also used elsewhere")
        if self.carriers & self.factors:
            raise _NotScalable("both factors of a product would be scaled")
