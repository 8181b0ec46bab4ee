"""The results as files: JSON with every number, CSV with every vote."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from app.study.ballots import Ballot
from app.study.kinds import QuestionKind
from app.study.plan import StudyPlan
from app.study.report import StudyReport
from app.study.statistics.intervals import CONFIDENCE_LEVEL, Interval
from app.study.statistics.summary import Share, Summary
from app.study.statistics.votes import Outcome
from app.study.studies import Study

COLUMNS = ("person", "picture", "class", "kind", "answer", "side_a")

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""The first characters of a cell that spreadsheets would compute."""


def name_outcomes(plan: StudyPlan) -> dict[Outcome, str]:
    """Each outcome's name in a file."""
    first, second = plan.networks
    return {
        Outcome.FIRST: first.name,
        Outcome.SECOND: second.name,
        Outcome.EQUAL: "equal",
        Outcome.CANNOT_TELL: "cannot tell",
    }


def write_votes(study: Study, ballots: Sequence[Ballot]) -> str:
    """Every vote as a row of a CSV file; people are numbered anew in each file.

    For a catch question the answer says which image was preferred: `original`, or `turned` or `copy`.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    questions = {question.id: question for question in study.questions}
    people = {person: number for number, person in enumerate(dict.fromkeys(row.person for row in ballots), 1)}
    for ballot in ballots:
        question = questions[ballot.question_id]
        names = name_outcomes(study.plan)
        if question.kind is not QuestionKind.PAIR:
            other = "copy" if question.kind is QuestionKind.SAME else "turned"
            names |= {Outcome.FIRST: "original", Outcome.SECOND: other}
        side_a = names[Outcome.SECOND if ballot.is_swapped else Outcome.FIRST]
        cells = (question.name, question.class_name, question.kind.value, names[ballot.outcome], side_a)
        writer.writerow([people[ballot.person], *map(_make_text, cells)])
    return buffer.getvalue()


def write_report(report: StudyReport) -> str:
    """The results as JSON."""
    return json.dumps(describe_report(report), indent=2) + "\n"


def describe_report(report: StudyReport) -> dict[str, Any]:
    """The results as JSON's own types."""
    plan = report.study.plan
    names = name_outcomes(plan)
    return {
        **plan.model_dump(mode="json"),
        "stopping_rule": plan.stopping_rule,
        "ended_by": report.ending,
        "confidence_level": CONFIDENCE_LEVEL,
        "people_complete": report.complete,
        "people_without_a_catch_question": report.unchecked,
        "everyone": _describe_summary(report.everyone, plan),
        "passed_catch_questions": _describe_summary(report.passed, plan),
        "failed_catch_questions": _describe_summary(report.failed, plan),
        "catch_questions": {
            count.kind.value: {"answers": count.answers, "failed": count.failed} for count in report.catches
        },
        "pictures": [
            {
                "picture": row.question.name,
                "class": row.question.class_name,
                "votes": {names[outcome]: row.votes.counts[outcome] for outcome in Outcome},
                "preference": _describe_share(row.votes.preference),
            }
            for row in report.ranking
        ],
    }


def _describe_summary(summary: Summary, plan: StudyPlan) -> dict[str, Any]:
    names = name_outcomes(plan)
    return {
        "people": summary.people,
        "votes": summary.votes,
        "shares": {names[outcome]: _describe_share(summary.shares[outcome]) for outcome in Outcome},
        "preference": {"for": plan.networks[1].name, **_describe_share(summary.preference)},
        "sign_tests": {
            test.unit: {
                plan.networks[0].name: test.first,
                plan.networks[1].name: test.second,
                "ties": test.ties,
                "p_value": test.p_value,
            }
            for test in summary.signs
        },
    }


def _describe_share(share: Share) -> dict[str, Any]:
    return {
        "votes": share.votes,
        "of": share.total,
        "share": share.share,
        "wilson_over_votes": _describe_interval(share.over_votes),
        "bootstrap_over_people_and_pictures": _describe_interval(share.over_people_and_pictures),
    }


def _describe_interval(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def _make_text(cell: str) -> str:
    """A cell that a spreadsheet shows as it is: a file may have any name."""
    return f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell
