"""Summaries of rows."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from app.evaluation.results.intervals import estimate_mean
from app.evaluation.results.metrics import Metric
from app.evaluation.results.report import ClassResult, Contrast, MapResult, MetricResult, PictureResult, Subset
from app.evaluation.results.rows import FocusRow
from models.names import NetworkName

EXTREMES = 10
"""The number of pictures that are listed where a network gains most, and where it loses most."""


def summarise_maps(rows: Sequence[FocusRow]) -> list[MapResult]:
    """Make one result per method and stage, in the order of their first rows."""
    order = {key: position for position, key in reversed(list(enumerate((row.method, row.stage) for row in rows)))}
    ordered = sorted(rows, key=lambda row: order[row.method, row.stage])
    return [_summarise_map(list(group)) for _, group in groupby(ordered, key=lambda row: (row.method, row.stage))]


def summarise_subset(rows: Sequence[FocusRow]) -> Subset:
    """Summarise two networks' metrics over some pictures, by one method at one stage."""
    results = {metric: _compare(rows, metric) for metric in Metric}
    return Subset(
        pictures=len(rows),
        object_share=_mean([row.object_share for row in rows]),
        hidden_share=_mean([row.hidden_share for row in rows]),
        centre_hits=_mean([float(row.has_centre) for row in rows]),
        silent={name: sum(row.networks[name].is_silent for row in rows) for name in _list_names(rows)},
        metrics={metric: result for metric, result in results.items() if result is not None},
    )


def choose_extremes(rows: Sequence[FocusRow], *, count: int = EXTREMES) -> tuple[list[FocusRow], list[FocusRow]]:
    """Find the pictures with the highest and the lowest difference in the share of heat inside, the extremes first.

    The first list has only differences above 0 and the second only those below, so that no picture is in both.
    """
    measured = [(difference, row) for row in rows if (difference := row.difference(Metric.SHARE_INSIDE)) is not None]
    measured.sort(key=lambda entry: (entry[0], entry[1].file))
    hurt = [row for difference, row in measured[:count] if difference < 0]
    helped = [row for difference, row in reversed(measured[-count:]) if difference > 0]
    return helped, hurt


def _summarise_map(rows: Sequence[FocusRow]) -> MapResult:
    shapes = {(row.height, row.width) for row in rows}
    height, width = shapes.pop() if len(shapes) == 1 else (None, None)
    return MapResult(
        method=rows[0].method,
        stage=rows[0].stage,
        height=height,
        width=width,
        contrasts={name: _contrast([row.against_baseline(name) for row in rows]) for name in _list_names(rows)[1:]},
    )


def _contrast(rows: Sequence[FocusRow]) -> Contrast:
    """Summarise the rows of two networks."""
    helped, hurt = choose_extremes(rows)
    return Contrast(
        both_right=summarise_subset([row for row in rows if row.is_right_by_both]),
        all=summarise_subset(rows),
        classes=_summarise_classes(rows),
        helped=[_summarise_picture(row) for row in helped],
        hurt=[_summarise_picture(row) for row in hurt],
    )


def _summarise_classes(rows: Sequence[FocusRow]) -> list[ClassResult]:
    differences: dict[str, list[float]] = {}
    for row in rows:
        if (difference := row.difference(Metric.SHARE_INSIDE)) is not None:
            differences.setdefault(row.class_name, []).append(difference)
    results = [
        ClassResult(class_name=name, pictures=len(values), difference=estimate_mean(values))
        for name, values in differences.items()
    ]
    return sorted(results, key=lambda result: -result.difference.mean)


def _compare(rows: Sequence[FocusRow], metric: Metric) -> MetricResult | None:
    measured = [row for row in rows if row.difference(metric) is not None]
    if not measured:
        return None
    baseline, other = (
        np.array([row.networks[name].values[metric] for row in measured], dtype=np.float64)
        for name in _list_names(measured)
    )
    return MetricResult(
        pictures=len(measured),
        baseline=float(baseline.mean()),
        other=float(other.mean()),
        difference=estimate_mean((other - baseline).tolist()),
    )


def _summarise_picture(row: FocusRow) -> PictureResult:
    def read(metric: Metric) -> dict[NetworkName, float]:
        return {name: network.values[metric] or 0.0 for name, network in row.networks.items()}

    return PictureResult(
        file=row.file,
        class_name=row.class_name,
        object_share=row.object_share,
        share_inside=read(Metric.SHARE_INSIDE),
        difference=row.difference(Metric.SHARE_INSIDE) or 0.0,
        probability=read(Metric.PROBABILITY),
        right={name: network.is_right for name, network in row.networks.items()},
    )


def _list_names(rows: Sequence[FocusRow]) -> list[NetworkName]:
    return list(rows[0].networks) if rows else []


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
