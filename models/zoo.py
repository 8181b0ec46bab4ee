"""Every architecture by name, with its number of parameters and of multiply-adds."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from models.cbam import Cbam
from models.names import Attention, StridePlacement
from models.resnet import AttentionFactory, ResNet

ATTENTION_FACTORIES: dict[Attention, AttentionFactory | None] = {Attention.NONE: None, Attention.CBAM: Cbam}

ARCHITECTURES: dict[str, Callable[..., ResNet]] = {
    f"resnet{depth}": partial(ResNet, depth=depth) for depth in (18, 34, 50, 101)
}


def build_network(
    architecture: str,
    *,
    attention: Attention = Attention.NONE,
    class_count: int = 1000,
    stride_placement: StridePlacement = StridePlacement.V1_5,
) -> ResNet:
    """A network by its name, with fresh random weights.

    Args:
        architecture: a key of `ARCHITECTURES`.
        attention: what each block ends with.
        class_count: K, the number of classes.
        stride_placement: see `StridePlacement`.

    Raises:
        KeyError: for an unknown name; the message lists the known ones.
    """
    if architecture not in ARCHITECTURES:
        raise KeyError(f"architecture {architecture!r} is not known; choose one of {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[architecture](
        attention=ATTENTION_FACTORIES[attention], class_count=class_count, stride_placement=stride_placement
    )


def count_parameters(network: nn.Module) -> int:
    """The number of trainable values; BatchNorm's running statistics are not among them."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_multiply_adds(network: nn.Module, *, height: int, width: int) -> int:
    """Multiply-adds of one forward pass on one picture, counted by torch's own counter.

    The counter knows convolutions and matrix products; normalisation, pooling and the gates' products are left out,
    as the papers leave them out.

    Args:
        network: the network, on any device; its own weights are not used.
        height: the picture's height in pixels.
        width: its width in pixels.
    """
    parameter = next(network.parameters())
    batch = torch.zeros(1, 3, height, width, device=parameter.device, dtype=parameter.dtype)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(batch)
    # One multiply-add is two floating-point operations.
    return int(counter.get_total_flops()) // 2
