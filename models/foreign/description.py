"""A user's own network, and what only the user can say about it. Nothing here imports torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from models.pictures.preparation import Preprocessing

if TYPE_CHECKING:
    import torch
    from torch import nn

Head: TypeAlias = "Callable[[nn.Module, torch.Tensor], Any]"
"""Calls a network with a batch of pictures, (N, C, H, W), and answers the one of its outputs that counts."""

Score: TypeAlias = "Callable[[Any], torch.Tensor]"
"""Makes one score per class, (N, K), of a network's output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a network is run, and where its maps are.

    Attributes:
        stages: one to four paths of modules, in the order in which they run, whose outputs, (N, C, H, W), are
            explained; the last one becomes stage 4. None for the last maps of each resolution.
        gates: for each block, by any name, the path of a module whose output is a gate, or the paths of two: (N, C),
            (N, C, 1, 1), (N, H, W) or (N, 1, H, W), values in 0..1. None for the gates that are found.
        head: calls the network where it has several inputs or outputs:
            `lambda network, pictures: network(pictures, extra)["logits"]`.
        score: makes one score per class, (N, K), of the output, where that is not (N, K) itself: for a segmentation,
            (N, K, H, W), for example `lambda output: output.mean(dim=(2, 3))`.
    """

    stages: Sequence[str] | None = None
    gates: Mapping[str, str | Sequence[str]] | None = None
    head: "Head | None" = None
    score: "Score | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputForm:
    """A network's input.

    Attributes:
        preprocessing: normalisation, geometry and resolution.
        channels: 3 for RGB, 1 for grey, of which mean and deviation are the same for all three channels.
    """

    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    channels: int = 3
