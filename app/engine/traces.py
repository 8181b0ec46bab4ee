"""The networks' results for one picture; arrays are in memory of the CPU. Nothing here imports torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.explain.maps import BlockMaps, FloatArray
from models.names import NetworkName, Stage


@dataclass(frozen=True, slots=True, eq=False)
class NetworkTrace:
    """One network's forward pass over one picture.

    Attributes:
        logits: (K,).
        features: each stage's output, (C, H, W).
        blocks: each block's gates; none without attention.
    """

    logits: FloatArray
    features: Mapping[Stage, FloatArray]
    blocks: tuple[BlockMaps, ...]

    @property
    def probabilities(self) -> FloatArray:
        """Softmax of the logits, (K,), 0..1."""
        shifted = np.exp(self.logits.astype(np.float64) - self.logits.max())
        probabilities: FloatArray = (shifted / shifted.sum()).astype(np.float32)
        return probabilities

    @property
    def size_bytes(self) -> int:
        """The memory that the arrays take."""
        gates = sum(gate.values.nbytes for block in self.blocks for gate in block.gates.values())
        return self.logits.nbytes + sum(values.nbytes for values in self.features.values()) + gates


LineupTrace = Mapping[NetworkName, NetworkTrace]


def find_first_class(traces: LineupTrace) -> int:
    """The class, 0..K-1, that the networks' mean probability ranks first."""
    return int(np.mean([trace.probabilities for trace in traces.values()], axis=0).argmax())


@dataclass(frozen=True, slots=True)
class GradientTarget:
    """Which gradient is wanted: of one class's score with respect to one stage's output.

    Attributes:
        stage: whose output.
        class_index: the class, 0..K-1.
    """

    stage: Stage
    class_index: int


@dataclass(frozen=True, slots=True, eq=False)
class LineupGradient:
    """Every network's gradient of one class's score.

    Attributes:
        class_index: the class, 0..K-1.
        gradients: each network's, (C, H, W).
    """

    class_index: int
    gradients: Mapping[NetworkName, FloatArray]


class Evidence(NamedTuple):
    """One network's evidence for a heat map.

    Attributes:
        features: one stage's output, (C, H, W).
        gradient: d logit / d features, (C, H, W).
    """

    features: FloatArray
    gradient: FloatArray
