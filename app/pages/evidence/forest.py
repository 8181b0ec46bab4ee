"""A forest plot: the difference of each number with its interval, on one axis, so that right of 0 is always better."""

from collections.abc import Mapping

from app.evaluation.results.metrics import MEANINGS, Metric
from app.evaluation.results.report import Interval, MetricResult
from app.evaluation.results.wording import Verdict, format_difference, judge
from app.numbers import typeset_minus
from app.pages.evidence.views import ForestPlot, ForestRow

WIDTH = 360
"""The plot's width in its own units."""

MARGIN = 12
ROW_HEIGHT = 40
HEADER_HEIGHT = 24


def build_forest_plot(metrics: Mapping[Metric, MetricResult]) -> ForestPlot | None:
    """Place every number of the maps that has an interval; None if none has one.

    Numbers of which low values are good are turned round. P is left out: it says nothing about the map.
    """
    found = [
        (metric, measured.difference, ends)
        for metric, measured in metrics.items()
        if metric is not Metric.PROBABILITY and (ends := _orient(metric, measured.difference)) is not None
    ]
    if not found:
        return None
    # A plot without any difference still has an axis.
    reach = max(abs(end) for _, _, ends in found for end in ends) or 1.0

    def place(value: float) -> float:
        return round(WIDTH / 2 + value / reach * (WIDTH / 2 - MARGIN), 1)

    return ForestPlot(
        rows=tuple(
            ForestRow(
                title=MEANINGS[metric].title + ("" if MEANINGS[metric].is_higher_better else " (turned round)"),
                difference=typeset_minus(format_difference(metric, difference)),
                y=HEADER_HEIGHT + ROW_HEIGHT * row,
                low=place(ends[0]),
                mean=place(ends[1]),
                high=place(ends[2]),
                is_open=judge(metric, difference) is Verdict.OPEN,
            )
            for row, (metric, difference, ends) in enumerate(found)
        ),
        width=WIDTH,
        height=HEADER_HEIGHT + ROW_HEIGHT * len(found),
    )


def _orient(metric: Metric, interval: Interval) -> tuple[float, float, float] | None:
    """The interval's low end, mean and high end, turned so that a positive value is better; None without ends."""
    if interval.low is None or interval.high is None:
        return None
    if MEANINGS[metric].is_higher_better:
        return interval.low, interval.mean, interval.high
    return -interval.high, -interval.mean, -interval.low
