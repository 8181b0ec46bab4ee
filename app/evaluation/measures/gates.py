"""Measures of a network's gates: how flat they are, how much they depend on the picture, where they point."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.evaluation.measures.localisation import locate
from app.evaluation.measures.seen import SeenObject
from app.evaluation.results.intervals import estimate_mean
from app.evaluation.results.metrics import Metric
from app.evaluation.results.report import BlockResult, GateResult, SpatialGateResult
from app.explain.maps import BlockMaps, FloatArray, GateMap, HeatMap
from models.pictures.placement import Placement

FEWEST_PICTURES = 10
"""The smallest number of pictures of one shape: the mean over n unrelated gates explains 1 / n of their variance."""


@dataclass(slots=True)
class ShapeSums:
    """Sums over the gates of one shape."""

    count: int
    values: NDArray[np.float64]
    squares: float


@dataclass(slots=True, eq=False)
class GateStatistics:
    """One gate's statistics over the pictures so far."""

    means: list[float] = field(default_factory=list)
    deviations: list[float] = field(default_factory=list)
    shares_above_mean: list[float] = field(default_factory=list)
    sums: dict[tuple[int, ...], ShapeSums] = field(default_factory=dict)

    def add(self, gate: FloatArray) -> None:
        """Add one picture's gate, (C,) or (H, W)."""
        values = gate.astype(np.float64)
        self.means.append(float(values.mean()))
        self.deviations.append(float(values.std()))
        self.shares_above_mean.append(float((values > values.mean()).mean()))
        sums = self.sums.setdefault(values.shape, ShapeSums(0, np.zeros_like(values), 0.0))
        sums.count += 1
        sums.values += values
        sums.squares += float((values**2).sum())

    def summarise(self) -> GateResult:
        """Compute the means over pictures."""
        return GateResult(
            mean=float(np.mean(self.means)),
            deviation=float(np.mean(self.deviations)),
            share_above_mean=float(np.mean(self.shares_above_mean)),
            explained=self._explain(),
        )

    def _explain(self) -> float | None:
        """The share of the variance over pictures and positions that the mean over pictures explains.

        1 - sum over pictures of |gate - mean gate|^2 / sum over pictures of |gate - mean value|^2, both summed over
        the shapes with enough pictures.
        """
        explained, total = 0.0, 0.0
        for sums in self.sums.values():
            if sums.count < FEWEST_PICTURES:
                continue
            mean_gate = sums.values / sums.count
            mean = float(mean_gate.mean())
            explained += sums.count * float(((mean_gate - mean) ** 2).sum())
            total += sums.squares - sums.count * mean_gate.size * mean**2
        return explained / total if total > np.finfo(np.float32).eps else None


@dataclass(slots=True, eq=False)
class BlockStatistics:
    """The statistics of one block's gates, and of how its spatial gate points at the objects."""

    spatial: GateStatistics = field(default_factory=GateStatistics)
    channel: GateStatistics = field(default_factory=GateStatistics)
    hits: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    excesses: list[float] = field(default_factory=list)

    def point(self, gate: GateMap, seen: SeenObject, placement: Placement, tolerance_pixels: float) -> None:
        """Add one picture's spatial gate, measured as if it were a heat map."""
        values = locate(HeatMap(gate.values), seen, placement, tolerance_pixels=tolerance_pixels)
        share = values[Metric.SHARE_INSIDE]
        self.hits.append(values[Metric.POINTING] or 0.0)
        # A gate that is closed everywhere treats all positions alike, as a flat one does.
        self.shares.append(seen.share if share is None else share)
        self.excesses.append(self.shares[-1] - seen.share)

    def summarise(self, name: str) -> BlockResult:
        """Summarise the block's gates."""
        spatial = None
        if self.hits:
            spatial = SpatialGateResult(
                **self.spatial.summarise().model_dump(),
                pointing=float(np.mean(self.hits)),
                share_inside=float(np.mean(self.shares)),
                excess=estimate_mean(self.excesses),
            )
        return BlockResult(name=name, spatial=spatial, channel=self.channel.summarise() if self.channel.means else None)


class GateSurvey:
    """The statistics of every block's gates over all pictures.

    Args:
        tolerance_pixels: the pointing game's tolerance.
    """

    def __init__(self, tolerance_pixels: float) -> None:
        self._tolerance_pixels = tolerance_pixels
        self._blocks: defaultdict[str, BlockStatistics] = defaultdict(BlockStatistics)

    def add(self, blocks: tuple[BlockMaps, ...], seen: SeenObject, placement: Placement) -> None:
        """Add one picture's gates."""
        for block in blocks:
            statistics = self._blocks[block.name]
            if block.channel is not None:
                statistics.channel.add(block.channel.values)
            # A joint gate is what is applied. BAM's spatial branch means nothing without its channel branch, whose
            # signs turn it round, and triplet attention's spatial gate is a third of the average.
            positions = block.spatial if block.joint is None else block.joint
            if positions is not None:
                statistics.spatial.add(positions.values)
                statistics.point(positions, seen, placement, self._tolerance_pixels)

    def summarise(self) -> list[BlockResult]:
        """Summarise every block, in the network's order."""
        return [statistics.summarise(name) for name, statistics in self._blocks.items()]
