"""Channel and spatial attention of CBAM, each returning its map beside the gated tensor.

Source: Woo, Park, Lee and Kweon, *CBAM: Convolutional Block Attention Module*, ECCV 2018, equations 1 to 3, with what
the authors' release does beyond the paper's text: biases in the shared MLP, a BatchNorm behind the 7x7 convolution,
the maximum stacked before the mean. Squeeze-and-excitation (Hu et al., 2018) is the channel gate by the mean alone,
with the same biases: with them its parameters are those of the paper's tables.

The submodules carry the names of the authors' release (`ChannelGate.mlp.1`, `SpatialGate.spatial.conv`), so that
checkpoints in that layout load strictly and without renaming.
"""

from dataclasses import replace
from typing import cast

import torch
from torch import nn

from models.attention.design import AttentionDesign
from models.attention.gates import AttentionInside, BlockAttention, change_gate
from models.attention.interventions import BlockChange
from models.attention.module import UNCHANGED, AttentionModule, make_zero
from models.attention.plane_gate import PlaneGate
from models.names import ChannelPooling, GateChange, GateOrder, SpatialPooling


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

    def gate(self, features: torch.Tensor, change: GateChange | None = None) -> torch.Tensor:
        """The gate alone, (N, C), in 0..1; changed where that is asked for.

        A gate that sees maxima alone stays as it is when they are to be dropped: nothing would be left.
        """
        average, maximum = self.weigh(features, change)
        if average is None or maximum is None:
            evidence = cast("torch.Tensor", maximum if average is None else average)
        else:
            evidence = average + maximum
        return change_gate(torch.sigmoid(evidence), change)

    def weigh(
        self, features: torch.Tensor, change: GateChange | None = None
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Each branch's output per channel, average and maximum, (N, C) each; None for a missing branch."""
        average: torch.Tensor | None = None
        maximum: torch.Tensor | None = None
        if self.pooling is not ChannelPooling.MAXIMUM:
            average = self.mlp(features.mean(dim=(2, 3)))  # (N, C)
        is_dropped = change is GateChange.DROP_MAX and average is not None
        if self.pooling is not ChannelPooling.AVERAGE and not is_dropped:
            maximum = self.mlp(features.amax(dim=(2, 3)))  # (N, C)
        return average, maximum


class SpatialAttention(PlaneGate):
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
        reduce: nn.Module | None = None
        if pooling is SpatialPooling.CONVOLUTION:
            if channels is None:
                raise ValueError("a spatial gate that pools by a 1x1 convolution needs the number of channels")
            reduce = nn.Conv2d(channels, 1, 1, bias=False)
        super().__init__(kernel_size=kernel_size, planes=2 if reduce is None else 1)
        self.reduce = reduce
        nn.init.zeros_(self.spatial.get_parameter("bn.weight"))

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Gate the positions of `features`.

        Args:
            features: F', (N, C, H, W), any size.

        Returns:
            F'', (N, C, H, W), and the gate M_s, (N, H, W), in 0..1.
        """
        gate = self.gate(features)  # (N, H, W)
        return features * gate[:, None], gate

    def weigh(self, features: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """See `PlaneGate.weigh`; None for both where a 1x1 convolution pools: it has no such planes."""
        return super().weigh(features) if self.reduce is None else (None, None)

    def gate(self, features: torch.Tensor, change: GateChange | None = None) -> torch.Tensor:
        """See `PlaneGate.gate`. A gate that pools by a 1x1 convolution sees no maxima, and stays without them."""
        if self.reduce is None:
            return super().gate(features, change)
        return self.close(self.reduce(features), change)  # (N, 1, H, W) -> (N, H, W)


class Cbam(AttentionModule):
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

    def forward(self, features: torch.Tensor, change: BlockChange | None = None) -> tuple[torch.Tensor, BlockAttention]:
        """Refine `features` and tell how.

        Args:
            features: F, (N, C, H, W).
            change: what is done to the gates before they are applied; what is answered are the changed ones.

        Returns:
            The refined features, (N, C, H, W), and the gates. Channel first: F'' = M_s(F') * F' with
            F' = M_c(F) * F. Spatial first: the same with the gates exchanged. Parallel: M_c(F) * M_s(F) * F; the
            paper names this arrangement and gives no equation for it.
        """
        change = change or UNCHANGED
        channel_gate: torch.Tensor | None = None
        spatial_gate: torch.Tensor | None = None
        refined = features
        if self.order is GateOrder.SPATIAL_FIRST and self.SpatialGate is not None:
            spatial_gate = self.SpatialGate.gate(refined, change.spatial)
            refined = refined * spatial_gate[:, None]
        if self.ChannelGate is not None:
            channel_gate = self.ChannelGate.gate(refined, change.channel)
            refined = refined * channel_gate[:, :, None, None]
        if self.order is not GateOrder.SPATIAL_FIRST and self.SpatialGate is not None:
            seen = features if self.order is GateOrder.PARALLEL else refined
            spatial_gate = self.SpatialGate.gate(seen, change.spatial)
            refined = refined * spatial_gate[:, None]
        gates = BlockAttention(channel=channel_gate, spatial=spatial_gate)
        if change.is_opened:
            gates = replace(gates, inside=self._open(features, refined, gates))
        return refined, gates

    def neutralise(self) -> float:
        """See `AttentionModule.neutralise`: 2 for each gate."""
        last = [] if self.ChannelGate is None else [self.ChannelGate.mlp[-1]]
        last += [] if self.SpatialGate is None else [self.SpatialGate.spatial[-1]]
        return make_zero(last)

    def _open(self, before: torch.Tensor, after: torch.Tensor, gates: BlockAttention) -> AttentionInside:
        """Each branch's output for the features that it sees: the second gate sees those that the first let through."""
        channel_sees = spatial_sees = before
        if self.order is GateOrder.CHANNEL_FIRST and gates.channel is not None:
            spatial_sees = before * gates.channel[:, :, None, None]
        if self.order is GateOrder.SPATIAL_FIRST and gates.spatial is not None:
            channel_sees = before * gates.spatial[:, None]
        return AttentionInside(
            before=before,
            after=after,
            channel_evidence=(None, None) if self.ChannelGate is None else self.ChannelGate.weigh(channel_sees),
            spatial_evidence=(None, None) if self.SpatialGate is None else self.SpatialGate.weigh(spatial_sees),
        )
