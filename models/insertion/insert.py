"""Inserting attention into a foreign network, at the end of each block, without changing the network's function.

Source for the place: Woo et al., *CBAM*, ECCV 2018, figure 3. The neutral start of new gates, and the scaling of the
weights before them, are ours: the paper trains its networks with CBAM from the start.
"""

import operator
from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from models.attention.design import AttentionDesign
from models.attention.factory import find_factory
from models.attention.module import AttentionFactory, AttentionModule, StagedFactory
from models.insertion.blocks import AttentionSite, find_places
from models.insertion.operations import NORM
from models.insertion.scaling import Scale, count_uses, find_scales
from models.insertion.stages import find_linear_head, find_stage_ends
from models.insertion.tracing import EXAMPLE_SIDE, MODULE, NAME, SHAPE, TracedNetwork, trace_network
from models.names import Attention
from models.networks.graph_network import BLOCK_PATH, GraphNetwork, GraphPlan, InsertionPoint, InsertionReport
from models.networks.staged import StagedNetwork


def adopt_network(network: nn.Module, *, side: int = EXAMPLE_SIDE) -> GraphNetwork:
    """Make a traceable copy of a foreign network, the baseline of `insert_cbam`'s network.

    Args:
        network: a classifier of pictures, (N, 3, H, W), with convolutional stages; it is not changed.
        side: the side in pixels of a square picture that the network accepts; it is used to find the stages.

    Raises:
        ValueError: the network cannot be traced, or has fewer than four stages.
    """
    return _assemble(_trace_foreign(network, side=side))


def insert_cbam(
    network: nn.Module,
    *,
    attention: Attention | AttentionDesign = Attention.CBAM,
    preserve_function: bool = True,
    points: Sequence[str] | None = None,
    side: int = EXAMPLE_SIDE,
) -> GraphNetwork:
    """Make a copy of a foreign network with attention at the end of each block.

    Every gate starts at 0.5 for all features. The weights that make these features are multiplied by what makes up for
    it, if nothing else uses them. `GraphNetwork.insertion` reports where this was possible; with SimAM, whose gate has
    no weights, it never is.

    Args:
        network: a classifier of pictures, (N, 3, H, W), with convolutional stages; it is not changed.
        attention: the attention to insert, by name or as a design.
        preserve_function: False for gates in their usual random state and unchanged weights.
        points: names of the operations after which to put attention: the path of a `torch.nn` module, or the path of
            the calling module and the function's name, such as `layer1.0.add`; None for the ends of torchvision's
            blocks.
        side: the side in pixels of a square picture that the network accepts; it is used to find the stages.

    Raises:
        ValueError: the network cannot be traced, has fewer than four stages, or has no known block while `points` is
            None.
    """
    factory = find_factory(attention)
    if isinstance(factory, StagedFactory):
        raise ValueError(  # noqa: TRY004 - the type is right: the value is one that does not fit
            f"attention {attention} is known in the networks by name alone; for a foreign network choose it without "
            "its place, and name the operations after which it belongs in `points`"
        )
    if factory is None:
        return adopt_network(network, side=side)
    traced = _trace_foreign(network, side=side)
    find_stage_ends(traced)  # first, so that a network without stages gets that error and not one about points
    places = find_places(traced, points)
    # All before any insertion: the gates of one place must not hide the weights before another.
    scales = [Scale(reason="preserving the function was not requested")] * len(places)
    if preserve_function:
        scales = find_scales(traced, [place.node for place in places])
    modules = [_make_attention(traced, place, factory) for place in places]
    if preserve_function:
        scales = [_neutralise(traced.network, *pair) for pair in zip(modules, scales, strict=True)]
    for place, module in zip(places, modules, strict=True):
        _insert(traced, place, module)
    result = _assemble(traced)
    if len(result.block_paths) < len(places):
        behind = places[len(result.block_paths)].node.meta[NAME]
        raise ValueError(f"{behind!r} is after the last stage, where no attention is shown; choose an earlier one")
    result.insertion = InsertionReport(tuple(map(_report, result.block_paths, places, scales)))
    return result


def _trace_foreign(network: nn.Module, *, side: int) -> TracedNetwork:
    if isinstance(network, StagedNetwork):
        raise ValueError(  # noqa: TRY004 - the type is right: it is a Module
            f"{type(network).__name__} can already be traced; give the network that it was made from"
        )
    return trace_network(network, side=side)


def _assemble(traced: TracedNetwork) -> GraphNetwork:
    ends = find_stage_ends(traced)
    head = find_linear_head(traced, ends[-1])
    return GraphNetwork(
        traced.network, GraphPlan(graph=traced.graph, ends=ends, head=head, norms=_find_foldable(traced))
    )


def _find_foldable(traced: TracedNetwork) -> tuple[tuple[str, str], ...]:
    """See `GraphPlan.norms`."""
    uses = count_uses(traced)
    lineups = []
    for node in traced.graph.nodes:
        if NORM.includes(traced, node):
            source = node.all_input_nodes[0]
            is_alone = all(uses[weight] == 1 for weight in traced.parameters(source) + traced.parameters(node))
            if isinstance(traced.module(source), nn.Conv2d) and len(source.users) == 1 and is_alone:
                lineups.append((str(source.target), str(node.target)))
    return tuple(lineups)


def _make_attention(traced: TracedNetwork, place: AttentionSite, factory: AttentionFactory) -> AttentionModule:
    module = cast("AttentionModule", factory(place.node.meta[SHAPE][1]))
    example = next(traced.network.parameters())
    return module.to(device=example.device, dtype=example.dtype).eval()


def _neutralise(network: nn.Module, module: AttentionModule, scale: Scale) -> Scale:
    """Make a module neutral, and make up for its gates where the network can be scaled and the module be neutral."""
    factor = module.neutralise()
    if not module.keeps_function:
        return Scale(reason=f"{type(module).__name__} has no weights, so that its gate cannot be neutral")
    with torch.no_grad():
        for name in scale.parameters:
            network.get_parameter(name).mul_(factor)
    return scale


def _insert(traced: TracedNetwork, place: AttentionSite, module: AttentionModule) -> None:
    """Add a module to the network and its call to the graph."""
    owner, _, name = place.path.rpartition(".")
    if owner == "cbam" and owner not in dict(traced.network.named_children()):
        traced.network.add_module(owner, nn.ModuleList())
    traced.network.get_submodule(owner).add_module(name, module)
    with traced.graph.inserting_after(place.node):
        attention = traced.graph.call_module(place.path, (place.node,))
    with traced.graph.inserting_after(attention):
        refined = traced.graph.call_function(operator.getitem, (attention, 0))
    place.node.replace_all_uses_with(refined, delete_user_cb=lambda user: user is not attention)
    attention.meta = {NAME: place.path, MODULE: place.path, BLOCK_PATH: place.block}
    refined.meta = {NAME: place.path, MODULE: place.path, SHAPE: place.node.meta[SHAPE]}


def _report(name: str, place: AttentionSite, scale: Scale) -> InsertionPoint:
    return InsertionPoint(
        name=name,
        path=place.block,
        operation=place.node.meta[NAME],
        channels=place.node.meta[SHAPE][1],
        is_exact=scale.reason is None,
        reason=scale.reason,
        scaled=scale.parameters,
    )
