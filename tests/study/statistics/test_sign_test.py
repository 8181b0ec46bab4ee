import numpy as np
import pytest
from scipy.stats import binomtest  # type: ignore[import-untyped]

from app.study.statistics.sign_test import compare_signs, compute_p_value
from app.study.statistics.votes import Outcome, collect_votes
from tests.study.statistics.simulation import SimulatedStudies

STUDIES = 300


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 1), (3, 9), (10, 10), (700, 820), (5000, 20)])
def test_p_value_is_scipys_exact_one(first: int, second: int) -> None:
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert compute_p_value(first, second) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_each_unit_counts_once_and_ties_are_left_out() -> None:
    ballots = [
        ("ann", 0, Outcome.SECOND),
        ("ann", 1, Outcome.SECOND),
        ("ann", 2, Outcome.FIRST),
        ("ben", 0, Outcome.SECOND),
        ("ben", 1, Outcome.FIRST),
        ("cat", 2, Outcome.EQUAL),
        ("dan", 0, Outcome.FIRST),
    ]
    votes = collect_votes(ballots, picture_count=5)
    people = compare_signs(votes, "people")
    assert (people.first, people.second, people.ties) == (1, 1, 2)
    pictures = compare_signs(votes, "pictures")
    # Picture 1 is a tie; 3 and 4 have no votes and are not even that.
    assert (pictures.first, pictures.second, pictures.ties) == (1, 1, 1)
    assert people.p_value == pictures.p_value == 1


def test_without_any_preference_the_test_rarely_finds_one() -> None:
    """Over pictures, whose leans are drawn anew in each study: at most 5 % of the studies have p <= 0.05."""
    rng = np.random.default_rng(5)
    population = SimulatedStudies(lean=0, person_spread=0.3)
    found = sum(compare_signs(population.draw(rng), "pictures").p_value <= 0.05 for _ in range(STUDIES))
    assert found / STUDIES <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / STUDIES)
    # And with a strong one it nearly always does.
    strong = SimulatedStudies(lean=1.2)
    assert sum(compare_signs(strong.draw(rng), "pictures").p_value <= 0.05 for _ in range(20)) == 20
