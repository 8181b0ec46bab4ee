"""Attention for a trained network of the zoo, put in so that the network computes what it computed before.

Every gate starts at 0.5 everywhere, sigmoid(0), and the weights beside it are multiplied by 2 for each gate. A power of
two changes no digit of a weight: the network's answers stay the same but for the rounding of sums.
"""

import torch
from torch import nn

from models.attention.cbam import Cbam
from models.networks.staged import StagedNetwork


def neutralise(module: Cbam) -> int:
    """Make each gate 0.5 everywhere, whatever the features; returns by how much these must be larger for that."""
    last = [] if module.ChannelGate is None else [module.ChannelGate.mlp[-1]]
    last += [] if module.SpatialGate is None else [module.SpatialGate.spatial[-1]]
    for layer in last:
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)
    return 1 << len(last)


@torch.no_grad()
def load_with_fresh_gates(network: StagedNetwork, baseline: StagedNetwork) -> None:
    """Give a network with attention the weights of the same one without, and gates that leave its function as it is.

    Args:
        network: with attention; its own weights are overwritten, but for what its gates begin to learn from.
        baseline: the same architecture without attention.
    """
    network.load_state_dict(network.state_dict() | baseline.state_dict())
    scales = network.list_gate_scales()
    for name, module in network.named_modules():
        if isinstance(module, Cbam):
            factor = neutralise(module)
            for parameter in network.get_submodule(scales[name]).parameters():
                parameter.mul_(factor)
