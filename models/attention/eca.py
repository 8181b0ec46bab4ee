"""ECA, efficient channel attention: a channel gate by one small convolution along the channels.

Source: Wang, Wu, Zhu, Li, Zuo and Hu, *ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks*,
CVPR 2020, section 3.2. The convolution is `conv`, as in the authors' release and in timm.
"""

import math
from dataclasses import replace

import torch
from torch import nn

from models.attention.gates import AttentionInside, BlockAttention, change_gate
from models.attention.interventions import BlockChange
from models.attention.module import UNCHANGED, AttentionModule, make_zero

GAMMA = 2
BETA = 1
"""gamma and b of the paper's experiments."""

SMALLEST_KERNEL = 3
"""With a kernel of one channel, which the equation gives for up to 7 channels, no channel would see another."""


def find_kernel_size(channels: int) -> int:
    """The number of channels that decide about one.

    k = |log2(C) / gamma + b / gamma|, without its decimals, and one more if it is even.
    """
    size = int(abs(math.log2(channels) + BETA) / GAMMA)
    return max(SMALLEST_KERNEL, size if size % 2 else size + 1)


class Eca(AttentionModule):
    """F' = g * F with the channel gate g = sigmoid(conv1d_k(AvgPool(F))): each channel by its k neighbours.

    The convolution has no bias, and sees zeros beyond the first and the last channel.

    Args:
        channels: C, the number of channels of the features, which decides k.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        size = find_kernel_size(channels)
        self.conv = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)

    def forward(self, features: torch.Tensor, change: BlockChange | None = None) -> tuple[torch.Tensor, BlockAttention]:
        """See `AttentionModule.forward`.

        Returns:
            F', (N, C, H, W), and the channel gate g, (N, C), in 0..1.
        """
        change = change or UNCHANGED
        pooled = features.mean(dim=(2, 3))  # (N, C)
        evidence = self.conv(pooled[:, None])[:, 0]  # (N, 1, C) -> (N, C)
        gate = change_gate(torch.sigmoid(evidence), change.channel)
        refined = features * gate[:, :, None, None]
        gates = BlockAttention(channel=gate, spatial=None)
        if change.is_opened:
            gates = replace(gates, inside=AttentionInside(features, refined, channel_evidence=(evidence, None)))
        return refined, gates

    def neutralise(self) -> float:
        """See `AttentionModule.neutralise`: 2."""
        return make_zero([self.conv])
