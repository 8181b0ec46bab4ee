import numpy as np
import pytest

from app.study.statistics.summary import choose_people, rank_pictures, summarise
from app.study.statistics.votes import Outcome, Votes, collect_votes
from tests.study.statistics.simulation import SimulatedStudies

BALLOTS = [
    ("ann", 0, Outcome.SECOND),
    ("ben", 0, Outcome.SECOND),
    ("cat", 0, Outcome.FIRST),
    ("ann", 1, Outcome.FIRST),
    ("ben", 1, Outcome.EQUAL),
    ("cat", 2, Outcome.SECOND),
    ("ann", 2, Outcome.CANNOT_TELL),
]


@pytest.fixture
def votes() -> Votes:
    return collect_votes(BALLOTS, picture_count=4)


def test_summary_counts_votes_and_shares(votes: Votes) -> None:
    summary = summarise(votes)
    assert (summary.people, summary.votes) == (3, 7)
    assert [share.votes for share in summary.shares] == [2, 3, 1, 1]
    assert sum(share.share or 0 for share in summary.shares) == pytest.approx(1)
    assert (summary.preference.votes, summary.preference.total) == (3, 5)
    for share in (*summary.shares, summary.preference):
        assert share.over_votes is not None
        assert share.over_people_and_pictures is not None
        assert share.over_votes.low <= (share.share or 0) <= share.over_votes.high


def test_summary_of_a_class_has_wider_intervals_over_people_and_pictures() -> None:
    summary = summarise(SimulatedStudies().draw(np.random.default_rng(6)))
    over_votes, over_units = summary.preference.over_votes, summary.preference.over_people_and_pictures
    assert over_votes is not None
    assert over_units is not None
    assert over_units.high - over_units.low > 2 * (over_votes.high - over_votes.low)


def test_summary_without_votes_claims_nothing() -> None:
    summary = summarise(collect_votes([], picture_count=4))
    assert (summary.people, summary.votes) == (0, 0)
    assert summary.preference.share is None
    assert summary.preference.over_votes is None
    assert [test.p_value for test in summary.signs] == [1, 1]


def test_pictures_are_ranked_by_the_second_networks_share(votes: Votes) -> None:
    ranked = rank_pictures(votes)
    assert [row.picture for row in ranked] == [2, 0, 1, 3]
    assert ranked[1].counts == (1, 2, 0, 0)
    assert ranked[3].preference.share is None


def test_people_are_chosen_with_all_of_their_votes(votes: Votes) -> None:
    chosen = choose_people(votes, {0, 2})
    assert (chosen.person_count, len(chosen), chosen.picture_count) == (2, 5, 4)
    assert choose_people(votes, set()).person_count == 0
    assert summarise(chosen).votes == 5
