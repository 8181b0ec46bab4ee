"""The report: values, ratios, and targets met or missed."""

import pytest

from app.bench.figures import Bound, Target, build_figures, specify
from app.bench.results.report import Figure


def find(figures: list[Figure], key: str) -> Figure:
    return next(figure for figure in figures if figure.key == key)


@pytest.mark.parametrize(
    ("key", "reference", "at_limit", "verdict"),
    [
        ("small.values.core", "forward", 1.15, "met"),
        ("small.values.total", "forward", 1.35, "met"),
        ("small.overlay.total", "forward", 1.35, "met"),
        ("gradcam", "small.values.total", 5.0, "met"),
        ("other_class", "forward", 0.1, "missed"),
        ("http.16.throughput", "loop.beside", 0.8, "met"),
        ("startup.ready", "startup.imports", 2.0, "missed"),
    ],
)
def test_target_is_judged_by_the_ratio(key: str, reference: str, at_limit: float, verdict: str) -> None:
    """At its limit each figure follows the target's wording: "under" excludes the limit, "at most" includes it."""
    other = {"met": "missed", "missed": "met"}[verdict]
    beyond = {"gradcam": 0.99, "http.16.throughput": 0.99, "other_class": 0.99, "startup.ready": 0.99}.get(key, 1.01)
    for factor, expected in ((1.0, verdict), (beyond, other)):
        # The reference is 1, so that the rounding of a division does not matter.
        figure = find(build_figures({reference: [1.0], key: [at_limit * factor]}), key)
        assert figure.ratio == pytest.approx(at_limit * factor)
        assert figure.verdict == expected


@pytest.mark.parametrize(("growth", "is_met"), [(49.9, True), (50.0, False), (-3.0, True)])
def test_memory_is_judged_by_its_value(growth: float, is_met: bool) -> None:
    figure = find(build_figures({"memory.growth": [growth]}), "memory.growth")
    assert figure.ratio is None
    assert figure.is_met is is_met


def test_target_is_not_measured_without_its_reference() -> None:
    figure = find(build_figures({"gradcam": [1.0]}), "gradcam")
    assert figure.is_met is None
    assert figure.verdict == "not measured"


def test_value_is_the_median_and_for_start_the_least() -> None:
    figures = build_figures({"forward": [9.0, 1.0, 2.0], "startup.ready": [9.0, 1.0, 2.0]})
    assert find(figures, "forward").value == 2.0
    assert find(figures, "startup.ready").value == 1.0


def test_keys_are_unique_and_references_exist() -> None:
    keys = [one.key for one in specify()]
    assert len(keys) == len(set(keys))
    assert {one.relative_to for one in specify()} - {None} <= set(keys)


def test_target_prints_as_the_issue_says_it() -> None:
    assert str(Target(Bound.AT_MOST, 1.15)) == "at most 1.15"
    assert str(Target(Bound.UNDER, 50)) == "under 50"
