"""Adding attention to a trained network of the zoo without changing the network's output.

Every gate starts at 0.5 everywhere, sigmoid(0), and the weights beside it are multiplied by 2 for each gate. A power of
two changes only a weight's exponent, so the output stays the same except for the rounding of sums. SimAM has no weights
that could make its gate neutral: it changes what a network computes.
"""

import torch

from models.attention.module import AttentionModule
from models.networks.staged import StagedNetwork


@torch.no_grad()
def load_with_fresh_gates(network: StagedNetwork, baseline: StagedNetwork) -> None:
    """Load the weights of a network without attention into the same one with attention.

    Its output stays as it is if its attention can be neutral.

    Args:
        network: the network with attention; its weights are overwritten, except those that its gates learn from.
        baseline: the same architecture without attention.
    """
    network.load_state_dict(network.state_dict() | baseline.state_dict())
    scales = network.list_gate_scales()
    for name, module in network.named_modules():
        if isinstance(module, AttentionModule):
            factor = module.neutralise()
            for parameter in network.get_submodule(scales[name]).parameters():
                parameter.mul_(factor)
