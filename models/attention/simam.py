"""SimAM: a gate for each channel and position, computed without any weights.

Source: Yang, Zhang, Li and Xie, *SimAM: A Simple, Parameter-Free Attention Module for Convolutional Neural Networks*,
ICML 2021, equations 5 and 6, and the authors' code. A value that differs much from its channel's mean is distinctive,
and so passes.
"""

from dataclasses import replace
from typing import ClassVar

import torch

from models.attention.gates import AttentionInside, BlockAttention, change_gate
from models.attention.interventions import BlockChange
from models.attention.module import UNCHANGED, AttentionModule

LAMBDA = 1e-4
"""The paper's coefficient lambda, which keeps the quotient finite in a channel that is the same everywhere."""


class SimAm(AttentionModule):
    """F' = sigmoid(E) * F with E = (F - mean)^2 / (4 (v + lambda)) + 1/2.

    The mean and the variance v are each channel's own, over its positions; v is the sum of squares divided by
    H * W - 1, as in the authors' code. E is one over the paper's energy. It is at least 1/2, so that no gate is below
    sigmoid(1/2), 0.622.

    A map of one position has no variance: its gate is sigmoid(1/2), where the released code divides by zero. The sums
    are at least float32, since a map's sum of squares is easily above float16's largest number.
    """

    keeps_function: ClassVar[bool] = False

    def forward(self, features: torch.Tensor, change: BlockChange | None = None) -> tuple[torch.Tensor, BlockAttention]:
        """See `AttentionModule.forward`.

        Returns:
            F', (N, C, H, W), and as the joint gate the mean of sigmoid(E) over channels, (N, H, W), in 0.622..1.
        """
        change = change or UNCHANGED
        gate = change_gate(self.gate(features), change.joint)
        refined = features * gate
        gates = BlockAttention(channel=None, spatial=None, joint=gate.mean(dim=1))
        if change.is_opened:
            gates = replace(gates, inside=AttentionInside(features, refined))
        return refined, gates

    def gate(self, features: torch.Tensor) -> torch.Tensor:
        """sigmoid(E), (N, C, H, W)."""
        values = features.to(torch.promote_types(features.dtype, torch.float32))
        distances = (values - values.mean(dim=(2, 3), keepdim=True)).square()
        degrees = max(1, features.shape[2] * features.shape[3] - 1)
        variance = distances.sum(dim=(2, 3), keepdim=True) / degrees  # (N, C, 1, 1)
        return torch.sigmoid(distances / (4 * (variance + LAMBDA)) + 0.5).to(features.dtype)

    def neutralise(self) -> float:
        """1: nothing can be set, and the gate is no constant, so no factor makes up for it."""
        return 1.0
