"""Tracing a foreign network to its graph of operations, each with its name, its module and its result's shape."""

import copy
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from models.insertion.mutation import replace_mutations

NAME = "name"
"""The key in a node's `meta` for its name in the network, such as `layer1.0.bn2` or `layer1.0.add`."""

MODULE = "module"
"""The key for the path of the module in which it runs, or of its own module; empty for the whole network."""

SHAPE = "shape"
"""The key for the shape of its result on the example, if that is a tensor."""

EXAMPLE_SIDE = 224
"""The side in pixels of the example picture, from which shapes are read."""

TOLERANCE = 1e-2
"""The largest difference between a graph and its network, as a share of the largest logit."""

# While fx traces, it replaces methods of all modules; two tracings at once would restore each other's methods.
_TRACING = threading.Lock()


@dataclass(frozen=True, slots=True)
class TracedNetwork:
    """A private copy of a network in evaluation mode, with the graph of its `forward`; no operation is in place."""

    network: nn.Module
    graph: fx.Graph

    def module(self, node: fx.Node) -> nn.Module | None:
        """The module that a node calls; None for a node of another kind."""
        return self.network.get_submodule(str(node.target)) if node.op == "call_module" else None

    def parameters(self, node: fx.Node) -> list[nn.Parameter]:
        """The parameters that a node uses: its module's, or those among its inputs."""
        module = self.module(node)
        own = [] if module is None else list(module.parameters())
        read = [find_parameter(self.network, str(source.target)) for source in node.all_input_nodes if is_read(source)]
        return own + [parameter for parameter in read if parameter is not None]


def is_read(node: fx.Node) -> bool:
    """Whether a node reads a parameter or a buffer."""
    return node.op == "get_attr"


def find_parameter(network: nn.Module, path: str) -> nn.Parameter | None:
    """The parameter of that path; None for a buffer, a computed value or an unknown path."""
    owner, _, name = path.rpartition(".")
    return network.get_submodule(owner)._parameters.get(name)


class _Tracer(fx.Tracer):
    """Traces the first argument of `forward`; the others keep their defaults.

    Modules that other threads run at the same time are not traced.
    """

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: object = None
    ) -> tuple[Callable[..., Any], list[Any]]:
        del is_module, concrete_args
        return root_fn, [self.root, self.create_proxy("placeholder", "batch", (), {})]

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> object:
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)


class _ShapeRecorder(fx.Interpreter):
    """Runs a graph and records the shape of each result in its node."""

    def run_node(self, n: fx.Node) -> object:
        value = super().run_node(n)
        if isinstance(value, torch.Tensor):
            n.meta[SHAPE] = tuple(value.shape)
        return value


def trace_network(network: nn.Module, *, side: int) -> TracedNetwork:
    """Trace a copy of `network`.

    Args:
        network: a classifier; it is not changed.
        side: the side of the square example picture in pixels.

    Raises:
        ValueError: the network cannot be traced, or its graph gives other results than the network.
    """
    private = copy.deepcopy(network).eval()
    example = _make_example(private, side=side)
    with torch.no_grad():
        expected = _run(private, example.clone())
        traced = TracedNetwork(private, _trace(private))
        replace_mutations(traced.network, traced.graph)
        computed = _ShapeRecorder(private, graph=traced.graph).run(example)
    _compare(computed, expected, kind=type(network).__name__)
    return traced


def _make_example(network: nn.Module, *, side: int) -> torch.Tensor:
    """Noise, (1, 3, H, W), of the network's type and on its device."""
    parameter = next(network.parameters(), torch.zeros(()))
    noise = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    return noise.to(device=parameter.device, dtype=parameter.dtype)


def _run(network: nn.Module, example: torch.Tensor) -> torch.Tensor:
    kind, side = type(network).__name__, example.shape[-1]
    try:
        logits = network(example)
    except Exception as error:  # a foreign network may raise anything
        raise ValueError(
            f"{kind} does not run on a picture of {side} x {side} pixels ({error}); give the `side` that it needs"
        ) from error
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2:
        raise ValueError(f"{kind} does not return one tensor of logits, (N, K), in evaluation mode; wrap it")
    return logits


def _trace(network: nn.Module) -> fx.Graph:
    try:
        with _TRACING:
            graph = _Tracer().trace(network)
    except Exception as error:  # the error depends on what `forward` does with symbolic values
        raise ValueError(
            f"torch.fx cannot follow {type(network).__name__}.forward ({error}); its conditions and loops may depend "
            "on modules and constants, not on the values or the size of its input"
        ) from error
    _name_nodes(graph)
    _register_constants(network, graph)
    return graph


def _name_nodes(graph: fx.Graph) -> None:
    """Name nodes as torchvision's feature extraction does: `relu`, then `relu_1`, counted per module."""
    counts: Counter[str] = Counter()
    for node in graph.nodes:
        stack = list(node.meta.get("nn_module_stack", {}).values())
        module = stack[-1][0] if stack else ""
        # fx counts over the whole network: `add_7` may be the first addition in its block.
        own = re.sub(r"_\d+$", "", node.name)
        name = str(node.target) if node.op == "call_module" else f"{module}.{own}".lstrip(".")
        node.meta[NAME] = f"{name}_{counts[name]}" if counts[name] else name
        node.meta[MODULE] = module
        counts[name] += 1


def _register_constants(network: nn.Module, graph: fx.Graph) -> None:
    """Turn tensors that are neither parameters nor buffers into buffers, or they would stay on one device."""
    for node in graph.find_nodes(op="get_attr"):
        owner_path, _, name = str(node.target).rpartition(".")
        owner = network.get_submodule(owner_path)
        if name not in owner._parameters and name not in owner._buffers:
            value = getattr(owner, name)
            delattr(owner, name)
            owner.register_buffer(name, value, persistent=False)


def _compare(computed: torch.Tensor, expected: torch.Tensor, *, kind: str) -> None:
    if expected.is_meta:
        return
    bound = TOLERANCE * float(expected.nan_to_num(0, 0, 0).abs().max())
    if not torch.allclose(computed, expected, rtol=0, atol=bound, equal_nan=True):
        raise ValueError(
            f"the graph of {kind} gives other results than the network; the usual cause is an in-place operation "
            "(x += y) whose changed input is used again under another name; write it as x = x + y"
        )
