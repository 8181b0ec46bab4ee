import numpy as np
import pytest

from models.probabilities import find_probabilities, score_fit


def test_find_probabilities_is_the_softmax_of_known_logits() -> None:
    logits = np.log([[1, 2, 5], [4, 4, 2]])
    assert find_probabilities(logits) == pytest.approx(np.array([[0.125, 0.25, 0.625], [0.4, 0.4, 0.2]]))


def test_find_probabilities_divides_logits_by_the_temperature() -> None:
    # softmax(log(x) / 2) is the square root of x, normalised.
    assert find_probabilities(np.log([1, 4, 9]), 2.0) == pytest.approx(np.array([1, 2, 3]) / 6)
    assert find_probabilities(np.log([1, 2, 3]), 0.5) == pytest.approx(np.array([1, 4, 9]) / 14)


def test_find_probabilities_of_large_float32_logits_is_finite() -> None:
    found = find_probabilities(np.array([1000, 999, -1000], dtype=np.float32), 0.5)
    assert found == pytest.approx(find_probabilities(np.array([2.0, 0.0, -3998.0])))
    assert found.sum() == pytest.approx(1)


def test_score_fit_of_known_probabilities() -> None:
    assert score_fit(np.array([1.0, 0, 0, 0])) == 0
    assert score_fit(np.full((2, 4), 0.25)) == pytest.approx(np.full(2, -((0.25 * 0.75) ** 0.1)))


def test_score_fit_falls_as_more_classes_share_the_probability() -> None:
    shared = [np.r_[np.full(count, 1 / count), np.zeros(200 - count)] for count in (1, 2, 5, 20, 100)]
    scores = score_fit(np.stack(shared))
    assert (np.diff(scores) < 0).all()


def test_score_fit_reads_only_the_hundred_likeliest_classes() -> None:
    likely = np.full(100, 0.009)
    assert score_fit(np.r_[likely, np.full(900, 0.0001)]) == pytest.approx(score_fit(likely))
