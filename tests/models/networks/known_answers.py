"""Weights and pictures from a rule without random numbers, so that another program can make the same ones."""

import math

import torch
from torch import nn

SIZES = ((64, 64), (47, 65), (98, 131))
"""Heights and widths: even, odd, and odd further down; SAME padding differs between them."""


def make_wave(shape: torch.Size | tuple[int, ...], *, frequency: float) -> torch.Tensor:
    """Values between -1 and 1 in row-major order."""
    count = math.prod(shape)
    return torch.sin(torch.arange(count, dtype=torch.float64) * frequency + 1).reshape(shape).float()


@torch.no_grad()
def fill_by_rule(network: nn.Module) -> None:
    """Set weights that keep activations around 1; those of a module depend only on the module's number."""
    modules = [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.BatchNorm2d | nn.Linear)]
    for number, module in enumerate(modules):
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            shape, frequency = module.running_mean.shape, 0.7 + 0.01 * number
            module.running_mean.copy_(0.1 * make_wave(shape, frequency=frequency))
            module.running_var.copy_(1 + 0.5 * make_wave(shape, frequency=2 * frequency))
            module.weight.copy_(1 + 0.3 * make_wave(shape, frequency=3 * frequency))
            module.bias.copy_(0.5 + 0.2 * make_wave(shape, frequency=5 * frequency))
        else:
            fan_in = module.weight[0].numel()
            wave = make_wave(module.weight.shape, frequency=1.3 + 0.017 * number)
            module.weight.copy_(wave * math.sqrt(4 / fan_in))
            if module.bias is not None:
                module.bias.copy_(0.1 * make_wave(module.bias.shape, frequency=1.1))


def make_picture(height: int, width: int) -> torch.Tensor:
    """A normalised picture, (1, 3, H, W), that differs at every position."""
    return 1.5 * make_wave((1, 3, height, width), frequency=0.37)
