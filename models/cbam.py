"""Channel and spatial attention of CBAM, each returning its map beside the gated tensor.

Source: Woo, Park, Lee and Kweon, *CBAM: Convolutional Block Attention Module*, ECCV 2018, equations 1 to 3, with what
the authors' release does beyond the paper's text: biases in the shared MLP, a BatchNorm behind the 7x7 convolution,
the maximum stacked before the mean. Squeeze-and-excitation (Hu et al., 2018) is the channel gate by the mean alone,
with the same biases: with them its parameters are those of the paper's tables.

The submodules carry the names of the authors' release (`ChannelGate.mlp.1`, `SpatialGate.spatial.conv`), so that
checkpoints in that layout load strictly and without renaming.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import nn

from models.attention_design import AttentionDesign
from models.names import ChannelPooling, GateOrder, SpatialPooling
from models.trace import BlockAttention

AttentionFactory: TypeAlias = Callable[[int], nn.Module]
"""Makes one block's attention from its number of channels.

The module answers `(refined features, BlockAttention)`; `Cbam` is one.
"""


class ChannelAttention(nn.Module):
    """The channel gate: which feature channels to keep.

    M_c(F) = sigmoid(MLP(AvgPool(F)) + MLP(MaxPool(F))), F' = M_c(F) * F (the paper's equations 1 and 2); with one
    pooling alone, sigmoid(MLP(pooled)).

    Args:
        channels: C, the number of channels of the features.
        reduction: r, by how much the MLP's hidden layer is narrower than C; 16 in the paper.
        pooling: what the gate knows of each channel.
    """

    def __init__(self, channels: int, *, reduction: int = 16, pooling: ChannelPooling = ChannelPooling.BOTH) -> None:
        super().__init__()
        self.pooling = pooling
        hidden = max(1, channels // reduction)
        # Flatten at index 0 keeps the Linear layers at 1 and 3, as in the authors' release.
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Gate the channels of `features`.

        Args:
            features: F, (N, C, H, W), any size.

        Returns:
            F', (N, C, H, W), and the gate M_c, (N, C), in 0..1.
        """
        gate = self.gate(features)  # (N, C)
        return features * gate[:, :, None, None], gate

    def gate(self, features: torch.Tensor) -> torch.Tensor:
        """The gate alone, (N, C), in 0..1."""
        evidence = []
        if self.pooling is not ChannelPooling.MAXIMUM:
            evidence.append(self.mlp(features.mean(dim=(2, 3))))  # (N, C)
        if self.pooling is not ChannelPooling.AVERAGE:
            evidence.append(self.mlp(features.amax(dim=(2, 3))))  # (N, C)
        return torch.sigmoid(evidence[0] + evidence[1] if len(evidence) > 1 else evidence[0])


class SpatialAttention(nn.Module):
    """The spatial gate: which positions to keep.

    M_s(F') = sigmoid(BN(conv7x7([MaxPool_c(F'); AvgPool_c(F')]))), F'' = M_s(F') * F' (the paper's equation 3). The
    paper's other way to pool is a 1x1 convolution from all channels to one plane.

    The BatchNorm's scale starts at 0, so that an untrained gate is a flat 0.5.

    Args:
        channels: C, the number of channels of the features; only the 1x1 convolution asks for it.
        kernel_size: the convolution's side in positions; odd; 7 in the paper.
        pooling: what the gate knows of each position.

    Raises:
        ValueError: for a 1x1 convolution without `channels`.
    """

    def __init__(
        self,
        channels: int | None = None,
        *,
        kernel_size: int = 7,
        pooling: SpatialPooling = SpatialPooling.MAX_MEAN,
    ) -> None:
        super().__init__()
        self.reduce: nn.Module | None = None
        if pooling is SpatialPooling.CONVOLUTION:
            if channels is None:
                raise ValueError("a spatial gate that pools by a 1x1 convolution wants the number of channels")
            self.reduce = nn.Conv2d(channels, 1, 1, bias=False)
        planes = 1 if self.reduce is not None else 2
        convolution = nn.Conv2d(planes, 1, kernel_size, padding=kernel_size // 2, bias=False)
        norm = nn.BatchNorm2d(1, momentum=0.01)
        nn.init.zeros_(norm.weight)
        self.spatial = nn.Sequential(OrderedDict(conv=convolution, bn=norm))

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Gate the positions of `features`.

        Args:
            features: F', (N, C, H, W), any size.

        Returns:
            F'', (N, C, H, W), and the gate M_s, (N, H, W), in 0..1.
        """
        gate = self.gate(features)  # (N, H, W)
        return features * gate[:, None], gate

    def gate(self, features: torch.Tensor) -> torch.Tensor:
        """The gate alone, (N, H, W), in 0..1."""
        if self.reduce is not None:
            pooled = self.reduce(features)  # (N, 1, H, W)
        else:
            # Maximum before mean: the authors' release; the paper's equation 3 lists the mean first.
            pooled = torch.stack((features.amax(dim=1), features.mean(dim=1)), dim=1)  # (N, 2, H, W)
        return torch.sigmoid(self.spatial(pooled))[:, 0]  # (N, 1, H, W) -> (N, H, W)


class Cbam(nn.Module):
    """A channel gate, a spatial gate or both, in the order of a design; by default CBAM.

    Args:
        channels: C, the number of channels of the features.
        design: what the module is made of.
    """

    def __init__(self, channels: int, design: AttentionDesign | None = None) -> None:
        super().__init__()
        design = design or AttentionDesign()
        self.order = design.order
        self.ChannelGate: ChannelAttention | None = None
        self.SpatialGate: SpatialAttention | None = None
        if design.channel is not None:
            self.ChannelGate = ChannelAttention(channels, reduction=design.reduction, pooling=design.channel)
        if design.spatial is not None:
            self.SpatialGate = SpatialAttention(channels, kernel_size=design.kernel_size, pooling=design.spatial)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, BlockAttention]:
        """Refine `features` and tell how.

        Args:
            features: F, (N, C, H, W).

        Returns:
            The refined features, (N, C, H, W), and the gates. Channel first: F'' = M_s(F') * F' with
            F' = M_c(F) * F. Spatial first: the same with the gates exchanged. Parallel: M_c(F) * M_s(F) * F; the
            paper names this arrangement and gives no equation for it.
        """
        channel_gate: torch.Tensor | None = None
        spatial_gate: torch.Tensor | None = None
        refined = features
        if self.order is GateOrder.SPATIAL_FIRST and self.SpatialGate is not None:
            refined, spatial_gate = self.SpatialGate(refined)
        if self.ChannelGate is not None:
            refined, channel_gate = self.ChannelGate(refined)
        if self.order is not GateOrder.SPATIAL_FIRST and self.SpatialGate is not None:
            seen = features if self.order is GateOrder.PARALLEL else refined
            spatial_gate = self.SpatialGate.gate(seen)
            refined = refined * spatial_gate[:, None]
        return refined, BlockAttention(channel=channel_gate, spatial=spatial_gate)
