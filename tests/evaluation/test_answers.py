"""The networks' answers compared, picture by picture."""

import pytest

from app.evaluation.measures.answers import RankedTruth, compare_answers


def answer(*, is_right: bool) -> RankedTruth:
    return RankedTruth(rank=0 if is_right else 3, confidence=0.5, probability=0.4)


def test_difference_is_the_mean_over_pictures_of_who_is_right() -> None:
    baseline = [answer(is_right=right) for right in (True, True, False, False) * 25]
    other = [answer(is_right=right) for right in (True, True, True, False) * 25]
    found = compare_answers({"baseline": baseline, "se": other})["se"]
    assert found.mean == 0.25
    # 100 pictures of which 25 differ by 1: the mean's standard error is sqrt(0.25 * 0.75 / 100), 0.0433.
    assert found.low == pytest.approx(0.25 - 1.96 * 0.0433, abs=0.015)
    assert found.high == pytest.approx(0.25 + 1.96 * 0.0433, abs=0.015)


def test_pictures_are_paired_so_that_equal_answers_leave_no_doubt() -> None:
    answers = [answer(is_right=number % 3 == 0) for number in range(60)]
    found = compare_answers({"baseline": answers, "same": list(answers), "wrong": [answer(is_right=False)] * 60})
    assert (found["same"].mean, found["same"].low, found["same"].high) == (0, 0, 0)
    assert found["wrong"].high is not None
    assert found["wrong"].high < 0
    assert list(found) == ["same", "wrong"]


def test_no_pictures_make_no_difference() -> None:
    assert compare_answers({"baseline": [], "se": []}) == {}
