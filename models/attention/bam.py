"""BAM, the bottleneck attention module: one stands behind each of a residual network's stages 1 to 3.

Source: Park, Woo, Lee and Kweon, *BAM: Bottleneck Attention Module*, BMVC 2018. The paper adds its two branches,
M(F) = sigmoid(M_c(F) + M_s(F)), F' = F + M(F) * F (equations 1 and 2). The authors' released code, and everybody's
weights, multiply them: M(F) = sigmoid(M_c(F) * M_s(F)). Here it is as in the code.

The submodules carry the names of the authors' release, so that checkpoints in that layout load strictly.
"""

from collections import OrderedDict
from dataclasses import replace

import torch
from torch import nn

from models.attention.gates import AttentionInside, BlockAttention
from models.attention.interventions import BlockChange

REDUCTION = 16
DILATION = 4
DILATED_CONVOLUTIONS = 2


class ChannelBranch(nn.Module):
    """M_c(F) = W_1(relu(BN(W_0(AvgPool(F))))), one number per channel, before any sigmoid.

    Args:
        channels: C.
        reduction: by how much the hidden layer is narrower than C.
    """

    def __init__(self, channels: int, *, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.gate_c = nn.Sequential(
            OrderedDict(
                flatten=nn.Flatten(),
                gate_c_fc_0=nn.Linear(channels, hidden),
                gate_c_bn_1=nn.BatchNorm1d(hidden),
                gate_c_relu_1=nn.ReLU(),
                gate_c_fc_final=nn.Linear(hidden, channels),
            )
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C)."""
        pooled: torch.Tensor = self.gate_c(features.mean(dim=(2, 3)))
        return pooled


class SpatialBranch(nn.Module):
    """M_s(F): a 1x1 convolution, two dilated 3x3 convolutions and a 1x1 convolution to one plane, before any sigmoid.

    Args:
        channels: C.
        reduction: by how much the hidden planes are fewer than C.
    """

    def __init__(self, channels: int, *, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        parts: OrderedDict[str, nn.Module] = OrderedDict(
            gate_s_conv_reduce0=nn.Conv2d(channels, hidden, 1),
            gate_s_bn_reduce0=nn.BatchNorm2d(hidden),
            gate_s_relu_reduce0=nn.ReLU(),
        )
        for number in range(DILATED_CONVOLUTIONS):
            parts[f"gate_s_conv_di_{number}"] = nn.Conv2d(hidden, hidden, 3, padding=DILATION, dilation=DILATION)
            parts[f"gate_s_bn_di_{number}"] = nn.BatchNorm2d(hidden)
            parts[f"gate_s_relu_di_{number}"] = nn.ReLU()
        parts["gate_s_conv_final"] = nn.Conv2d(hidden, 1, 1)
        self.gate_s = nn.Sequential(parts)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, H, W)."""
        plane: torch.Tensor = self.gate_s(features)  # (N, 1, H, W)
        return plane[:, 0]


class Bam(nn.Module):
    """F' = (1 + sigmoid(M_c(F) * M_s(F))) * F: it can only strengthen what comes in, up to twofold.

    Args:
        channels: C, the number of channels of the features.
        reduction: of both branches; 16 in the paper.
    """

    def __init__(self, channels: int, *, reduction: int = REDUCTION) -> None:
        super().__init__()
        self.channel_att = ChannelBranch(channels, reduction=reduction)
        self.spatial_att = SpatialBranch(channels, reduction=reduction)

    def forward(self, features: torch.Tensor, change: BlockChange | None = None) -> tuple[torch.Tensor, BlockAttention]:
        """Refine `features` and tell how.

        Args:
            features: F, (N, C, H, W).
            change: whether the module is opened; its gates cannot be changed one by one, since neither is applied
                alone.

        Returns:
            F', (N, C, H, W), and three gates, each 0..1: of the channels sigmoid(M_c), of the positions sigmoid(M_s),
            and what is applied, sigmoid(M_c * M_s), as its mean over the channels.
        """
        channel, spatial = self.channel_att(features), self.spatial_att(features)  # (N, C), (N, H, W)
        joint = torch.sigmoid(channel[:, :, None, None] * spatial[:, None])  # (N, C, H, W)
        refined = (1 + joint) * features
        gates = BlockAttention(torch.sigmoid(channel), torch.sigmoid(spatial), joint=joint.mean(dim=1))
        if change is not None and change.is_opened:
            inside = AttentionInside(
                features, refined, channel_evidence=(channel, None), spatial_evidence=(spatial, None)
            )
            gates = replace(gates, inside=inside)
        return refined, gates
