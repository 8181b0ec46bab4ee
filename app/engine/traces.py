"""The networks' results for one picture, as arrays in CPU memory. Nothing here imports torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.explain.maps import BlockMaps, FloatArray
from models.names import NetworkName, Stage
from models.probabilities import Activation, find_probabilities


@dataclass(frozen=True, slots=True, eq=False)
class NetworkTrace:
    """One network's forward pass over one picture.

    Attributes:
        logits: one score per class, (K,).
        features: each stage's output, (C, H, W).
        blocks: each block's gates; empty without attention.
        temperature: the network's temperature, see `find_probabilities`.
        activation: how logits become probabilities.
    """

    logits: FloatArray
    features: Mapping[Stage, FloatArray]
    blocks: tuple[BlockMaps, ...]
    temperature: float = 1.0
    activation: Activation = Activation.SOFTMAX

    @property
    def probabilities(self) -> FloatArray:
        """Each class's P at the network's temperature, (K,), 0..1."""
        return find_probabilities(self.logits, self.temperature, self.activation).astype(np.float32)

    @property
    def size_bytes(self) -> int:
        """The memory of the arrays."""
        gates = sum(gate.values.nbytes for block in self.blocks for gate in block.gates.values())
        return self.logits.nbytes + sum(values.nbytes for values in self.features.values()) + gates


LineupTrace = Mapping[NetworkName, NetworkTrace]


def find_first_class(traces: LineupTrace) -> int:
    """The class, 0..K-1, that the networks' mean probability ranks first."""
    return int(average_probabilities(traces).argmax())


def average_probabilities(traces: LineupTrace) -> FloatArray:
    """Each class's P, averaged over the networks, (K,), 0..1."""
    mean: FloatArray = np.mean([trace.probabilities for trace in traces.values()], axis=0)
    return mean


@dataclass(frozen=True, slots=True)
class GradientTarget:
    """The gradient to compute: of one class's score with respect to one stage's output.

    Attributes:
        stage: the stage.
        class_index: the class, 0..K-1.
        against: the classes that it is contrasted with, for Finer-CAM; none for the class's own logit.
    """

    stage: Stage
    class_index: int
    against: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class LineupGradient:
    """Every network's gradient of one class's score.

    Attributes:
        class_index: the class, 0..K-1.
        gradients: each network's gradient, (C, H, W); for Score-CAM its channels' weights, (C, 1, 1).
    """

    class_index: int
    gradients: Mapping[NetworkName, FloatArray]


class Evidence(NamedTuple):
    """The arrays from which one network's heat map is made.

    Attributes:
        features: one stage's output, (C, H, W).
        gradient: d score / d features, (C, H, W); for Score-CAM the channels' weights, (C, 1, 1).
    """

    features: FloatArray
    gradient: FloatArray
