"""A study, its questions, and what is on each side of them for one person."""

import hashlib
from dataclasses import dataclass
from functools import partial

from app.study.kinds import Choice, Ending, QuestionKind
from app.study.plan import StudyPlan
from app.study.statistics.votes import Outcome

NO_STUDY = "no study has this link, or it was deleted; ask whoever gave you the link"
"""The same for every link, so that no answer tells a deleted study from one that never was."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a study.

    Attributes:
        id: its number in the database.
        kind: what its sides are.
        name: the picture's file name.
        class_name: the class that the maps explain.
        first_image, second_image: of a pair, the first network's map and the second's; of a catch question, the map
            and the same again, or the turned one.
        width, height: the images' size in pixels.
    """

    id: int
    kind: QuestionKind
    name: str
    class_name: str
    first_image: int
    second_image: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A study as it is now.

    Attributes:
        id: its number in the database.
        key: the secret of the voters' link.
        secret: signs the cookies of its people.
        plan: what is fixed.
        questions: its pairs and catch questions.
        opened_at: when it was opened, in seconds since 1970; None before.
        closed_at: when a person's last answer or its holder ended it; None before, and where its time ended it.
        closed_by: which of the two.
    """

    id: int
    key: str
    secret: str
    plan: StudyPlan
    questions: tuple[Question, ...]
    opened_at: int | None
    closed_at: int | None
    closed_by: Ending | None

    @property
    def pairs(self) -> tuple[Question, ...]:
        """The questions about both networks' maps."""
        return tuple(question for question in self.questions if question.kind is QuestionKind.PAIR)

    @property
    def catches(self) -> tuple[Question, ...]:
        """The catch questions, which everybody is asked."""
        return tuple(question for question in self.questions if question.kind is not QuestionKind.PAIR)

    @property
    def question_count(self) -> int:
        """The number of questions for each person."""
        return min(self.plan.pictures_each, len(self.pairs)) + len(self.catches)

    def find_end(self, now: float) -> Ending | None:
        """What has ended the study; None before its end."""
        if self.closed_by is not None:
            return self.closed_by
        return Ending.TIME if self.plan.until is not None and now >= self.plan.until else None

    def is_open(self, now: float) -> bool:
        """Whether votes are accepted."""
        return self.opened_at is not None and self.find_end(now) is None


@dataclass(frozen=True, slots=True)
class Slot:
    """A question in one person's order.

    Attributes:
        number: its place, from 1.
        question: the question.
        is_swapped: whether the second image is side A.
    """

    number: int
    question: Question
    is_swapped: bool

    @property
    def images(self) -> tuple[int, int]:
        """The images of sides A and B."""
        sides = (self.question.first_image, self.question.second_image)
        return sides[::-1] if self.is_swapped else sides


def arrange(study: Study, person: str) -> tuple[Slot, ...]:
    """The questions of one person: some of the pictures, and every catch question, in an order of the person's own.

    Hashes decide, not a generator: a person who comes back after a restart or an update finds the same questions.
    """

    def draw(purpose: str, question: Question) -> bytes:
        return hashlib.sha256(f"{purpose}\0{person}\0{question.id}".encode()).digest()

    chosen = sorted(study.pairs, key=partial(draw, "choice"))[: study.plan.pictures_each]
    ordered = sorted((*chosen, *study.catches), key=partial(draw, "order"))
    return tuple(
        Slot(number, question, is_swapped=bool(draw("sides", question)[0] & 1))
        for number, question in enumerate(ordered, 1)
    )


def resolve(choice: Choice, *, is_swapped: bool) -> Outcome:
    """What an answer says about the first and the second image."""
    if choice is Choice.EQUAL:
        return Outcome.EQUAL
    if choice is Choice.CANNOT_TELL:
        return Outcome.CANNOT_TELL
    return Outcome.FIRST if (choice is Choice.A) != is_swapped else Outcome.SECOND


def is_failed(kind: QuestionKind, outcome: Outcome) -> bool:
    """Whether an outcome fails a catch question; `cannot tell` fails none."""
    if kind is QuestionKind.SAME:
        return outcome in (Outcome.FIRST, Outcome.SECOND)
    return kind is QuestionKind.TURNED and outcome is Outcome.SECOND
