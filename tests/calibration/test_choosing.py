import numpy as np
import pytest

from app.calibration.choosing import (
    choose_temperature,
    choose_threshold,
    cross_fit,
    measure_loss,
    measure_separation,
    split_halves,
    split_parts,
)
from app.errors import InvalidOption
from models.probabilities import find_probabilities


def test_choose_temperature_of_two_classes_is_what_can_be_written_down() -> None:
    # Three of four are right by 4 logits. The best P is 3/4, so 4 / T = log(3).
    logits = np.tile([[4.0, 0.0]], (4, 1))
    assert choose_temperature(logits, np.array([0, 0, 0, 1])) == pytest.approx(4 / np.log(3), abs=1e-3)


def test_choose_temperature_finds_the_temperature_that_answers_were_drawn_with() -> None:
    generator = np.random.default_rng(3)
    logits = generator.normal(size=(20_000, 8)) * 3
    noise = generator.gumbel(size=logits.shape)
    # The likeliest class of logits / T plus Gumbel noise is a draw from softmax(logits / T).
    classes = (logits / 0.6 + noise).argmax(axis=1)
    assert choose_temperature(logits, classes) == pytest.approx(0.6, rel=0.03)


def test_choose_temperature_has_the_least_loss() -> None:
    generator = np.random.default_rng(5)
    logits, classes = generator.normal(size=(300, 5)) * 2, generator.integers(0, 5, 300)
    classes[:200] = logits[:200].argmax(axis=1)
    found = choose_temperature(logits, classes)
    losses = [measure_loss(logits, classes, found * factor) for factor in (0.97, 1.0, 1.03)]
    assert losses[1] == min(losses)


@pytest.mark.parametrize("classes", [[0, 0], [1, 1]])
def test_choose_temperature_refuses_answers_that_are_all_right_or_all_wrong(classes: list[int]) -> None:
    with pytest.raises(InvalidOption, match="neither always right nor always wrong"):
        choose_temperature(np.tile([[4.0, 0.0]], (2, 1)), np.array(classes))


def test_measure_loss_is_minus_log_p_of_the_true_class() -> None:
    logits = np.log([[1.0, 3.0], [1.0, 1.0]])
    assert measure_loss(logits, np.array([1, 0]), 1.0) == pytest.approx(-(np.log(0.75) + np.log(0.5)) / 2)


def test_choose_threshold_has_the_wanted_share_below_it() -> None:
    scores = -np.arange(100) / 100
    assert (scores < choose_threshold(scores, 0.1)).mean() == pytest.approx(0.1)


def test_measure_separation_counts_pairs_in_order_and_ties_half() -> None:
    assert measure_separation(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 1
    assert measure_separation(np.array([1.0, 3.0]), np.array([2.0, 3.0])) == pytest.approx((0 + 0 + 1 + 0.5) / 4)


def test_split_halves_are_disjoint_complete_and_the_same_each_time() -> None:
    first, second = split_halves(101, what="data"), split_halves(101, what="data")
    assert sorted([*first.choosing, *first.testing]) == list(range(101))
    assert (len(first.choosing), len(first.testing)) == (50, 51)
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    # Neither the first half of the pictures nor every second one.
    assert 10 < (first.choosing < 50).sum() < 40
    assert 10 < (first.choosing % 2).sum() < 40


def test_split_halves_refuses_a_single_picture() -> None:
    with pytest.raises(InvalidOption, match="here: 1 readable pictures"):
        split_halves(1, what="here")


def test_split_parts_are_disjoint_complete_and_the_same_each_time() -> None:
    first, second = split_parts(103, what="data"), split_parts(103, what="data")
    assert sorted(np.concatenate(first).tolist()) == list(range(103))
    assert [len(part) for part in first] == [11] * 3 + [10] * 7
    assert all(np.array_equal(*parts) for parts in zip(first, second, strict=True))
    assert [len(part) for part in split_parts(4, what="data")] == [1] * 4


def test_cross_fit_never_tests_a_temperature_on_what_has_chosen_it() -> None:
    generator = np.random.default_rng(9)
    logits = generator.normal(size=(200, 6)) * 3
    classes = (logits / 0.6 + generator.gumbel(size=logits.shape)).argmax(axis=1)
    parts = split_parts(200, what="data")
    part = parts[3]
    others = np.setdiff1d(np.arange(200), part)
    temperature = choose_temperature(logits[others], classes[others])
    expected = find_probabilities(logits[part], temperature).max(axis=1)
    assert cross_fit(logits, classes, parts)[part] == pytest.approx(expected)
    changed = classes.copy()
    changed[part] = (classes[part] + 1) % 6
    assert cross_fit(logits, changed, parts)[part] == pytest.approx(expected)
