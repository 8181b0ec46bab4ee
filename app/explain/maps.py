"""Frozen types of maps, whose values are checked once and cannot change."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.names import GateKind

FloatArray: TypeAlias = NDArray[np.float32]


def _freeze(values: FloatArray, *, dimensions: int, kind: str) -> FloatArray:
    if values.dtype != np.float32 or values.ndim != dimensions or values.size == 0:
        raise ValueError(
            f"{kind} needs {dimensions} dimensions of float32 with at least one value; "
            f"got shape {values.shape} of {values.dtype}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{kind} needs finite values; got NaN or infinity")
    frozen = values.copy()
    frozen.flags.writeable = False
    return frozen


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """The positive evidence for one class at each position of a stage's map.

    Attributes:
        values: (H, W) float32, at least 0, in the method's own units (logits for Grad-CAM), not scaled.
    """

    values: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _freeze(self.values, dimensions=2, kind="a heat map"))
        if self.values.min() < 0:
            raise ValueError(f"a heat map's values are at least 0; got {self.values.min()}")

    @property
    def maximum(self) -> float:
        """The highest value."""
        return float(self.values.max())

    @property
    def minimum(self) -> float:
        """The lowest value."""
        return float(self.values.min())

    @property
    def has_evidence(self) -> bool:
        """Whether any position has evidence for the class."""
        return self.maximum > 0

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in positions."""
        height, width = self.values.shape
        return height, width


@dataclass(frozen=True, slots=True, eq=False)
class GateMap:
    """One gate: (H, W) for one of positions, (H, 1) of rows, (1, W) of columns, (C,) of channels.

    Attributes:
        values: float32 in 0..1, absolute: 0 blocks, 1 passes unchanged.
    """

    values: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _freeze(self.values, dimensions=self.values.ndim, kind="a gate"))
        if self.values.ndim not in (1, 2):
            raise ValueError(f"a gate is (C,) or (H, W); got shape {self.values.shape}")
        if self.values.min() < 0 or self.values.max() > 1:
            raise ValueError(f"a gate's values lie in 0..1; got {self.values.min()} to {self.values.max()}")

    @property
    def standard_deviation(self) -> float:
        """The standard deviation of the gate's values; 0 for a flat gate."""
        return float(self.values.std(dtype=np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class ChannelMaps:
    """One channel's feature map before and after the gates.

    Attributes:
        index: the channel, 0..C-1.
        gate: the channel gate's value, 0..1; None for attention without a channel gate.
        before, after: (H, W), in the network's own units.
    """

    index: int
    gate: float | None
    before: FloatArray
    after: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class OpenBlock:
    """The inside of one block's attention: its input, its gates and its output.

    Attributes:
        name: the block's name.
        strongest, weakest: the channels with the largest and smallest channel gates; for attention without a channel
            gate, those with the largest and smallest features.
        channel_maximum_share, spatial_maximum_share: the maximum branch's share of the evidence behind a gate, 0..1,
            by absolute value; None for a missing gate and for a gate with one branch.
    """

    name: str
    strongest: tuple[ChannelMaps, ...]
    weakest: tuple[ChannelMaps, ...]
    channel_maximum_share: float | None
    spatial_maximum_share: float | None


@dataclass(frozen=True, slots=True, eq=False)
class BlockMaps:
    """The gates of one block for one picture.

    Attributes:
        name: the block's name, `layer1.0`.
        channel: the channel gate, (C,); None for attention without one.
        spatial: the spatial gate, (H, W); None for attention without one.
        joint: the mean over channels of what is applied to each channel and position, (H, W); None for attention
            without such a gate.
        row: the mean over channels of a gate of channels and rows, (H, 1); None likewise.
        column: the mean over channels of a gate of channels and columns, (1, W); None likewise.
    """

    name: str
    channel: GateMap | None
    spatial: GateMap | None
    joint: GateMap | None = None
    row: GateMap | None = None
    column: GateMap | None = None

    @property
    def gates(self) -> dict[GateKind, GateMap]:
        """Those that there are, in the order in which they are shown."""
        kinds = {
            GateKind.SPATIAL: self.spatial,
            GateKind.CHANNEL: self.channel,
            GateKind.ROW: self.row,
            GateKind.COLUMN: self.column,
            GateKind.JOINT: self.joint,
        }
        return {kind: gate for kind, gate in kinds.items() if gate is not None}

    @property
    def main(self) -> GateMap:
        """The gate that is meant where none is named: the spatial one, else the channel gate, else the joint gate."""
        gates = self.gates
        return next(gates[kind] for kind in (GateKind.SPATIAL, GateKind.CHANNEL, GateKind.JOINT) if kind in gates)
