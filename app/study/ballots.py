"""Votes on their way into the database, and as they are stored."""

from dataclasses import dataclass

from app.study.statistics.votes import Outcome
from app.study.studies import Study


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote.

    Attributes:
        person: the person, as `people.read_cookie` gives them.
        question_id: the question.
        outcome: what the answer says about the first and the second image.
        is_swapped: whether the second image was side A.
    """

    person: str
    question_id: int
    outcome: Outcome
    is_swapped: bool


@dataclass(frozen=True, slots=True)
class Vote:
    """A person's answer to one question.

    Attributes:
        study: the study.
        person: the person, as `people.read_cookie` gives them.
        question_id: the question.
        outcome: what the answer says about the first and the second image.
        is_swapped: whether the second image was side A.
    """

    study: Study
    person: str
    question_id: int
    outcome: Outcome
    is_swapped: bool
