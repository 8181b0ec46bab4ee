from collections.abc import Sequence

from app.study.ballots import Ballot, Vote
from app.study.database.store import Studies
from app.study.kinds import Ending
from app.study.report_cache import ReportCache
from app.study.statistics.votes import Outcome
from app.study.studies import Study, arrange
from tests.study.makers import make_draft, make_person


def test_results_are_built_again_for_other_votes_and_at_the_end_alone(studies: Studies) -> None:
    key = studies.create(make_draft()).key
    cache, built = ReportCache(), []

    def list_ballots(study: Study) -> Sequence[Ballot]:
        built.append(study)
        return studies.list_ballots(study)

    def look() -> tuple[int, Ending | None]:
        study = studies.find(key)
        report = cache.find(study, studies.count_votes(study), list_ballots, 0)
        return report.everyone.votes + sum(count.answers for count in report.catches), report.ending

    study = studies.find(key)
    person = make_person(study)
    first, second = arrange(study, person)[:2]
    assert look() == look() == (0, None)
    for expected, slot in enumerate((first, second), 1):
        assert studies.vote(Vote(study, person, slot.question.id, Outcome.EQUAL, slot.is_swapped))
        assert look() == look() == (expected, None)
    studies.end(study)
    assert look() == look() == (2, Ending.HAND)
    assert len(built) == 4
    cache.forget(study)
    assert look() == (2, Ending.HAND)
    assert len(built) == 5
