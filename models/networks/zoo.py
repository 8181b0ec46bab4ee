"""Every architecture by name, with its number of parameters and of multiply-adds."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from models.attention.bam import Bam
from models.attention.design import AttentionDesign
from models.attention.factory import find_factory
from models.attention.module import AttentionFactory
from models.names import Attention, Stem, StridePlacement
from models.networks.efficientnet_lite import LITE_SHAPES, REDUCTION, EfficientNetLite, LiteShape
from models.networks.mobilenet import MobileNet
from models.networks.resnet import ResNet, ResNetShape
from models.networks.staged import StagedNetwork
from models.networks.vgg import Vgg

Architecture = Callable[[AttentionFactory | None, int, StridePlacement], StagedNetwork]
"""Makes a network, given its attention, its number of classes and the stride's place in a bottleneck."""


RESIDUAL_NETWORKS = {
    "resnet18": ResNetShape(18),
    "resnet34": ResNetShape(34),
    "resnet50": ResNetShape(50),
    "resnet101": ResNetShape(101),
    "wide_resnet18_1.5": ResNetShape(18, width_factor=1.5),
    "wide_resnet18_2.0": ResNetShape(18, width_factor=2.0),
    "resnext50_32x4d": ResNetShape(50, groups=32, group_width=4),
    "resnext101_32x4d": ResNetShape(101, groups=32, group_width=4),
    **{f"cifar_resnet{depth}": ResNetShape(depth, stem=Stem.CIFAR) for depth in (18, 34, 50, 101)},
}
"""Those that begin with `cifar_` are for pictures of 32 pixels: the authors' `network_type` CIFAR10 and CIFAR100."""


def _residual(shape: ResNetShape) -> Architecture:
    return lambda attention, class_count, placement: ResNet(
        replace(shape, stride_placement=placement), attention=attention, class_count=class_count
    )


# The next three have no bottleneck, so the stride placement does not matter.
def _mobile(width_factor: float) -> Architecture:
    return lambda attention, class_count, _: MobileNet(
        width_factor=width_factor, attention=attention, class_count=class_count
    )


def _lite(shape: LiteShape) -> Architecture:
    return lambda attention, class_count, _: EfficientNetLite(shape, attention=attention, class_count=class_count)


def _vgg(attention: AttentionFactory | None, class_count: int, _: StridePlacement) -> StagedNetwork:
    return Vgg(attention=attention, class_count=class_count)


ARCHITECTURES: dict[str, Architecture] = {
    **{name: _residual(shape) for name, shape in RESIDUAL_NETWORKS.items()},
    "mobilenet_0.7": _mobile(0.7),
    "mobilenet_1.0": _mobile(1.0),
    "vgg16_bn": _vgg,
    **{name: _lite(shape) for name, shape in LITE_SHAPES.items()},
}


TORCHVISION = "torchvision:"
"""The prefix that marks a torchvision name among the zoo's own names."""

SHARED_WITH_TORCHVISION = frozenset({"resnet18", "resnet34", "resnet50", "resnet101", "resnext50_32x4d", "vgg16_bn"})
"""Networks that torchvision has too, with the same name and the same parameter names."""


def build_network(
    architecture: str,
    *,
    attention: Attention | AttentionDesign = Attention.NONE,
    class_count: int = 1000,
    stride_placement: StridePlacement = StridePlacement.V1_5,
) -> StagedNetwork:
    """Build a network by its name, with new random weights.

    Args:
        architecture: a key of `ARCHITECTURES`.
        attention: what each block ends with, by name or as a design of its own; `bam` stands between stages.
        class_count: K, the number of classes.
        stride_placement: see `StridePlacement`.

    Raises:
        KeyError: for an unknown name; the message lists the known ones.
        ValueError: for BAM in a network that is not a residual one.
    """
    if architecture not in ARCHITECTURES:
        raise KeyError(f"architecture {architecture!r} is not known; choose one of {', '.join(ARCHITECTURES)}")
    if attention is Attention.BAM and architecture in RESIDUAL_NETWORKS:
        shape = replace(RESIDUAL_NETWORKS[architecture], stride_placement=stride_placement)
        return ResNet(shape, between=Bam, class_count=class_count)
    factory = find_factory(attention, reduction=REDUCTION if architecture in LITE_SHAPES else None)
    return ARCHITECTURES[architecture](factory, class_count, stride_placement)


def find_stem(architecture: str) -> Stem:
    """The layers before an architecture's first stage: CIFAR's, or such as ImageNet's pictures need."""
    return RESIDUAL_NETWORKS[architecture].stem if architecture in RESIDUAL_NETWORKS else Stem.IMAGENET


def count_parameters(network: nn.Module) -> int:
    """Count the trainable values; BatchNorm's running statistics are not trainable."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_multiply_adds(network: StagedNetwork, *, height: int, width: int) -> int:
    """Count the multiply-adds of one forward pass on one picture, with torch's own counter.

    The counter counts convolutions and matrix products. Like the papers, it leaves out normalisation, pooling and the
    gates' products.

    Args:
        network: a network on any device; its weights are not used.
        height: the picture's height in pixels.
        width: its width in pixels.
    """
    parameter = next(network.parameters())
    batch = torch.zeros(1, 3, height, width, device=parameter.device, dtype=parameter.dtype)
    # Imports triton, 75 MB, which a server does not need.
    from torch.utils.flop_counter import FlopCounterMode  # noqa: PLC0415

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(batch)
    # One multiply-add is two floating-point operations.
    return int(counter.get_total_flops()) // 2
