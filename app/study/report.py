"""The results of a study, as pages, files and the command line show them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from app.study.ballots import Ballot
from app.study.kinds import Ending, QuestionKind
from app.study.statistics.summary import PictureVotes, Summary, choose_people, rank_pictures, summarise
from app.study.statistics.votes import Votes, collect_votes
from app.study.studies import Question, Study, is_failed


@dataclass(frozen=True, slots=True)
class RankedPicture:
    """A picture's question, and its votes."""

    question: Question
    votes: PictureVotes


@dataclass(frozen=True, slots=True)
class CatchCount:
    """The answers to one kind of catch question: how many there are, and how many of them fail."""

    kind: QuestionKind
    answers: int
    failed: int


@dataclass(frozen=True, slots=True, eq=False)
class StudyReport:
    """The results.

    Attributes:
        study: the study.
        ending: what has ended it; None while it goes on.
        complete: the number of people who have answered everything.
        everyone: the results, with everybody's votes.
        passed: those of the people who answered catch questions and failed none.
        failed: those of the people who failed one or more.
        unchecked: the number of people who have answered no catch question.
        catches: the answers to catch questions.
        ranking: the pictures, those first whose second network is preferred most.
    """

    study: Study
    ending: Ending | None
    complete: int
    everyone: Summary
    passed: Summary
    failed: Summary
    unchecked: int
    catches: tuple[CatchCount, ...]
    ranking: tuple[RankedPicture, ...]


def build_report(study: Study, ballots: Sequence[Ballot], now: float) -> StudyReport:
    """Build the results of a study.

    Args:
        study: the study.
        ballots: its votes.
        now: the time, in seconds since 1970.
    """
    questions = {question.id: question for question in study.questions}
    places = {question.id: place for place, question in enumerate(study.pairs)}
    votes = collect_votes(
        [
            (ballot.person, places[ballot.question_id], ballot.outcome)
            for ballot in ballots
            if ballot.question_id in places
        ],
        len(places),
    )
    passed, failed, unchecked = _judge_people(ballots, questions)
    answered: defaultdict[str, int] = defaultdict(int)
    for ballot in ballots:
        answered[ballot.person] += 1
    numbers = {person: number for number, person in enumerate(_list_people(ballots, places))}

    def choose(people: set[str]) -> Votes:
        return choose_people(votes, {numbers[person] for person in people if person in numbers})

    return StudyReport(
        study=study,
        ending=study.find_end(now),
        complete=sum(count >= study.question_count for count in answered.values()),
        everyone=summarise(votes),
        passed=summarise(choose(passed)),
        failed=summarise(choose(failed)),
        unchecked=len(unchecked),
        catches=_count_catches(ballots, questions),
        ranking=tuple(RankedPicture(study.pairs[row.picture], row) for row in rank_pictures(votes)),
    )


def _list_people(ballots: Sequence[Ballot], places: dict[int, int]) -> list[str]:
    """The people with votes about pictures, in the order in which `collect_votes` numbers them."""
    return list(dict.fromkeys(ballot.person for ballot in ballots if ballot.question_id in places))


def _judge_people(ballots: Sequence[Ballot], questions: dict[int, Question]) -> tuple[set[str], set[str], set[str]]:
    """Those who failed no catch question, those who failed some, and those who answered none."""
    checked, failed = set(), set()
    for ballot in ballots:
        kind = questions[ballot.question_id].kind
        if kind is not QuestionKind.PAIR:
            checked.add(ballot.person)
        if is_failed(kind, ballot.outcome):
            failed.add(ballot.person)
    return checked - failed, failed, {ballot.person for ballot in ballots} - checked


def _count_catches(ballots: Sequence[Ballot], questions: dict[int, Question]) -> tuple[CatchCount, ...]:
    counts = []
    for kind in (QuestionKind.SAME, QuestionKind.TURNED):
        outcomes = [ballot.outcome for ballot in ballots if questions[ballot.question_id].kind is kind]
        counts.append(CatchCount(kind, len(outcomes), sum(is_failed(kind, outcome) for outcome in outcomes)))
    return tuple(counts)
