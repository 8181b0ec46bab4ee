"""Gates: what an attention module computes from a batch, before they are applied."""

from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class AttentionInside:
    """The inside of one attention module, kept only where somebody opens the block.

    Attributes:
        before: the features that came in, (N, C, H, W).
        after: the refined features, (N, C, H, W).
        channel_evidence: what the average's and the maximum's branch add to the channel gate before its sigmoid,
            (N, C) each; None for a branch that there is not.
        spatial_evidence: the same of the spatial gate's mean and maximum planes, (N, H, W) each, without the bias.
    """

    before: torch.Tensor
    after: torch.Tensor
    channel_evidence: tuple[torch.Tensor | None, torch.Tensor | None]
    spatial_evidence: tuple[torch.Tensor | None, torch.Tensor | None]


@dataclass(frozen=True, slots=True)
class BlockAttention:
    """The gates that one attention module computed for one batch, before they are applied.

    Attributes:
        channel: the channel gate M_c, (N, C), each value in 0..1; None for a module without one.
        spatial: the spatial gate M_s, (N, H, W), each value in 0..1; None for a module without one.
        joint: the mean over channels of a gate that has a value for each channel and position, (N, H, W), each value
            in 0..1; None for a module that applies its gates one after the other.
        inside: what the module saw and did; None where nobody opened it.
    """

    channel: torch.Tensor | None
    spatial: torch.Tensor | None
    joint: torch.Tensor | None = None
    inside: AttentionInside | None = None

    def map(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "BlockAttention":
        """The same gates, each changed."""
        return BlockAttention(
            channel=None if self.channel is None else change(self.channel),
            spatial=None if self.spatial is None else change(self.spatial),
            joint=None if self.joint is None else change(self.joint),
        )
