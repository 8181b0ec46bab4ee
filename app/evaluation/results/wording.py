"""Results as text, for the terminal and the page."""

from enum import StrEnum

from app.evaluation.results.metrics import MEANINGS, Metric
from app.evaluation.results.report import Interval
from app.numbers import format_hundredths, format_share, format_thousandths


class Verdict(StrEnum):
    """The verdict on a network by the interval of its difference from the baseline."""

    BETTER = "better"
    WORSE = "worse"
    OPEN = "includes 0"
    UNKNOWN = "too few pictures"


def judge(metric: Metric, interval: Interval) -> Verdict:
    """Which network is better by a metric, where its interval excludes 0."""
    if interval.low is None or interval.high is None:
        return Verdict.UNKNOWN
    if interval.low <= 0 <= interval.high:
        return Verdict.OPEN
    is_better = (interval.mean > 0) == MEANINGS[metric].is_higher_better
    return Verdict.BETTER if is_better else Verdict.WORSE


def title_metric(metric: Metric) -> str:
    """A metric's name, with a note if a low value is good."""
    meaning = MEANINGS[metric]
    return meaning.title if meaning.is_higher_better else f"{meaning.title}, low is good"


def format_mean(metric: Metric | None, value: float) -> str:
    """A mean in its metric's units: `55.4 %`, or `0.434`; None stands for any share."""
    return format_share(value) if metric is None or MEANINGS[metric].is_share else format_thousandths(value)


MOST_DIGITS = 6
"""Recorded numbers have no more."""


def format_difference(metric: Metric | None, interval: Interval) -> str:
    """A difference with its interval: `+1.2 points (-0.3 to +2.7)`, or `+0.041 (-0.013 to +0.092)`.

    There are more digits where an end would be rounded to 0: it must be seen on which side of 0 it lies.

    Args:
        metric: the metric; None for a difference of shares.
        interval: the mean and the interval's ends.
    """
    is_share = metric is None or MEANINGS[metric].is_share
    factor, usual_digits, unit = (100, 1, " points") if is_share else (1, 3, "")
    ends = [end * factor for end in (interval.low, interval.high) if end]
    digits = next(
        (count for count in range(usual_digits, MOST_DIGITS) if all(round(end, count) for end in ends)), MOST_DIGITS
    )

    def sign(value: float) -> str:
        # Adding 0 makes a rounded minus zero a zero.
        return f"{round(value * factor, digits) + 0:+.{digits}f}"

    text = f"{sign(interval.mean)}{unit}"
    if interval.low is None or interval.high is None:
        return text
    return f"{text} ({sign(interval.low)} to {sign(interval.high)})"


def format_explained_share(explained: float | None) -> str:
    """A share of variance, or `not known` for None."""
    return "not known" if explained is None else format_hundredths(explained)
