"""Numbers of heat maps: of each map, and of two maps compared."""

import math
from dataclasses import dataclass

import numpy as np

from app.explain.maps import HeatMap
from models.pictures.placement import Placement

OVERLAP_THRESHOLD = 0.6
"""The share of a map's maximum above which a position counts for the overlap."""


@dataclass(frozen=True, slots=True)
class HeatMapStatistics:
    """One heat map in numbers.

    Attributes:
        minimum, maximum, mean: the values, in the method's own units.
        peak_x, peak_y: the centre of the highest position, in the picture's pixels; None without evidence.
        share_above_half: the share of all evidence where the map is at least half its maximum, 0..1; None likewise.
    """

    minimum: float
    maximum: float
    mean: float
    peak_x: float | None
    peak_y: float | None
    share_above_half: float | None


@dataclass(frozen=True, slots=True)
class MapComparison:
    """Numbers that compare two heat maps of one class; None if a map has no evidence or does not vary.

    Attributes:
        correlation: Pearson's r over positions, -1..1.
        overlap: intersection over union of the positions at `OVERLAP_THRESHOLD` of each map's own maximum, 0..1.
        peak_distance: the distance between the two peaks, as a share of the picture's diagonal, 0..1.
    """

    correlation: float | None
    overlap: float | None
    peak_distance: float | None


def measure_heat_map(heat_map: HeatMap, placement: Placement) -> HeatMapStatistics:
    """Measure one map.

    Args:
        heat_map: (H, W).
        placement: where the network's input lies on the picture.
    """
    values = heat_map.values
    peak_x, peak_y, share = None, None, None
    if heat_map.has_evidence:
        peak_x, peak_y = _locate_peak(heat_map, placement)
        share = float(values[values >= heat_map.maximum / 2].sum() / values.sum())
    return HeatMapStatistics(
        minimum=heat_map.minimum,
        maximum=heat_map.maximum,
        mean=float(values.mean()),
        peak_x=peak_x,
        peak_y=peak_y,
        share_above_half=share,
    )


def compare_heat_maps(baseline: HeatMap, cbam: HeatMap, placement: Placement) -> MapComparison:
    """Compare two maps of one class, stage and method.

    Args:
        baseline: (H, W).
        cbam: (H, W), the same shape.
        placement: where the networks' input lies on the picture.
    """
    both = baseline.has_evidence and cbam.has_evidence
    return MapComparison(
        correlation=_correlate(baseline, cbam),
        overlap=_overlap(baseline, cbam) if both else None,
        peak_distance=_measure_peak_distance(baseline, cbam, placement) if both else None,
    )


def _locate_peak(heat_map: HeatMap, placement: Placement) -> tuple[float, float]:
    """The centre of the highest position, x and y in the picture's pixels."""
    height, width = heat_map.shape
    row, column = divmod(int(heat_map.values.argmax()), width)
    left, upper, right, lower = placement.box
    return left + (column + 0.5) * (right - left) / width, upper + (row + 0.5) * (lower - upper) / height


def _correlate(baseline: HeatMap, cbam: HeatMap) -> float | None:
    first, second = (heat_map.values.astype(np.float64).ravel() for heat_map in (baseline, cbam))
    if first.std() == 0 or second.std() == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])


def _overlap(baseline: HeatMap, cbam: HeatMap) -> float:
    first, second = (heat_map.values >= OVERLAP_THRESHOLD * heat_map.maximum for heat_map in (baseline, cbam))
    return float((first & second).sum() / (first | second).sum())


def _measure_peak_distance(baseline: HeatMap, cbam: HeatMap, placement: Placement) -> float:
    diagonal = math.hypot(placement.picture_width, placement.picture_height)
    return math.dist(_locate_peak(baseline, placement), _locate_peak(cbam, placement)) / diagonal
