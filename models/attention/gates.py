"""Gates: what an attention module computes from a batch, before they are applied."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from models.names import GateChange


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
    channel_evidence: tuple[torch.Tensor | None, torch.Tensor | None] = (None, None)
    spatial_evidence: tuple[torch.Tensor | None, torch.Tensor | None] = (None, None)


@dataclass(frozen=True, slots=True)
class BlockAttention:
    """The gates that one attention module computed for one batch, before they are applied.

    Attributes:
        channel: the channel gate M_c, (N, C), each value in 0..1; None for a module without one.
        spatial: the spatial gate M_s, (N, H, W), each value in 0..1; None for a module without one.
        joint: what is applied where that has a value for each channel and position, as its mean over the channels,
            (N, H, W), each value in 0..1; None for a module that applies a channel and a spatial gate one after the
            other.
        row: the row gate, (N, C, H, 1), one value for each channel and row, in 0..1; None for a module without one.
        column: the column gate, (N, C, 1, W), one value for each channel and column, likewise.
        inside: what the module saw and did; None where nobody opened it.
    """

    channel: torch.Tensor | None
    spatial: torch.Tensor | None
    joint: torch.Tensor | None = None
    row: torch.Tensor | None = None
    column: torch.Tensor | None = None
    inside: AttentionInside | None = None

    def map(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "BlockAttention":
        """The same gates, each changed."""

        def change_any(gate: torch.Tensor | None) -> torch.Tensor | None:
            return None if gate is None else change(gate)

        return BlockAttention(
            channel=change_any(self.channel),
            spatial=change_any(self.spatial),
            joint=change_any(self.joint),
            row=change_any(self.row),
            column=change_any(self.column),
        )


def change_gate(gate: torch.Tensor, change: GateChange | None) -> torch.Tensor:
    """The gate, (N, ...), made neutral or inverted where that is asked for."""
    if change is GateChange.NEUTRAL:
        return gate.mean(dim=tuple(range(1, gate.ndim)), keepdim=True).expand_as(gate)
    return 1 - gate if change is GateChange.INVERT else gate
