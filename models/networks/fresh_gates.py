"""Adding attention to a trained network of the zoo without changing the network's output.

Every gate starts at 0.5 everywhere, sigmoid(0), and the weights beside it are multiplied by 2 for each gate. A power of
two changes only a weight's exponent, so the output stays the same except for the rounding of sums.
"""

import torch
from torch import nn

from models.attention.cbam import Cbam
from models.networks.staged import StagedNetwork


def neutralise(module: Cbam) -> int:
    """Set each gate to 0.5 for all features; returns the factor by which these must grow to make up for it."""
    last = [] if module.ChannelGate is None else [module.ChannelGate.mlp[-1]]
    last += [] if module.SpatialGate is None else [module.SpatialGate.spatial[-1]]
    for layer in last:
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)
    return 1 << len(last)


@torch.no_grad()
def load_with_fresh_gates(network: StagedNetwork, baseline: StagedNetwork) -> None:
    """Load the weights of a network without attention into the same one with attention, keeping its output.

    Args:
        network: the network with attention; its weights are overwritten, except those that its gates learn from.
        baseline: the same architecture without attention.
    """
    network.load_state_dict(network.state_dict() | baseline.state_dict())
    scales = network.list_gate_scales()
    for name, module in network.named_modules():
        if isinstance(module, Cbam):
            factor = neutralise(module)
            for parameter in network.get_submodule(scales[name]).parameters():
                parameter.mul_(factor)
