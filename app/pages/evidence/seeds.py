"""The variation between seeds: the same short training, repeated with several seeds."""

import statistics
from collections.abc import Sequence

from app.evaluation.results.metrics import Metric
from app.evaluation.results.report import Evaluation, Interval
from app.evaluation.results.wording import format_difference, format_mean, title_metric
from app.numbers import format_count, typeset_minus
from app.pages.evidence.views import SeedRow, SeedsView, SeedTable
from app.pages.lineup import name_condition
from models.names import NetworkName


def build_seeds_view(evaluations: Sequence[Evaluation]) -> SeedsView | None:
    """Show every seed's differences beside the variation of one network between seeds.

    Args:
        evaluations: one per seed, of the same pictures; all pictures count, so that the seeds can be compared.

    Returns:
        None for fewer than two seeds.
    """
    if len(evaluations) < 2:
        return None
    first = evaluations[0]
    return SeedsView(
        names=tuple(f"Seed {number}" for number in range(1, len(evaluations) + 1)),
        pictures=format_count(first.pictures),
        condition=name_condition(first.geometry, first.resolution),
        tables=tuple(_build_seed_table(evaluations, name) for name in list(first.networks)[1:]),
    )


def _build_seed_table(evaluations: Sequence[Evaluation], name: NetworkName) -> SeedTable:
    baseline = next(iter(evaluations[0].networks))
    rows = [
        _build_seed_row(
            None,
            "Right first class",
            baseline=[evaluation.networks[baseline].top1 for evaluation in evaluations],
            other=[evaluation.networks[name].top1 for evaluation in evaluations],
        )
    ]
    focuses = [evaluation.focus for evaluation in evaluations if evaluation.focus is not None]
    results = [focus.maps[0].contrasts[name].all.metrics for focus in focuses]
    rows.extend(
        _build_seed_row(
            metric,
            title_metric(metric),
            baseline=[result[metric].baseline for result in results],
            other=[result[metric].other for result in results],
        )
        for metric in results[0]
    )
    # An evaluation has no titles; the names of attentions are abbreviations.
    return SeedTable(title=name.upper(), rows=tuple(rows))


def _build_seed_row(metric: Metric | None, title: str, *, baseline: Sequence[float], other: Sequence[float]) -> SeedRow:
    differences = [second - first for first, second in zip(baseline, other, strict=True)]
    luck = max(statistics.stdev(baseline), statistics.stdev(other))
    is_one_sided = min(differences) > 0 or max(differences) < 0
    return SeedRow(
        title=title,
        differences=tuple(_format_value(metric, value) for value in differences),
        mean=_format_value(metric, statistics.mean(differences)),
        luck=format_mean(metric, luck).replace(" %", " points"),
        verdict="the same sign with every seed" if is_one_sided else "the sign depends on the seed",
    )


def _format_value(metric: Metric | None, value: float) -> str:
    return typeset_minus(format_difference(metric, Interval(mean=value, low=None, high=None)))
