"""A study before it is in the database: its questions with their images."""

from dataclasses import dataclass

from app.study.kinds import QuestionKind
from app.study.plan import StudyPlan


@dataclass(frozen=True, slots=True, eq=False)
class DraftImage:
    """An image's file."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True, eq=False)
class DraftQuestion:
    """A question; see `app.study.studies.Question`. Both images may be the same object."""

    kind: QuestionKind
    name: str
    class_name: str
    first: DraftImage
    second: DraftImage
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class DraftStudy:
    """A study's plan and questions."""

    plan: StudyPlan
    questions: tuple[DraftQuestion, ...]
