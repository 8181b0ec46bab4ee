"""Votes as they are stored."""

from dataclasses import dataclass

from app.study.statistics.votes import Outcome


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
