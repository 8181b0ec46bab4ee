import csv
import io
import json

import pytest

from app.study.ballots import Ballot
from app.study.export import write_report, write_votes
from app.study.kinds import Ending, QuestionKind
from app.study.report import build_report
from app.study.statistics.votes import Outcome
from app.study.studies import Question, Study
from tests.study.makers import make_plan

KINDS = (QuestionKind.PAIR, QuestionKind.PAIR, QuestionKind.SAME, QuestionKind.TURNED)


@pytest.fixture
def study() -> Study:
    names = ("=SUM(A1).jpg", "two.jpg", "three.jpg", "four.jpg")
    questions = tuple(
        Question(10 + place, kind, name, "lynx", 2 * place, 2 * place + 1, 48, 32)
        for place, (kind, name) in enumerate(zip(KINDS, names, strict=True))
    )
    return Study(1, "key", "secret", make_plan(pictures_each=2), questions, 0, 99, Ending.HAND)


BALLOTS = [
    Ballot("ann", 10, Outcome.SECOND, is_swapped=False),
    Ballot("ann", 11, Outcome.SECOND, is_swapped=True),
    Ballot("ann", 12, Outcome.EQUAL, is_swapped=False),
    Ballot("ann", 13, Outcome.FIRST, is_swapped=True),
    Ballot("ben", 12, Outcome.FIRST, is_swapped=False),
    Ballot("ben", 10, Outcome.FIRST, is_swapped=False),
    Ballot("cat", 13, Outcome.SECOND, is_swapped=False),
    Ballot("dan", 11, Outcome.CANNOT_TELL, is_swapped=False),
]
"""Ann passes; Ben prefers one of two equal maps, Cat a turned one and has no other vote; Dan was not asked."""


def test_people_who_fail_catch_questions_are_apart_and_still_counted(study: Study) -> None:
    report = build_report(study, BALLOTS, now=100)
    assert (report.everyone.people, report.everyone.votes) == (3, 4)
    assert (report.passed.people, report.passed.votes) == (1, 2)
    assert (report.failed.people, report.failed.votes) == (1, 1)
    assert (report.complete, report.unchecked) == (1, 1)
    assert [(count.kind, count.answers, count.failed) for count in report.catches] == [
        (QuestionKind.SAME, 2, 1),
        (QuestionKind.TURNED, 2, 1),
    ]
    assert report.ending is Ending.HAND
    assert [row.question.id for row in report.ranking] == [11, 10]


def test_json_has_every_number_under_the_networks_names(study: Study) -> None:
    told = json.loads(write_report(build_report(study, BALLOTS, now=100)))
    assert told["everyone"]["shares"]["cbam"]["votes"] == 2
    assert told["everyone"]["preference"]["for"] == "cbam"
    assert told["everyone"]["preference"]["share"] == pytest.approx(2 / 3)
    low, high = told["everyone"]["preference"]["wilson_over_votes"]
    assert 0 < low < 2 / 3 < high < 1
    assert told["failed_catch_questions"]["votes"] == 1
    assert told["catch_questions"]["turned"] == {"answers": 2, "failed": 1}
    assert told["pictures"][1]["votes"] == {"baseline": 1, "cbam": 1, "equal": 0, "cannot tell": 0}
    assert told["stopping_rule"] == study.plan.stopping_rule
    assert (told["ended_by"], told["confidence_level"]) == ("hand", 0.95)


def test_csv_has_every_vote_and_neither_cookies_nor_formulas(study: Study) -> None:
    text = write_votes(study, BALLOTS)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["person"], row["answer"], row["side_a"]) for row in rows[:5]] == [
        ("1", "cbam", "baseline"),
        ("1", "cbam", "cbam"),
        ("1", "equal", "original"),
        ("1", "original", "turned"),
        ("2", "original", "original"),
    ]
    assert len(rows) == len(BALLOTS)
    assert rows[0]["picture"] == "'=SUM(A1).jpg"
    assert "ben" not in text
