"""Channel and spatial attention of CBAM, each returning its map beside the gated tensor.

Source: Woo, Park, Lee and Kweon, *CBAM: Convolutional Block Attention Module*, ECCV 2018, equations 1 to 3, with what
the authors' release does beyond the paper's text: biases in the shared MLP, a BatchNorm behind the 7x7 convolution,
the maximum stacked before the mean.

The submodules carry the names of the authors' release (`ChannelGate.mlp.1`, `SpatialGate.spatial.conv`), so that
checkpoints in that layout load strictly and without renaming.
"""

from collections import OrderedDict

import torch
from torch import nn

from models.trace import BlockAttention


class ChannelAttention(nn.Module):
    """The channel gate: which feature channels to keep.

    M_c(F) = sigmoid(MLP(AvgPool(F)) + MLP(MaxPool(F))), F' = M_c(F) * F (the paper's equations 1 and 2).

    Args:
        channels: C, the number of channels of the features.
        reduction: r, by how much the MLP's hidden layer is narrower than C; 16 in the paper.
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
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
        average = features.mean(dim=(2, 3))  # (N, C)
        maximum = features.amax(dim=(2, 3))  # (N, C)
        gate = torch.sigmoid(self.mlp(average) + self.mlp(maximum))  # (N, C)
        return features * gate[:, :, None, None], gate


class SpatialAttention(nn.Module):
    """The spatial gate: which positions to keep.

    M_s(F') = sigmoid(BN(conv7x7([MaxPool_c(F'); AvgPool_c(F')]))), F'' = M_s(F') * F' (the paper's equation 3).

    The BatchNorm's scale starts at 0, so that an untrained gate is a flat 0.5.

    Args:
        kernel_size: the convolution's side in positions; odd; 7 in the paper.
    """

    def __init__(self, *, kernel_size: int = 7) -> None:
        super().__init__()
        convolution = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)
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
        # Maximum before mean: the authors' release; the paper's equation 3 lists the mean first.
        pooled = torch.stack((features.amax(dim=1), features.mean(dim=1)), dim=1)  # (N, 2, H, W)
        gate = torch.sigmoid(self.spatial(pooled))  # (N, 1, H, W)
        return features * gate, gate[:, 0]


class Cbam(nn.Module):
    """Channel attention, then spatial attention: the order that the paper found best.

    Args:
        channels: C, the number of channels of the features.
        reduction: r of the channel attention's MLP.
        kernel_size: the side of the spatial attention's convolution.
    """

    def __init__(self, channels: int, *, reduction: int = 16, kernel_size: int = 7) -> None:
        super().__init__()
        self.ChannelGate = ChannelAttention(channels, reduction=reduction)
        self.SpatialGate = SpatialAttention(kernel_size=kernel_size)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, BlockAttention]:
        """Refine `features` and tell how.

        Args:
            features: F, (N, C, H, W).

        Returns:
            F'' = M_s(F') * F' with F' = M_c(F) * F, (N, C, H, W), and both gates.
        """
        refined, channel_gate = self.ChannelGate(features)
        refined, spatial_gate = self.SpatialGate(refined)
        return refined, BlockAttention(channel=channel_gate, spatial=spatial_gate)
