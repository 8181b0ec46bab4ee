"""Coordinate Attention: one gate for each channel and row, one for each channel and column.

Source: Hou, Zhou and Feng, *Coordinate Attention for Efficient Mobile Network Design*, CVPR 2021, equations 4 to 9,
with what the authors' release does beyond the paper's text: biases in all three convolutions, a BatchNorm behind the
first, h-swish as its activation, a reduction of 32 and at least 8 hidden channels.

The submodules carry the names of the authors' release.
"""

from dataclasses import replace

import torch
from torch import nn
from torch.nn import functional

from models.attention.gates import AttentionInside, BlockAttention, change_gate
from models.attention.interventions import BlockChange
from models.attention.module import UNCHANGED, AttentionModule, make_zero

REDUCTION = 32
FEWEST_HIDDEN = 8


class CoordinateAttention(AttentionModule):
    """F' = g_h * g_w * F: a row gate g_h, the same in all columns, and a column gate g_w, the same in all rows.

    z_h = the mean over columns, (C, H); z_w = the mean over rows, (C, W); f = h-swish(BN(conv_1([z_h; z_w]))), side by
    side in one sequence of H + W places; g_h = sigmoid(conv_h(f_h)), g_w = sigmoid(conv_w(f_w)). All three convolutions
    are 1x1.

    Args:
        channels: C, the number of channels of the features.
        reduction: by how much f has fewer channels than F.
    """

    def __init__(self, channels: int, *, reduction: int = REDUCTION) -> None:
        super().__init__()
        hidden = max(FEWEST_HIDDEN, channels // reduction)
        self.conv1 = nn.Conv2d(channels, hidden, 1)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.conv_h = nn.Conv2d(hidden, channels, 1)
        self.conv_w = nn.Conv2d(hidden, channels, 1)

    def forward(self, features: torch.Tensor, change: BlockChange | None = None) -> tuple[torch.Tensor, BlockAttention]:
        """See `AttentionModule.forward`.

        Returns:
            F', (N, C, H, W), the row gate, (N, C, H, 1), the column gate, (N, C, 1, W), and as the joint gate the mean
            over channels of their product, (N, H, W); each in 0..1.
        """
        change = change or UNCHANGED
        row, column = self.gate(features)
        row, column = change_gate(row, change.row), change_gate(column, change.column)
        applied = row * column  # (N, C, H, W)
        refined = features * applied
        gates = BlockAttention(channel=None, spatial=None, joint=applied.mean(dim=1), row=row, column=column)
        if change.is_opened:
            gates = replace(gates, inside=AttentionInside(features, refined))
        return refined, gates

    def gate(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The row gate, (N, C, H, 1), and the column gate, (N, C, 1, W)."""
        height = features.shape[2]
        pooled = torch.cat((features.mean(dim=3), features.mean(dim=2)), dim=2)[..., None]  # (N, C, H + W, 1)
        hidden = functional.hardswish(self.bn1(self.conv1(pooled)))
        of_rows, of_columns = hidden[:, :, :height], hidden[:, :, height:]
        row = torch.sigmoid(self.conv_h(of_rows))
        column = torch.sigmoid(self.conv_w(of_columns)).transpose(2, 3)  # (N, C, W, 1) -> (N, C, 1, W)
        return row, column

    def neutralise(self) -> float:
        """See `AttentionModule.neutralise`: 2 for each gate, 4."""
        return make_zero([self.conv_h, self.conv_w])
