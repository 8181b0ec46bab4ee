"""ResNet-18, -34, -50 and -101; attention is a constructor argument.

Sources: He, Zhang, Ren and Sun, *Deep Residual Learning for Image Recognition*, CVPR 2016, table 1; for the place of
CBAM in a block Woo et al., ECCV 2018, figure 3: on the branch's output, after its last BatchNorm, before the addition.

Parameter names are torchvision's, with `cbam` inside each block of a network that has it.
"""

from collections.abc import Callable, Collection
from typing import TypeAlias, cast

import torch
from torch import nn
from torch.nn import functional

from models.names import Stage, StridePlacement
from models.trace import BlockAttention, Trace

AttentionFactory: TypeAlias = Callable[[int], nn.Module]
"""Makes one block's attention from its number of channels.

The module answers `(refined features, BlockAttention)`; `models.cbam.Cbam` is one.
"""

ALL_STAGES = frozenset(Stage)
STAGE_WIDTHS = {Stage.ONE: 64, Stage.TWO: 128, Stage.THREE: 256, Stage.FOUR: 512}


class ResidualBlock(nn.Module):
    """What both kinds of block share: relu(attention(branch(x)) + shortcut(x)).

    Args:
        in_channels: channels of the block's input.
        out_channels: channels of its output.
        stride: 2 where the block halves the map, else 1.
        attention: makes the block's attention, or None.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int, attention: AttentionFactory | None) -> None:
        super().__init__()
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )
        self.cbam: nn.Module | None = None if attention is None else attention(out_channels)

    def branch(self, features: torch.Tensor) -> torch.Tensor:
        """The residual branch up to and including its last BatchNorm."""
        raise NotImplementedError

    def trace(self, features: torch.Tensor) -> tuple[torch.Tensor, BlockAttention | None]:
        """The block's output, (N, C, H, W), and its gates where it has attention."""
        shortcut = features if self.downsample is None else self.downsample(features)
        residual = self.branch(features)
        gates: BlockAttention | None = None
        if self.cbam is not None:
            residual, gates = self.cbam(residual)
        return functional.relu(residual + shortcut), gates

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The block's output alone."""
        return self.trace(features)[0]


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions: ResNet-18 and -34."""

    expansion = 1

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        stride: int,
        stride_placement: StridePlacement,
        attention: AttentionFactory | None,
    ) -> None:
        super().__init__(in_channels, width, stride=stride, attention=attention)
        # A basic block has one place for its stride; `stride_placement` tells bottlenecks apart only.
        del stride_placement
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def branch(self, features: torch.Tensor) -> torch.Tensor:
        """See `ResidualBlock.branch`."""
        hidden = functional.relu(self.bn1(self.conv1(features)))
        return cast("torch.Tensor", self.bn2(self.conv2(hidden)))


class Bottleneck(ResidualBlock):
    """1x1, 3x3, 1x1: ResNet-50 and -101."""

    expansion = 4

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        stride: int,
        stride_placement: StridePlacement,
        attention: AttentionFactory | None,
    ) -> None:
        super().__init__(in_channels, width * self.expansion, stride=stride, attention=attention)
        first_stride, middle_stride = (stride, 1) if stride_placement is StridePlacement.V1 else (1, stride)
        self.conv1 = nn.Conv2d(in_channels, width, 1, stride=first_stride, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=middle_stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * self.expansion)

    def branch(self, features: torch.Tensor) -> torch.Tensor:
        """See `ResidualBlock.branch`."""
        hidden = functional.relu(self.bn1(self.conv1(features)))
        hidden = functional.relu(self.bn2(self.conv2(hidden)))
        return cast("torch.Tensor", self.bn3(self.conv3(hidden)))


BLOCKS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}
"""Kind of block and blocks per stage, by depth (He et al., table 1)."""


class ResNet(nn.Module):
    """A residual network that can be traced without hooks.

    Args:
        depth: 18, 34, 50 or 101.
        attention: makes each block's attention from its number of channels, `Cbam` for the paper's; None for the
            baseline. The two networks of a pair differ by this argument alone.
        class_count: K, the number of classes.
        stride_placement: which convolution of a bottleneck carries the stride.

    Raises:
        ValueError: for another depth.
    """

    def __init__(
        self,
        *,
        depth: int,
        attention: AttentionFactory | None = None,
        class_count: int = 1000,
        stride_placement: StridePlacement = StridePlacement.V1_5,
    ) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ValueError(f"ResNet depth {depth} is not known; choose one of {', '.join(map(str, BLOCKS))}")
        block, counts = BLOCKS[depth]
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        in_channels = 64
        for stage, block_count in zip(Stage, counts, strict=True):
            blocks: list[nn.Module] = []
            for position in range(block_count):
                stride = 2 if position == 0 and stage is not Stage.ONE else 1
                width = STAGE_WIDTHS[stage]
                blocks.append(
                    block(
                        in_channels,
                        width,
                        stride=stride,
                        stride_placement=stride_placement,
                        attention=attention,
                    )
                )
                in_channels = width * block.expansion
            self.add_module(f"layer{stage.value}", nn.Sequential(*blocks))
        self.fc = nn.Linear(in_channels, class_count)
        self._initialise()

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Logits, (N, K), of a normalised batch, (N, 3, H, W)."""
        features = self._stem(batch)
        for stage in Stage:
            features = self.stage(stage)(features)
        return self.classify(features)

    def trace(self, batch: torch.Tensor, *, stages: Collection[Stage] = ALL_STAGES) -> Trace:
        """One forward pass that keeps what the program shows; nothing is stored on the network.

        Args:
            batch: normalised pictures, (N, 3, H, W).
            stages: whose outputs to keep.

        Returns:
            The logits, the kept features and every block's gates.
        """
        features = self._stem(batch)
        kept: dict[Stage, torch.Tensor] = {}
        attentions: dict[str, BlockAttention] = {}
        for stage in Stage:
            for position, block in enumerate(self.stage(stage)):
                features, gates = cast("ResidualBlock", block).trace(features)
                if gates is not None:
                    attentions[f"layer{stage.value}.{position}"] = gates
            if stage in stages:
                kept[stage] = features
        return Trace(logits=self.classify(features), features=kept, attentions=attentions)

    def resume(self, features: torch.Tensor, *, after: Stage) -> torch.Tensor:
        """Logits, (N, K), from the output of stage `after`, (N, C, H, W): the rest of the forward pass."""
        for stage in Stage:
            if stage > after:
                features = self.stage(stage)(features)
        return self.classify(features)

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        """Logits, (N, K), of the last stage's output: the mean over positions, then one linear layer."""
        return cast("torch.Tensor", self.fc(features.mean(dim=(2, 3))))  # (N, C) -> (N, K)

    def stage(self, stage: Stage) -> nn.Sequential:
        """The blocks of one stage."""
        return cast("nn.Sequential", self.get_submodule(f"layer{stage.value}"))

    def _stem(self, batch: torch.Tensor) -> torch.Tensor:
        hidden = functional.relu(self.bn1(self.conv1(batch)))
        return functional.max_pool2d(hidden, kernel_size=3, stride=2, padding=1)

    def _initialise(self) -> None:
        # He et al., *Delving Deep into Rectifiers*, 2015: fan-out, for convolutions that a ReLU follows.
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
