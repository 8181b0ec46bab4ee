"""Triplet attention: three gates for the three pairs of channels, rows and columns, averaged.

Source: Misra, Nalamada, Arasanipalai and Hou, *Rotate to Attend: Convolutional Triplet Attention Module*, WACV 2021,
section 3. Each gate pools one axis away, as CBAM's spatial gate does with the channels, and applies a 7x7
convolution to the two that are left.

The submodules carry the names of the authors' release, in which `ChannelGateH` is the gate that pools the rows.
"""

from dataclasses import replace

import torch

from models.attention.gates import AttentionInside, BlockAttention
from models.attention.interventions import BlockChange
from models.attention.module import UNCHANGED, AttentionModule, make_zero
from models.attention.plane_gate import PlaneGate

KERNEL_SIZE = 7


class TripletAttention(AttentionModule):
    """F' = (g_cw + g_ch + g_hw) / 3 * F, each gate sigmoid(BN(conv7x7([MaxPool; AvgPool]))) along one axis.

    g_cw pools rows and has a value for each channel and column; g_ch pools columns and has one for each channel and
    row; g_hw pools channels and is a spatial gate. All three see the ungated features. Their average is applied: the
    paper averages the three gated features, which is the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ChannelGateH = PlaneGate(kernel_size=KERNEL_SIZE)
        self.ChannelGateW = PlaneGate(kernel_size=KERNEL_SIZE)
        self.SpatialGate = PlaneGate(kernel_size=KERNEL_SIZE)

    def forward(self, features: torch.Tensor, change: BlockChange | None = None) -> tuple[torch.Tensor, BlockAttention]:
        """See `AttentionModule.forward`.

        Returns:
            F', (N, C, H, W), the row gate g_ch, (N, C, H, 1), the column gate g_cw, (N, C, 1, W), the spatial gate
            g_hw, (N, H, W), and as the joint gate the mean over channels of the three gates' average, (N, H, W); each
            in 0..1.
        """
        change = change or UNCHANGED
        column = self.ChannelGateH.gate(features.permute(0, 2, 1, 3), change.column)[:, :, None]  # of (N, H, C, W)
        row = self.ChannelGateW.gate(features.permute(0, 3, 2, 1), change.row)  # of (N, W, H, C): (N, H, C)
        row = row.transpose(1, 2)[..., None]  # (N, C, H, 1)
        spatial = self.SpatialGate.gate(features, change.spatial)  # (N, H, W)
        applied = (row + column + spatial[:, None]) / 3  # (N, C, H, W)
        refined = features * applied
        gates = BlockAttention(channel=None, spatial=spatial, joint=applied.mean(dim=1), row=row, column=column)
        if change.is_opened:
            inside = AttentionInside(features, refined, spatial_evidence=self.SpatialGate.weigh(features))
            gates = replace(gates, inside=inside)
        return refined, gates

    def neutralise(self) -> float:
        """See `AttentionModule.neutralise`: 2, since three gates of 0.5 are 0.5 on average."""
        make_zero(gate.spatial[-1] for gate in (self.ChannelGateH, self.ChannelGateW, self.SpatialGate))
        return 2.0
