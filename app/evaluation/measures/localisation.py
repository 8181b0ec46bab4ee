"""Measures of how well one map points at one object.

Sources: the pointing game is Zhang et al., *Top-Down Neural Attention by Excitation Backprop*, 2018; the share inside
is the relevance mass accuracy of Arras et al., *Ground Truth Evaluation of Neural Network Explanations with CLEVR-XAI*,
2021; the IoU of a map cut at a share of its maximum is Grad-CAM's localisation (Selvaraju et al., 2017), here with the
object itself in place of a box around the largest connected part.
"""

import numpy as np

from app.evaluation.measures.seen import SeenObject
from app.evaluation.results.metrics import IOU_THRESHOLDS, MEANINGS, Metric
from app.explain.maps import FloatArray, HeatMap
from app.explain.metrics import measure_heat_map
from models.pictures.placement import Placement

Values = dict[Metric, float | None]

MAP_METRICS = (Metric.POINTING, Metric.SHARE_INSIDE, Metric.SHARE_RATIO, *IOU_THRESHOLDS)


def locate(heat_map: HeatMap, seen: SeenObject, placement: Placement, *, tolerance_pixels: float) -> Values:
    """Measure one map against one object.

    Args:
        heat_map: (H, W).
        seen: the object, at least partly seen.
        placement: where the network's input lies on the picture.
        tolerance_pixels: the pointing game's tolerance.

    Returns:
        One value per metric; for a map without positive evidence 0 or None, see `MEANINGS`.
    """
    if not heat_map.has_evidence:
        return silent_values(MAP_METRICS)
    statistics = measure_heat_map(heat_map, placement)
    x, y = statistics.peak_x or 0.0, statistics.peak_y or 0.0
    spread = seen.spread(heat_map.values)
    share = float(spread[seen.mask].sum(dtype=np.float64) / spread.sum(dtype=np.float64))
    overlaps: Values = {metric: _overlap(spread, seen, threshold) for metric, threshold in IOU_THRESHOLDS.items()}
    return {
        # The centre of the first highest position, not the peak of the interpolated map: a position at the border
        # keeps its highest value all the way to the border.
        Metric.POINTING: float(seen.is_hit(x, y, tolerance_pixels=tolerance_pixels)),
        Metric.SHARE_INSIDE: share,
        Metric.SHARE_RATIO: share / seen.share,
    } | overlaps


def silent_values(metrics: tuple[Metric, ...]) -> Values:
    """The metrics of a map without positive evidence."""
    return {metric: 0.0 if MEANINGS[metric].counts_silent_as_zero else None for metric in metrics}


def _overlap(spread: FloatArray, seen: SeenObject, threshold: float) -> float:
    area = spread >= threshold * spread.max()
    return float((area & seen.mask).sum() / (area | seen.mask).sum())
