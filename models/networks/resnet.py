"""ResNet, WideResNet and ResNeXt; attention is a constructor argument.

Sources: He, Zhang, Ren and Sun, *Deep Residual Learning for Image Recognition*, CVPR 2016, table 1; Zagoruyko and
Komodakis, *Wide Residual Networks*, BMVC 2016; Xie et al., *Aggregated Residual Transformations*, CVPR 2017, table 1.
For the place of CBAM in a block Woo et al., ECCV 2018, figure 3: on the branch's output, after its last BatchNorm,
before the addition.

Parameter names are torchvision's, with `cbam` inside each block of a network that has it.
"""

from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import nn
from torch.nn import functional

from models.attention.gates import BlockAttention
from models.attention.interventions import BlockChange
from models.attention.module import AttentionFactory, choose_at
from models.names import Stage, Stem, StridePlacement
from models.networks.staged import Gates, StagedNetwork, initialise, list_beside

STEM_CHANNELS = 64
STAGE_WIDTHS = {Stage.ONE: 64, Stage.TWO: 128, Stage.THREE: 256, Stage.FOUR: 512}


@dataclass(frozen=True, slots=True)
class BlockShape:
    """One block's size.

    Attributes:
        in_channels: channels of its input.
        width: the stage's width; a bottleneck's output has four times as many channels.
        inner_width: channels between a bottleneck's convolutions.
        stride: 2 where the block halves the map, else 1.
        groups: of a bottleneck's 3x3 convolution.
        stride_placement: which convolution of a bottleneck carries the stride.
    """

    in_channels: int
    width: int
    inner_width: int
    stride: int
    groups: int
    stride_placement: StridePlacement


class ResidualBlock(nn.Module):
    """Shared by both kinds of block: relu(attention(branch(x)) + shortcut(x)).

    Args:
        shape: the block's size.
        attention: makes the block's attention, or None.
    """

    expansion: ClassVar[int]
    """How many times the stage's width the block's output has."""

    def __init__(self, shape: BlockShape, *, attention: AttentionFactory | None) -> None:
        super().__init__()
        out_channels = shape.width * self.expansion
        self.downsample: nn.Module | None = None
        if shape.stride != 1 or shape.in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(shape.in_channels, out_channels, 1, stride=shape.stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )
        self.cbam: nn.Module | None = None if attention is None else attention(out_channels)

    def branch(self, features: torch.Tensor) -> torch.Tensor:
        """The residual branch up to and including its last BatchNorm."""
        raise NotImplementedError

    def trace(
        self, features: torch.Tensor, change: BlockChange | None = None
    ) -> tuple[torch.Tensor, BlockAttention | None]:
        """The block's output, (N, C, H, W), and its gates, changed as asked, where it has attention."""
        shortcut = features if self.downsample is None else self.downsample(features)
        residual = self.branch(features)
        gates: BlockAttention | None = None
        if self.cbam is not None:
            residual, gates = self.cbam(residual, change)
        return functional.relu(residual + shortcut), gates

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The block's output alone."""
        return self.trace(features)[0]


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions: ResNet-18 and -34."""

    expansion = 1

    def __init__(self, shape: BlockShape, *, attention: AttentionFactory | None) -> None:
        super().__init__(shape, attention=attention)
        self.conv1 = nn.Conv2d(shape.in_channels, shape.width, 3, stride=shape.stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(shape.width)
        self.conv2 = nn.Conv2d(shape.width, shape.width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(shape.width)

    def branch(self, features: torch.Tensor) -> torch.Tensor:
        """See `ResidualBlock.branch`."""
        hidden = functional.relu(self.bn1(self.conv1(features)))
        return cast("torch.Tensor", self.bn2(self.conv2(hidden)))


class Bottleneck(ResidualBlock):
    """1x1, 3x3, 1x1: ResNet-50 and -101; with groups in the 3x3, ResNeXt."""

    expansion = 4

    def __init__(self, shape: BlockShape, *, attention: AttentionFactory | None) -> None:
        super().__init__(shape, attention=attention)
        is_v1 = shape.stride_placement is StridePlacement.V1
        first_stride, middle_stride = (shape.stride, 1) if is_v1 else (1, shape.stride)
        inner, out_channels = shape.inner_width, shape.width * self.expansion
        self.conv1 = nn.Conv2d(shape.in_channels, inner, 1, stride=first_stride, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=middle_stride, padding=1, groups=shape.groups, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)

    def branch(self, features: torch.Tensor) -> torch.Tensor:
        """See `ResidualBlock.branch`."""
        hidden = functional.relu(self.bn1(self.conv1(features)))
        hidden = functional.relu(self.bn2(self.conv2(hidden)))
        return cast("torch.Tensor", self.bn3(self.conv3(hidden)))


BLOCKS: dict[int, tuple[type[ResidualBlock], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}
"""Kind of block and blocks per stage, by depth (He et al., table 1)."""


@dataclass(frozen=True, slots=True)
class ResNetShape:
    """Which residual network: the sizes that are its architecture.

    Attributes:
        depth: 18, 34, 50 or 101.
        width_factor: by how much the stages are wider than in the paper of 2016; 1.5 and 2.0 are WideResNet-18.
        groups: of each bottleneck's 3x3 convolution; 32 in ResNeXt 32x4d.
        group_width: a bottleneck's inner channels per group, in a stage of width 64; 4 in ResNeXt 32x4d.
        stride_placement: which convolution of a bottleneck carries the stride.
        stem: the layers before the first stage.

    Raises:
        ValueError: for another depth.
    """

    depth: int
    width_factor: float = 1.0
    groups: int = 1
    group_width: int = 64
    stride_placement: StridePlacement = StridePlacement.V1_5
    stem: Stem = Stem.IMAGENET

    def __post_init__(self) -> None:
        if self.depth not in BLOCKS:
            raise ValueError(f"ResNet depth {self.depth} is not known; choose one of {', '.join(map(str, BLOCKS))}")

    def shape_block(self, stage: Stage, *, position: int, in_channels: int) -> BlockShape:
        """The size of a stage's block at a position, counted from 0."""
        width = int(STAGE_WIDTHS[stage] * self.width_factor)
        return BlockShape(
            in_channels=in_channels,
            width=width,
            inner_width=width * self.group_width // 64 * self.groups,
            stride=2 if position == 0 and stage is not Stage.ONE else 1,
            groups=self.groups,
            stride_placement=self.stride_placement,
        )


class ResNet(StagedNetwork):
    """A residual network that can be traced without hooks.

    Args:
        shape: which one.
        attention: makes each block's attention from its number of channels, `Cbam` for the paper's; None for a network
            without. The networks of a lineup differ by their attention alone.
        between: makes the attention behind each of stages 1 to 3 in the same way, `Bam`; None for none there.
        class_count: K, the number of classes.
    """

    def __init__(
        self,
        shape: ResNetShape,
        *,
        attention: AttentionFactory | None = None,
        between: AttentionFactory | None = None,
        class_count: int = 1000,
    ) -> None:
        super().__init__()
        block, counts = BLOCKS[shape.depth]
        # The stem is as wide in a WideResNet: only so its parameters and multiply-adds are those of the paper's table.
        channels = STEM_CHANNELS
        self.stem = shape.stem
        side, stride = (3, 1) if shape.stem is Stem.CIFAR else (7, 2)
        self.conv1 = nn.Conv2d(3, channels, side, stride=stride, padding=side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        for stage, block_count in zip(Stage, counts, strict=True):
            blocks: list[nn.Module] = []
            for position in range(block_count):
                block_shape = shape.shape_block(stage, position=position, in_channels=channels)
                blocks.append(block(block_shape, attention=choose_at(attention, stage)))
                channels = block_shape.width * block.expansion
            self.add_module(f"layer{stage.value}", nn.Sequential(*blocks))
            if between is not None and stage is not Stage.FOUR:
                # `bam1` to `bam3`, as in the authors' release.
                self.add_module(f"bam{stage.value}", between(channels))
        self.fc = nn.Linear(channels, class_count)
        initialise(self)

    @property
    def linear_head(self) -> nn.Linear:
        """The last layer."""
        return self.fc

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Logits, (N, K), of a normalised batch, (N, 3, H, W).

        Each block is called as a module, unlike in `trace`, so that other packages' hooks find their blocks' outputs.
        """
        features = self.run_stem(batch)
        for stage in Stage:
            features = self.stage(stage)(features)
            if (between := self._between(stage)) is not None:
                features, _ = between(features)
        return self.classify(features)

    def list_gate_scales(self) -> dict[str, str]:
        """See `StagedNetwork.list_gate_scales`."""
        has_bottlenecks = any(isinstance(module, Bottleneck) for module in self.modules())
        return list_beside(self, "cbam", "bn3" if has_bottlenecks else "bn2")

    def run_stem(self, batch: torch.Tensor) -> torch.Tensor:
        """See `Stem`: the map is a quarter of the input's size, or the same with CIFAR's."""
        hidden = functional.relu(self.bn1(self.conv1(batch)))
        if self.stem is Stem.CIFAR:
            return hidden
        return functional.max_pool2d(hidden, kernel_size=3, stride=2, padding=1)

    def run_stage(self, stage: Stage, features: torch.Tensor, gates: Gates) -> torch.Tensor:
        """The stage's blocks, named `layer1.0` and so on, and the attention behind them, `layer1.bam`."""
        for position, block in enumerate(self.stage(stage)):
            name = f"layer{stage.value}.{position}"
            features, computed = cast("ResidualBlock", block).trace(features, gates.find_change(name))
            if computed is not None:
                gates[name] = computed
        if (between := self._between(stage)) is not None:
            name = f"layer{stage.value}.bam"
            features, gates[name] = between(features, gates.find_change(name))
        return features

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        """Logits, (N, K), of the last stage's output: the mean over positions, then one linear layer."""
        return cast("torch.Tensor", self.fc(features.mean(dim=(2, 3))))  # (N, C) -> (N, K)

    def stage(self, stage: Stage) -> nn.Sequential:
        """The blocks of one stage."""
        return cast("nn.Sequential", self.get_submodule(f"layer{stage.value}"))

    def _between(self, stage: Stage) -> nn.Module | None:
        """The attention behind a stage."""
        return self._modules.get(f"bam{stage.value}")
