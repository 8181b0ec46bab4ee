"""The result of one forward pass of a network: a `Trace`."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from models.attention.gates import BlockAttention
from models.names import Stage


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that the program shows of one forward pass.

    Attributes:
        logits: the classifier's output before softmax, (N, K).
        features: each requested stage's output, (N, C, H, W).
        attentions: each block's gates by the block's name (`layer1.0`), in the order in which the blocks run;
            empty for a network without attention.
    """

    logits: torch.Tensor
    features: Mapping[Stage, torch.Tensor]
    attentions: Mapping[str, BlockAttention]
