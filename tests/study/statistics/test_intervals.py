import numpy as np
import pytest
from scipy.stats import binomtest  # type: ignore[import-untyped]

from app.study.statistics import intervals
from app.study.statistics.intervals import estimate_bootstrap, estimate_wilson, find_tail, resample_counts
from app.study.statistics.summary import DECIDED
from app.study.statistics.votes import Outcome, Votes
from tests.study.statistics.simulation import SimulatedStudies

STUDIES = 1000

RESAMPLES = 400
"""Fewer than a study's own: the simulations' spread is larger than that of the draws."""


def bootstrap_preference(votes: Votes, *, resamples: int = RESAMPLES) -> tuple[float, float]:
    interval = estimate_bootstrap(votes, resample_counts(votes, resamples=resamples), (Outcome.SECOND,), among=DECIDED)
    assert interval is not None
    return interval.low, interval.high


def measure_coverage(population: SimulatedStudies, studies: int) -> tuple[float, float]:
    """The share of the studies whose bootstrap interval contains the truth, and the same of Wilson's."""
    rng = np.random.default_rng(20181008)
    bootstrap = wilson = 0
    for _ in range(studies):
        votes = population.draw(rng)
        low, high = bootstrap_preference(votes)
        bootstrap += low <= population.preference <= high
        over_votes = estimate_wilson(votes.count(Outcome.SECOND), sum(votes.count(outcome) for outcome in DECIDED))
        assert over_votes is not None
        wilson += over_votes.low <= population.preference <= over_votes.high
    return bootstrap / studies, wilson / studies


def test_bootstrap_of_a_class_of_200_covers_the_truth_at_the_stated_rate() -> None:
    bootstrap, wilson = measure_coverage(SimulatedStudies(), STUDIES)
    # 95 % is stated; three standard deviations of 1,000 studies are 2 points, and the method errs on the safe side.
    assert 0.93 <= bootstrap <= 0.985
    # Votes are not the units: an interval over them contains the truth about every other time.
    assert wilson < 0.7


@pytest.mark.parametrize(
    "population",
    [
        SimulatedStudies(pictures=12, picture_spread=0.5),
        SimulatedStudies(pictures=8, each=8),
        SimulatedStudies(people=30, pictures=20),
    ],
    ids=["12 pictures", "8 pictures", "30 people"],
)
def test_bootstrap_of_few_units_covers_the_truth_at_the_stated_rate(population: SimulatedStudies) -> None:
    bootstrap, _ = measure_coverage(population, STUDIES // 2)
    # Where single votes weigh much, as with 30 people, the method is widest.
    assert 0.92 <= bootstrap <= 0.995


def test_bootstrap_is_known_to_be_too_wide_where_neither_people_nor_pictures_differ() -> None:
    population = SimulatedStudies(person_spread=0, picture_spread=0)
    votes = population.draw(np.random.default_rng(1))
    low, high = bootstrap_preference(votes, resamples=4000)
    wilson = estimate_wilson(votes.count(Outcome.SECOND), sum(votes.count(outcome) for outcome in DECIDED))
    assert wilson is not None
    # Owen's theorem: the chance of single votes counts three times, and 40 pictures widen it by 4 %.
    assert (high - low) / (wilson.high - wilson.low) == pytest.approx(np.sqrt(3) * 1.04, rel=0.1)


def test_wilson_covers_the_truth_at_the_stated_rate_for_independent_votes() -> None:
    rng = np.random.default_rng(2)
    hits = rng.binomial(50, 0.7, STUDIES)
    intervals = [estimate_wilson(int(count), 50) for count in hits]
    covered = sum(interval is not None and interval.low <= 0.7 <= interval.high for interval in intervals)
    assert 0.93 <= covered / STUDIES <= 0.97


@pytest.mark.parametrize(("hits", "total"), [(0, 7), (7, 7), (1, 2), (431, 1000)])
def test_wilson_is_scipys(hits: int, total: int) -> None:
    interval = estimate_wilson(hits, total)
    expected = binomtest(hits, total).proportion_ci(0.95, method="wilson")
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= interval.low < interval.high <= 1


def test_no_votes_and_single_units_have_no_interval() -> None:
    assert estimate_wilson(0, 0) is None
    one_person = SimulatedStudies(people=1).draw(np.random.default_rng(3))
    counts = resample_counts(one_person, resamples=10)
    assert estimate_bootstrap(one_person, counts, (Outcome.SECOND,), DECIDED) is None


def test_resampled_counts_keep_their_mean_and_repeat() -> None:
    votes = SimulatedStudies().draw(np.random.default_rng(4))
    counts = resample_counts(votes)
    assert (counts == resample_counts(votes)).all()
    expected = [votes.count(outcome) for outcome in Outcome]
    assert counts.mean(axis=0) == pytest.approx(expected, rel=0.03)


def test_many_people_are_counted_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    votes = SimulatedStudies(people=50).draw(np.random.default_rng(7))
    whole = bootstrap_preference(votes, resamples=3000)
    monkeypatch.setattr(intervals, "BLOCK_WEIGHTS", 50 * 7)
    assert resample_counts(votes, resamples=20).shape == (20, len(Outcome))
    assert bootstrap_preference(votes, resamples=3000) == pytest.approx(whole, abs=0.02)


def test_tail_is_the_plain_percentile_for_many_units_and_further_out_for_few() -> None:
    assert find_tail(100_000) == pytest.approx(0.025, abs=1e-5)
    assert find_tail(8) < find_tail(40) < 0.025
