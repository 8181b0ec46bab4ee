"""What every attention module of a block has in common."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import torch
from torch import nn

from models.attention.gates import BlockAttention
from models.attention.interventions import BlockChange
from models.names import Stage

UNCHANGED = BlockChange()


class AttentionModule(nn.Module):
    """Attention at the end of a block.

    Attributes:
        keeps_function: whether a new module can leave a trained network's function as it is; see `neutralise`.
    """

    keeps_function: ClassVar[bool] = True

    def forward(self, features: torch.Tensor, change: BlockChange | None = None) -> tuple[torch.Tensor, BlockAttention]:
        """Refine `features` and tell how.

        Args:
            features: F, (N, C, H, W).
            change: what is done to the gates before they are applied; what is answered are the changed ones.

        Returns:
            The refined features, (N, C, H, W), and the gates.
        """
        raise NotImplementedError

    def neutralise(self) -> float:
        """Set each gate to one number for all features; returns the factor by which these must grow to make up for it.

        A module that `keeps_function` is then a product with 1 / factor, and factor is a power of two.
        """
        raise NotImplementedError


AttentionFactory: TypeAlias = Callable[[int], nn.Module]
"""Makes one block's attention from its number of channels.

The module answers `(refined features, BlockAttention)`; every `AttentionModule` does, and so does `Bam`.
"""


@dataclass(frozen=True, slots=True)
class StagedFactory:
    """Makes the attention of some stages' blocks alone.

    Attributes:
        make: makes one block's attention from its number of channels.
        stages: the stages whose blocks have it.
    """

    make: AttentionFactory
    stages: frozenset[Stage]

    def __call__(self, channels: int) -> nn.Module:
        """One block's attention."""
        return self.make(channels)


def choose_at(attention: AttentionFactory | None, stage: Stage) -> AttentionFactory | None:
    """The factory of a stage's blocks; None for blocks without attention."""
    if isinstance(attention, StagedFactory) and stage not in attention.stages:
        return None
    return attention


def make_zero(layers: Iterable[nn.Module]) -> float:
    """Set the last layers before the gates' sigmoids to zero, so that each gate is 0.5; returns 2 to their number."""
    factor = 1.0
    for layer in layers:
        factor *= 2
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)
    return factor
