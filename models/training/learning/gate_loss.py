"""The loss on uninformative gates: flat ones, and those that ignore the picture.

The paper has no such loss. Without it, some gates of a network that starts from weights do not change: they stay flat,
because the blocks do not need them, or they show the border, which zero padding reveals to a 7x7 kernel.
"""

from collections.abc import Iterable

import torch

from models.training.recipes.recipe import ChannelGateRecipe, SpatialGateRecipe

EPSILON = 1e-8
"""Added to variances, so that the gradient of a flat gate is finite."""


def measure_gate_loss(gates: Iterable[torch.Tensor], recipe: SpatialGateRecipe) -> torch.Tensor:
    """The mean over blocks of max(0, 1 - deviation / least) + max(0, explained - most), an unweighted scalar.

    `deviation` is the standard deviation over a map's positions, as root mean square over the batch. `explained` is the
    share of the variance over pictures and positions that the batch's mean map has; `cbam-lens evaluate` reports it for
    many pictures.

    Args:
        gates: each block's spatial gate, (N, H, W), with gradients; at least one.
        recipe: the recipe of the spatial gates, which has `least_deviation` and `most_explained`.
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
    """The mean over blocks of max(0, 1 - deviation / least), an unweighted scalar.

    `deviation` is each channel's standard deviation over the batch's pictures, as root mean square over channels: 0 for
    a gate that is the same for every picture.

    Args:
        gates: each block's channel gate, (N, C), with gradients; at least one.
        recipe: the recipe of the channel gates, which has `least_deviation`.
    """
    losses = []
    for gate in gates:
        deviation = (gate.float().var(dim=0, unbiased=False).mean() + EPSILON).sqrt()
        losses.append(torch.relu(1 - deviation / recipe.least_deviation))
    return torch.stack(losses).mean()
