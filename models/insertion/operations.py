"""Kinds of operations, which a network may call as a module, as a function or as a tensor's method."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional
from torchvision.ops import stochastic_depth

from models.insertion.tracing import TracedNetwork


@dataclass(frozen=True, slots=True)
class OperationKind:
    """The forms of one kind of operation.

    Attributes:
        modules: its module classes.
        functions: its functions.
        methods: names of its tensor methods.
    """

    modules: tuple[type[nn.Module], ...] = ()
    functions: frozenset[Callable[..., Any]] = frozenset()
    methods: frozenset[str] = frozenset()

    def __or__(self, other: "OperationKind") -> "OperationKind":
        return OperationKind(
            self.modules + other.modules, self.functions | other.functions, self.methods | other.methods
        )

    def includes(self, traced: TracedNetwork, node: fx.Node) -> bool:
        """Whether a node of a network's graph is such an operation."""
        if node.op == "call_module":
            return isinstance(traced.module(node), self.modules)
        if node.op == "call_function":
            return node.target in self.functions
        return node.op == "call_method" and node.target in self.methods


IDENTITY = OperationKind(
    (nn.Identity, nn.Dropout, nn.Dropout2d, nn.AlphaDropout),
    frozenset({functional.dropout, functional.dropout2d, stochastic_depth}),
    frozenset({"contiguous"}),
)
"""Operations without effect in evaluation mode."""

MEAN = OperationKind(
    (nn.AdaptiveAvgPool2d,), frozenset({functional.adaptive_avg_pool2d, torch.mean}), frozenset({"mean"})
)

MAX_POOLING = OperationKind((nn.MaxPool2d,), frozenset({functional.max_pool2d, torch.max_pool2d}))

POOLING = (
    MEAN
    | MAX_POOLING
    | OperationKind(
        (nn.AvgPool2d, nn.AdaptiveMaxPool2d), frozenset({functional.avg_pool2d, functional.adaptive_max_pool2d})
    )
)

RESHAPING = OperationKind(
    (nn.Flatten,),
    frozenset({torch.flatten, torch.reshape, torch.permute, torch.squeeze}),
    frozenset({"flatten", "reshape", "view", "permute", "squeeze"}),
)
"""Operations that move values without changing them."""

RECTIFIER = OperationKind(
    (nn.ReLU, nn.LeakyReLU), frozenset({functional.relu, torch.relu, functional.leaky_relu}), frozenset({"relu"})
)
"""Homogeneous operations of degree 1 for positive factors; ReLU6 is not one, because it has an upper bound."""

ADDITION = OperationKind((), frozenset({operator.add, torch.add}), frozenset({"add"}))

CONCATENATION = OperationKind((), frozenset({torch.cat, torch.concat}))

PRODUCT = OperationKind((), frozenset({operator.mul, torch.mul}), frozenset({"mul"}))

NORM = OperationKind((nn.BatchNorm2d,))
