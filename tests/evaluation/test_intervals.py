import numpy as np
import pytest

from app.evaluation.results.intervals import estimate_mean, estimate_over_seeds


def test_estimate_mean_is_the_normal_interval_for_many_values() -> None:
    values = np.random.default_rng(1).normal(0.3, 2, 800)
    interval = estimate_mean(values.tolist())
    error = 1.96 * values.std() / np.sqrt(values.size)
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - error, abs=error * 0.05)
    assert interval.high == pytest.approx(values.mean() + error, abs=error * 0.05)


def test_estimate_mean_covers_the_true_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    intervals = [estimate_mean(rng.exponential(1, 100).tolist()) for _ in range(200)]
    covered = sum((interval.low or 2) <= 1 <= (interval.high or 0) for interval in intervals)
    # 190 are expected, a few fewer for skewed values; three standard deviations of the binomial are 9.
    assert 178 <= covered <= 199


def test_estimate_mean_of_equal_values_has_no_width() -> None:
    interval = estimate_mean([0.25] * 7)
    assert (interval.mean, interval.low, interval.high) == (0.25, 0.25, 0.25)


def test_estimate_mean_is_the_same_every_time() -> None:
    values = np.random.default_rng(3).random(30).tolist()
    assert estimate_mean(values) == estimate_mean(values)


def test_estimate_mean_of_one_value_has_no_interval() -> None:
    interval = estimate_mean([0.5])
    assert (interval.mean, interval.low, interval.high) == (0.5, None, None)


def test_interval_over_seeds_is_students() -> None:
    # Of 1, 2 and 3 the mean is 2, the deviation 1, and t for 2 degrees of freedom 4.302653.
    found = estimate_over_seeds([0.01, 0.02, 0.03])
    reach = 0.01 * 4.302653 / 3**0.5
    assert (found.mean, found.low, found.high) == pytest.approx((0.02, 0.02 - reach, 0.02 + reach), abs=1e-7)


def test_interval_over_one_seed_is_not_known() -> None:
    found = estimate_over_seeds([0.01])
    assert (found.mean, found.low, found.high) == (0.01, None, None)


def test_interval_over_seeds_ends_at_what_is_possible() -> None:
    found = estimate_over_seeds([0.0, 0.5])
    assert (found.mean, found.low, found.high) == (0.25, -1, 1)
