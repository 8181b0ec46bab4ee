"""Many measurements in one number, against known answers."""

import pytest

from app.bench.results.statistics import Samples, median, merge, percentile, ratio


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7.0], 99, 7.0),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 50, 3.0),
        ([5.0, 1.0, 4.0, 2.0, 3.0], 50, 3.0),
        ([0.0, 10.0], 95, 9.5),
        ([float(value) for value in range(101)], 99, 99.0),
    ],
)
def test_percentile_is_known_answer(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == pytest.approx(expected)


def test_median_of_even_count_is_mean_of_the_middle() -> None:
    assert median([1.0, 100.0, 2.0, 3.0]) == 2.5


@pytest.mark.parametrize(
    ("value", "reference", "expected"), [(3.0, 2.0, 1.5), (None, 2.0, None), (3.0, None, None), (3.0, 0.0, None)]
)
def test_ratio_is_none_without_what_it_needs(
    value: float | None, reference: float | None, expected: float | None
) -> None:
    assert ratio(value, reference) == expected


def test_merge_appends_to_each_figure() -> None:
    samples: Samples = {"a": [1.0]}
    merge(samples, {"a": 2.0, "b": 3.0})
    assert samples == {"a": [1.0, 2.0], "b": [3.0]}
