"""Replacing in-place operations: kept features and the leaves of a gradient must not change.

`x += y` needs no replacement: fx records it as `x = x + y`.
"""

import inspect
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import fx, nn
from torch.nn import functional


def replace_mutations(network: nn.Module, graph: fx.Graph) -> None:
    """Replace every in-place operation of a graph by one that does not change its input.

    Later operations that read the changed input read the operation's result instead.

    Args:
        network: a private copy; `inplace` of its modules is switched off.
        graph: the network's operations; it is changed.

    Raises:
        ValueError: an in-place method has no other form.
    """
    order = {node: index for index, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        if _replace(node, network):
            changed = node.all_input_nodes[0]
            for user in list(changed.users):
                if order[user] > order[node]:
                    user.replace_input_with(changed, node)
    for module in network.modules():
        if getattr(module, "inplace", False):
            vars(module)["inplace"] = False


def _replace(node: fx.Node, network: nn.Module) -> bool:
    """Replace one operation, unless a module does it; returns whether it was in place."""
    if node.op == "call_module":
        return bool(getattr(network.get_submodule(str(node.target)), "inplace", False))
    if node.op == "call_method":
        return _replace_method(node)
    return node.op == "call_function" and (_replace_function(node) or _replace_argument(node))


def _replace_method(node: fx.Node) -> bool:
    name = str(node.target)
    if not _is_in_place(name):
        return False
    if not inspect.isroutine(getattr(torch.Tensor, name[:-1], None)):
        raise ValueError(f"the network calls {name}, which works in place and has no other form; write it without")
    node.target = name[:-1]
    return True


def _replace_function(node: fx.Node) -> bool:
    name = getattr(node.target, "__name__", "")
    ordinary = None
    if _is_in_place(name):
        ordinary = getattr(torch, name[:-1], None) or getattr(functional, name[:-1], None)
    if ordinary is None:
        return False
    node.target = ordinary
    return True


def _is_in_place(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__")


def _replace_argument(node: fx.Node) -> bool:
    """`functional.relu(x, inplace=True)`, by position or by name."""
    try:
        bound = inspect.signature(cast("Callable[..., Any]", node.target)).bind(*node.args, **node.kwargs)
    except (TypeError, ValueError):  # a C++ function has no signature, and no such argument
        return False
    if not bound.arguments.get("inplace"):
        return False
    bound.arguments["inplace"] = False
    node.args, node.kwargs = bound.args, bound.kwargs
    return True
