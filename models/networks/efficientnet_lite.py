"""EfficientNet-Lite; attention is a constructor argument.

Sources: Tan and Le, *EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks*, ICML 2019, table 1 and
section 3.3. The Lite variant follows the reference code in TensorFlow: no squeeze-and-excitation, ReLU6 in place of
swish, and no scaling of the stem, the head, and the repeats of the first and last row. TensorFlow's SAME padding and
its BatchNorm's epsilon are kept, so that its weights give the same results at every size.

Attention comes at the end of a block's branch, before the addition, as in the paper's ResNets; the paper has no network
of this kind. Behind the depthwise convolution, where EfficientNet has squeeze-and-excitation, no value is negative, and
a gate moves their mean: in the trained Lite0 random spatial gates cost twice as many right answers there.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from models.attention.gates import BlockAttention
from models.attention.interventions import BlockChange
from models.attention.module import AttentionFactory, choose_at
from models.names import Stage
from models.networks.staged import Gates, StagedNetwork, initialise, list_beside

STEM_CHANNELS = 32
HEAD_CHANNELS = 1280
CHANNEL_GRID = 8
"""Scaled widths are rounded to multiples of this."""

REDUCTION = 4
"""By how much a channel gate's hidden layer is narrower than its input: the ratio of EfficientNet's own
squeeze-and-excitation. With the CBAM paper's 16, the narrowest blocks would have one hidden unit."""

NORM_EPSILON = 1e-3
NORM_MOMENTUM = 0.01
"""The epsilon and momentum of every BatchNorm of the trunk, as in the reference code."""


@dataclass(frozen=True, slots=True)
class BlockShape:
    """One block's size.

    Attributes:
        in_channels: the channels of its input.
        out_channels: the channels of its output.
        kernel_size: the kernel size of its depthwise convolution.
        stride: 2 if the block halves the map, else 1.
        expansion: the depthwise convolution's channels, as a multiple of the input's.
    """

    in_channels: int
    out_channels: int
    kernel_size: int
    stride: int
    expansion: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the paper's table 1: equal blocks, except for the first one's stride.

    Attributes:
        stage: the stage of its blocks.
        repeats: the number of blocks before scaling.
        kernel_size: the kernel size of the depthwise convolutions.
        stride: the stride of the first block.
        expansion: see `BlockShape`.
        width: the output channels before scaling.
    """

    stage: Stage
    repeats: int
    kernel_size: int
    stride: int
    expansion: int
    width: int


ROWS = (
    Row(Stage.ONE, repeats=1, kernel_size=3, stride=1, expansion=1, width=16),
    Row(Stage.ONE, repeats=2, kernel_size=3, stride=2, expansion=6, width=24),
    Row(Stage.TWO, repeats=2, kernel_size=5, stride=2, expansion=6, width=40),
    Row(Stage.THREE, repeats=3, kernel_size=3, stride=2, expansion=6, width=80),
    Row(Stage.THREE, repeats=3, kernel_size=5, stride=1, expansion=6, width=112),
    Row(Stage.FOUR, repeats=4, kernel_size=5, stride=2, expansion=6, width=192),
    Row(Stage.FOUR, repeats=1, kernel_size=3, stride=1, expansion=6, width=320),
)


@dataclass(frozen=True, slots=True)
class LiteShape:
    """The size of an EfficientNet-Lite.

    Attributes:
        width_factor: the width of the blocks, as a multiple of Lite0's.
        depth_factor: the number of blocks in each row but the first and the last, as a multiple of Lite0's.
    """

    width_factor: float = 1.0
    depth_factor: float = 1.0

    def list_blocks(self) -> dict[Stage, list[BlockShape]]:
        """The blocks of each stage, in the order in which they run."""
        blocks: dict[Stage, list[BlockShape]] = {stage: [] for stage in Stage}
        channels = STEM_CHANNELS
        for row in ROWS:
            width = round_width(row.width * self.width_factor)
            for position in range(self._count_repeats(row)):
                stride = row.stride if position == 0 else 1
                blocks[row.stage].append(BlockShape(channels, width, row.kernel_size, stride, row.expansion))
                channels = width
        return blocks

    def _count_repeats(self, row: Row) -> int:
        is_fixed = row in (ROWS[0], ROWS[-1])
        # Rounded up.
        return row.repeats if is_fixed else -int(-row.repeats * self.depth_factor // 1)


LITE_SHAPES = {
    "efficientnet_lite0": LiteShape(),
    "efficientnet_lite1": LiteShape(depth_factor=1.1),
    "efficientnet_lite2": LiteShape(width_factor=1.1, depth_factor=1.2),
}
"""The sizes, by the zoo's names."""


def round_width(width: float) -> int:
    """Round a width to the nearest multiple of 8, or to the next one if that is below nine tenths of the width."""
    rounded = max(CHANNEL_GRID, int(width + CHANNEL_GRID / 2) // CHANNEL_GRID * CHANNEL_GRID)
    return rounded + CHANNEL_GRID if rounded < 0.9 * width else rounded


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding: ceil(size / stride) output positions; an odd zero goes last.

    With a stride of 2 the padding depends on whether the map's size is odd, so it cannot be fixed.
    """

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C', ceil(H / stride), ceil(W / stride))."""
        top, bottom = self._pad(0, features.shape[2])
        left, right = self._pad(1, features.shape[3])
        if (top, left) == (bottom, right):
            return functional.conv2d(features, self.weight, self.bias, self.stride, (top, left), groups=self.groups)
        padded = functional.pad(features, (left, right, top, bottom))
        return functional.conv2d(padded, self.weight, self.bias, self.stride, groups=self.groups)

    def _pad(self, axis: int, size: int) -> tuple[int, int]:
        """The number of zeros before and after one axis."""
        kernel_size, stride = self.kernel_size[axis], self.stride[axis]
        total = max((-(-size // stride) - 1) * stride + kernel_size - size, 0)
        return total // 2, total - total // 2


class InvertedResidualBlock(nn.Module):
    """A widening 1x1 convolution, a depthwise convolution, a narrowing 1x1 convolution and attention; then + x.

    There is no addition if the block changes the map's size or its channels, and no widening if the expansion is 1. No
    activation follows the last BatchNorm: the bottleneck is linear (Sandler et al., *MobileNetV2*, CVPR 2018).

    Args:
        shape: the block's size.
        attention: makes the block's attention, or None.
    """

    def __init__(self, shape: BlockShape, *, attention: AttentionFactory | None) -> None:
        super().__init__()
        width = shape.in_channels * shape.expansion
        self.is_residual = shape.stride == 1 and shape.in_channels == shape.out_channels
        self.conv_expand: nn.Module | None = None
        if shape.expansion != 1:
            self.conv_expand = nn.Conv2d(shape.in_channels, width, 1, bias=False)
            self.bn_expand = _make_norm(width)
        self.conv_depthwise = SameConv2d(width, width, shape.kernel_size, shape.stride, groups=width, bias=False)
        self.bn_depthwise = _make_norm(width)
        self.conv_project = nn.Conv2d(width, shape.out_channels, 1, bias=False)
        self.bn_project = _make_norm(shape.out_channels)
        self.cbam: nn.Module | None = None if attention is None else attention(shape.out_channels)

    def trace(
        self, features: torch.Tensor, change: BlockChange | None = None
    ) -> tuple[torch.Tensor, BlockAttention | None]:
        """The block's output, (N, C, H, W), and its gates with the requested change, if it has attention."""
        hidden = features
        if self.conv_expand is not None:
            hidden = functional.relu6(self.bn_expand(self.conv_expand(hidden)), inplace=True)
        hidden = functional.relu6(self.bn_depthwise(self.conv_depthwise(hidden)), inplace=True)
        hidden = self.bn_project(self.conv_project(hidden))
        gates: BlockAttention | None = None
        if self.cbam is not None:
            hidden, gates = self.cbam(hidden, change)
        return hidden + features if self.is_residual else hidden, gates

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The block's output alone."""
        return self.trace(features)[0]


class EfficientNetLite(StagedNetwork):
    """An EfficientNet-Lite that can be traced without hooks.

    Args:
        shape: the size.
        attention: makes each block's attention from its number of channels, or None for the baseline.
        class_count: K, the number of classes.
    """

    def __init__(self, shape: LiteShape, *, attention: AttentionFactory | None = None, class_count: int = 1000) -> None:
        super().__init__()
        self.conv1 = SameConv2d(3, STEM_CHANNELS, 3, stride=2, bias=False)
        self.bn1 = _make_norm(STEM_CHANNELS)
        channels = STEM_CHANNELS
        for stage, shapes in shape.list_blocks().items():
            own = choose_at(attention, stage)
            blocks = [InvertedResidualBlock(block, attention=own) for block in shapes]
            self.add_module(f"layer{stage.value}", nn.Sequential(*blocks))
            channels = shapes[-1].out_channels
        self.conv_head = nn.Conv2d(channels, HEAD_CHANNELS, 1, bias=False)
        self.bn_head = _make_norm(HEAD_CHANNELS)
        self.fc = nn.Linear(HEAD_CHANNELS, class_count)
        initialise(self)

    @property
    def linear_head(self) -> nn.Linear:
        """The last layer."""
        return self.fc

    def list_gate_scales(self) -> dict[str, str]:
        """See `StagedNetwork.list_gate_scales`."""
        return list_beside(self, "cbam", "bn_project")

    def run_stem(self, batch: torch.Tensor) -> torch.Tensor:
        """A 3x3 convolution with stride 2."""
        return functional.relu6(self.bn1(self.conv1(batch)), inplace=True)

    def run_stage(self, stage: Stage, features: torch.Tensor, gates: Gates) -> torch.Tensor:
        """The stage's blocks, named `layer1.0` and so on; the last stage ends with the 1x1 convolution of the head."""
        blocks = cast("nn.Sequential", self.get_submodule(f"layer{stage.value}"))
        for position, block in enumerate(blocks):
            name = f"layer{stage.value}.{position}"
            features, computed = cast("InvertedResidualBlock", block).trace(features, gates.find_change(name))
            if computed is not None:
                gates[name] = computed
        if stage is Stage.FOUR:
            features = functional.relu6(self.bn_head(self.conv_head(features)), inplace=True)
        return features

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        """Logits, (N, K), from the last stage's output: the mean over positions, then one linear layer."""
        return cast("torch.Tensor", self.fc(features.mean(dim=(2, 3))))  # (N, C) -> (N, K)


def _make_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=NORM_EPSILON, momentum=NORM_MOMENTUM)
