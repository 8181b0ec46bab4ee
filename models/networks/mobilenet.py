"""MobileNet; attention is a constructor argument.

Source: Howard et al., *MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications*, 2017,
table 1. The CBAM paper does not say where its modules go. With one after each of a block's two convolutions, depthwise
and pointwise, 26 in all, the parameters equal those of its table (5.07 M and 2.71 M); with one per block they do not
(4.72 M and 2.54 M). Widths of 0.7 are rounded to the nearest integer, which gives all three rows the paper's
parameters; rounded down, the row with SE would have 2.70 M instead of 2.71 M.
"""

from collections import OrderedDict
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from models.attention.module import AttentionFactory, choose_at
from models.names import Stage
from models.networks.staged import Gates, StagedNetwork, initialise, list_beside

STEM_CHANNELS = 32

BLOCKS: dict[Stage, tuple[tuple[int, int], ...]] = {
    Stage.ONE: ((64, 1), (128, 2), (128, 1)),
    Stage.TWO: ((256, 2), (256, 1)),
    Stage.THREE: ((512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1)),
    Stage.FOUR: ((1024, 2), (1024, 1)),
}
"""Output channels and stride of each block (Howard et al., table 1)."""


class ConvolutionUnit(nn.Module):
    """A convolution, its BatchNorm, attention if any, and ReLU.

    Args:
        convolution: the convolution.
        attention: makes the unit's attention, or None.
    """

    def __init__(self, convolution: nn.Conv2d, *, attention: AttentionFactory | None) -> None:
        super().__init__()
        self.conv = convolution
        self.bn = nn.BatchNorm2d(convolution.out_channels)
        self.cbam: nn.Module | None = None if attention is None else attention(convolution.out_channels)

    def trace(self, features: torch.Tensor, gates: Gates, *, name: str) -> torch.Tensor:
        """The unit's output, (N, C, H, W); its gates are added to `gates` under `name`."""
        hidden = self.bn(self.conv(features))
        if self.cbam is not None:
            hidden, gates[name] = self.cbam(hidden, gates.find_change(name))
        return functional.relu(hidden)


class DepthwiseSeparableBlock(nn.Sequential):
    """A depthwise 3x3 convolution, then a 1x1 convolution.

    Args:
        in_channels: the channels of its input.
        out_channels: the channels of its output.
        stride: 2 if the block halves the map, else 1.
        attention: makes each unit's attention, or None.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int, attention: AttentionFactory | None) -> None:
        depthwise = nn.Conv2d(in_channels, in_channels, 3, stride=stride, padding=1, groups=in_channels, bias=False)
        pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        super().__init__(
            OrderedDict(
                depthwise=ConvolutionUnit(depthwise, attention=attention),
                pointwise=ConvolutionUnit(pointwise, attention=attention),
            )
        )


class MobileNet(StagedNetwork):
    """A MobileNet that can be traced without hooks.

    Args:
        width_factor: the width of every layer, as a multiple of the 2017 paper's; 0.7 in CBAM's table.
        attention: makes the attention after each convolution, or None for the baseline.
        class_count: K, the number of classes.
    """

    def __init__(
        self, *, width_factor: float = 1.0, attention: AttentionFactory | None = None, class_count: int = 1000
    ) -> None:
        super().__init__()
        channels = round(STEM_CHANNELS * width_factor)
        self.conv1 = nn.Conv2d(3, channels, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        for stage, sizes in BLOCKS.items():
            own = choose_at(attention, stage)
            blocks: list[nn.Module] = []
            for full_width, stride in sizes:
                width = round(full_width * width_factor)
                blocks.append(DepthwiseSeparableBlock(channels, width, stride=stride, attention=own))
                channels = width
            self.add_module(f"layer{stage.value}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, class_count)
        initialise(self)

    @property
    def linear_head(self) -> nn.Linear:
        """The last layer."""
        return self.fc

    def list_gate_scales(self) -> dict[str, str]:
        """See `StagedNetwork.list_gate_scales`."""
        return list_beside(self, "cbam", "bn")

    def run_stem(self, batch: torch.Tensor) -> torch.Tensor:
        """A 3x3 convolution with stride 2."""
        return functional.relu(self.bn1(self.conv1(batch)))

    def run_stage(self, stage: Stage, features: torch.Tensor, gates: Gates) -> torch.Tensor:
        """The stage's blocks, two units each: `layer1.0.depthwise`, `layer1.0.pointwise` and so on."""
        blocks = cast("nn.Sequential", self.get_submodule(f"layer{stage.value}"))
        for position, block in enumerate(blocks):
            for unit_name, unit in block.named_children():
                name = f"layer{stage.value}.{position}.{unit_name}"
                features = cast("ConvolutionUnit", unit).trace(features, gates, name=name)
        return features

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        """Logits, (N, K), from the last stage's output: the mean over positions, then one linear layer."""
        return cast("torch.Tensor", self.fc(features.mean(dim=(2, 3))))  # (N, C) -> (N, K)
