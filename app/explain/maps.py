"""Frozen map types that carry their range: what they hold was checked once and cannot change."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]


def _freeze(values: FloatArray, *, dimensions: int, kind: str) -> FloatArray:
    if values.dtype != np.float32 or values.ndim != dimensions or values.size == 0:
        raise ValueError(
            f"{kind} wants {dimensions} dimensions of float32 with at least one value; "
            f"got shape {values.shape} of {values.dtype}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{kind} wants finite values; got NaN or infinity")
    frozen = values.copy()
    frozen.flags.writeable = False
    return frozen


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """The positive evidence for one class at each position of a stage's map.

    Attributes:
        values: (H, W) float32, at least 0, in the network's own units (logits for Grad-CAM); not scaled.
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
        """Whether any position speaks for the class at all."""
        return self.maximum > 0

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in positions."""
        height, width = self.values.shape
        return height, width


@dataclass(frozen=True, slots=True, eq=False)
class GateMap:
    """What one gate of CBAM lets through: a spatial gate (H, W) or a channel gate (C,).

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
        """How far the gate is from flat."""
        return float(self.values.std(dtype=np.float64))


class GateKind(StrEnum):
    """The two gates of a block."""

    SPATIAL = "spatial"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, eq=False)
class BlockMaps:
    """The gates of one block for one picture.

    Attributes:
        name: the block's name, `layer1.0`.
        channel: the channel gate, (C,); None for attention without one.
        spatial: the spatial gate, (H, W); None for attention without one.
    """

    name: str
    channel: GateMap | None
    spatial: GateMap | None

    @property
    def gates(self) -> dict[GateKind, GateMap]:
        """Those of the two that there are."""
        both = {GateKind.SPATIAL: self.spatial, GateKind.CHANNEL: self.channel}
        return {kind: gate for kind, gate in both.items() if gate is not None}
