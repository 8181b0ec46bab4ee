"""Start values of fresh gates that already differ between positions and pictures.

A gate of 0.5 everywhere leaves a network's function as it is, but little pulls it away from there: in a trained
EfficientNet-Lite0 with Adam such gates stayed flat for 400 steps. Gates that begin at random, as the paper's do, with a
chosen deviation are not flat, at a price: with 0.045 in every spatial gate it was right on 70 to 71 % of 200 ImageNet
pictures in place of 77 %.
"""

from collections.abc import Iterable

import torch
from torch import nn

from models.attention.cbam import Cbam, ChannelAttention, SpatialAttention
from models.names import ChannelPooling
from models.training.recipes.recipe import Recipe

SLOPE = 4.0
"""A sigmoid's slope at 0 is a quarter: a gate's deviation times this is its logit's."""


@torch.no_grad()
def start_gates(network: nn.Module, pictures: torch.Tensor, recipe: Recipe) -> None:
    """Give every gate of a network random weights, a mean of 0.5 and the recipe's deviation, block by block.

    Args:
        network: the network, in evaluation mode; its other weights are not changed.
        pictures: a normalised batch of the training, (N, 3, H, W), on which the deviations are measured.
        recipe: the recipe, with `initial_deviation` of both kinds of gates; 0 leaves a kind as it is.
    """

    def start(block: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        if isinstance(block, Cbam):
            _start_block(block, given[0], recipe)

    # Each block is started before it runs, so that the next one is given what the started gates let through.
    hooks = [part.register_forward_pre_hook(start) for part in network.modules() if isinstance(part, Cbam)]
    try:
        network(pictures)
    finally:
        for hook in hooks:
            hook.remove()


def _start_block(block: Cbam, features: torch.Tensor, recipe: Recipe) -> None:
    """Start both gates of a block that is given these features, (N, C, H, W)."""
    channel, spatial = block.ChannelGate, block.SpatialGate
    if isinstance(channel, ChannelAttention):
        if recipe.channel_gate.initial_deviation:
            _start_channel_gate(channel, features, recipe.channel_gate.initial_deviation)
        features, _ = channel(features)
    if isinstance(spatial, SpatialAttention) and recipe.spatial_gate.initial_deviation:
        _start_spatial_gate(spatial, features, recipe.spatial_gate.initial_deviation)


def _start_channel_gate(gate: ChannelAttention, features: torch.Tensor, deviation: float) -> None:
    """Every hidden unit is active for half of the pooled vectors, so that none is dead."""
    first, last = (part for part in gate.mlp if isinstance(part, nn.Linear))
    pooled = [features.mean(dim=(2, 3)), features.amax(dim=(2, 3))]  # (N, C) each
    if gate.pooling is ChannelPooling.AVERAGE:
        pooled = pooled[:1]
    elif gate.pooling is ChannelPooling.MAXIMUM:
        pooled = pooled[1:]
    first.bias.zero_()
    first.bias.copy_(-first(torch.cat(pooled)).median(dim=0).values)
    last.weight.normal_()
    last.bias.zero_()
    logits = _sum(last(torch.relu(first(vector))) for vector in pooled)  # (N, C)
    last.weight.mul_(SLOPE * deviation / logits.var(dim=0).mean().sqrt())
    logits = _sum(last(torch.relu(first(vector))) for vector in pooled)
    last.bias.copy_(-logits.mean(dim=0) / len(pooled))


def _start_spatial_gate(gate: SpatialAttention, features: torch.Tensor, deviation: float) -> None:
    convolution, norm = gate.spatial.get_submodule("conv"), gate.spatial.get_submodule("bn")
    if gate.reduce is not None:
        planes = gate.reduce(features)
    else:
        planes = torch.cat([features.amax(dim=1, keepdim=True), features.mean(dim=1, keepdim=True)], dim=1)
    kernel = convolution.get_parameter("weight")
    kernel.normal_()
    # A unit variance: BatchNorm's epsilon then does not count.
    kernel.div_(convolution(planes).var(dim=(2, 3)).mean().sqrt())
    norm.get_parameter("weight").fill_(SLOPE * deviation)
    norm.get_parameter("bias").zero_()
    norm.get_buffer("running_mean").fill_(convolution(planes).mean())
    norm.get_buffer("running_var").fill_(1.0)


def _sum(parts: Iterable[torch.Tensor]) -> torch.Tensor:
    return torch.stack(list(parts)).sum(dim=0)
