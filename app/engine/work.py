"""What the engine is given to do, and what it answers; arrays are in memory of the CPU."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.explain.maps import BlockMaps, FloatArray
from models.attention.interventions import Intervention
from models.lineups.pair import NetworkPair
from models.names import NetworkName, Stage
from models.networks.randomisation import Randomisation


@dataclass(frozen=True, slots=True, eq=False)
class NetworkTrace:
    """What one network left behind of one picture, in memory of the CPU.

    Attributes:
        logits: (K,).
        features: each stage's output, (C, H, W).
        blocks: each block's gates; none without attention.
    """

    logits: FloatArray
    features: Mapping[Stage, FloatArray]
    blocks: tuple[BlockMaps, ...]

    @property
    def size_bytes(self) -> int:
        """The memory that the arrays take."""
        gates = sum(gate.values.nbytes for block in self.blocks for gate in block.gates.values())
        return self.logits.nbytes + sum(values.nbytes for values in self.features.values()) + gates


PairTrace = Mapping[NetworkName, NetworkTrace]


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be explained.

    Attributes:
        stage: whose output.
        class_index: the class, 0..K-1; None for the one that the baseline ranks first.
    """

    stage: Stage
    class_index: int | None


@dataclass(frozen=True, slots=True, eq=False)
class PairGradient:
    """The gradients of one class score with respect to one stage's output.

    Attributes:
        class_index: the class, 0..K-1.
        gradients: each network's, (C, H, W).
    """

    class_index: int
    gradients: Mapping[NetworkName, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class PictureWork:
    """A picture to trace, (3, H, W), by which pair, and what to explain on it, or nothing."""

    pair: NetworkPair
    values: FloatArray
    question: Question | None


@dataclass(frozen=True, slots=True, eq=False)
class TraceWork:
    """A picture that was traced before, by which pair, and what to explain on it."""

    pair: NetworkPair
    traces: PairTrace
    question: Question


@dataclass(frozen=True, slots=True, eq=False)
class AlteredWork:
    """A picture, (3, H, W), to trace through one network whose gates are changed, and what to explain on it."""

    pair: NetworkPair
    values: FloatArray
    question: Question | None
    interventions: tuple[Intervention, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ForgottenWork:
    """A picture, (3, H, W), to explain with both networks after part of their weights became random."""

    pair: NetworkPair
    values: FloatArray
    question: Question
    extent: Randomisation


@dataclass(frozen=True, slots=True, eq=False)
class OpenedWork:
    """A picture, (3, H, W), and the block of the network with attention that is to be looked into."""

    pair: NetworkPair
    values: FloatArray
    block: str
    interventions: tuple[Intervention, ...]


EngineWork = PictureWork | TraceWork | AlteredWork | ForgottenWork | OpenedWork
ForgottenAnswer = Mapping[NetworkName, tuple[FloatArray, FloatArray]]
AlteredAnswer = tuple[NetworkTrace, FloatArray | None]
PictureAnswer = tuple[PairTrace, PairGradient | None]
