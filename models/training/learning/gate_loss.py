"""The loss on gates that tell nothing: flat ones, and those that ignore the picture.

The paper has no such loss. Without one, some gates of a network that begins from weights stay where they are: flat,
because the blocks do without them, or one map of the border, because zero padding shows it to a 7x7 kernel.
"""

from collections.abc import Iterable

import torch

from models.training.recipes.recipe import ChannelGateRecipe, SpatialGateRecipe

EPSILON = 1e-8
"""Added to variances, so that a flat gate has a gradient that is a number."""


def measure_gate_loss(gates: Iterable[torch.Tensor], recipe: SpatialGateRecipe) -> torch.Tensor:
    """The mean over blocks of max(0, 1 - deviation / least) + max(0, explained - most), a scalar; without its weight.

    `deviation` is over a map's positions, its root mean square over the batch; `explained` is the share of the variance
    over pictures and positions that the batch's mean map has, as `cbam-lens evaluate` reports it of many pictures.

    Args:
        gates: each block's spatial gate, (N, H, W), with gradients; at least one.
        recipe: what is enough, and what is too much.
    """
    losses = []
    for gate in gates:
        values = gate.float()
        mean_map = values.mean(dim=0)  # (H, W)
        deviation = (values.var(dim=(1, 2), unbiased=False).mean() + EPSILON).sqrt()
        explained = mean_map.var(unbiased=False) / (values.var(unbiased=False) + EPSILON)
        flatness = torch.relu(1 - deviation / recipe.least_deviation)
        losses.append(flatness + torch.relu(explained - recipe.most_explained))
    return torch.stack(losses).mean()


def measure_channel_loss(gates: Iterable[torch.Tensor], recipe: ChannelGateRecipe) -> torch.Tensor:
    """The mean over blocks of max(0, 1 - deviation / least), a scalar; without its weight.

    `deviation` is each channel's over the batch's pictures, its root mean square over channels: 0 for a gate that
    weighs the channels alike whatever it sees.

    Args:
        gates: each block's channel gate, (N, C), with gradients; at least one.
        recipe: what is enough.
    """
    losses = []
    for gate in gates:
        deviation = (gate.float().var(dim=0, unbiased=False).mean() + EPSILON).sqrt()
        losses.append(torch.relu(1 - deviation / recipe.least_deviation))
    return torch.stack(losses).mean()
