"""The voters' pages: the beginning, one question, and the end. No network is named and no P is told."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from app.pages.addresses import PageImage
from app.study.kinds import Choice
from app.study.links import StudyLinks
from app.study.studies import Slot, Study


@dataclass(frozen=True, slots=True)
class StudyStartPage:
    """The beginning of a study.

    Attributes:
        address: where the form is sent.
        question_count: the number of questions.
        answered: how many of them this person has answered.
        shown: what each side shows, as a sentence.
    """

    template: ClassVar[str] = "study_start.html"
    address: str
    question_count: int
    answered: int
    shown: str


@dataclass(frozen=True, slots=True)
class StudyQuestionPage:
    """One question.

    Attributes:
        address: where the answer is sent.
        number, question_count: the question's place in the person's order, and how many there are.
        class_name: the class that both maps explain.
        hint: what the bright part is.
        sides: each side's letter, its answer's value and its image.
        is_wide: whether the images are wider than high; on a phone they then lie one below the other.
    """

    template: ClassVar[str] = "study_question.html"
    address: str
    number: int
    question_count: int
    class_name: str
    hint: str
    sides: tuple[tuple[str, str, PageImage], ...]
    is_wide: bool


@dataclass(frozen=True, slots=True)
class StudyEndPage:
    """The end of a study, for a person or for all.

    Attributes:
        title: the heading.
        sentence: what comes next.
        results: the path of the results; empty while they are hidden.
    """

    template: ClassVar[str] = "study_end.html"
    title: str
    sentence: str
    results: str = ""


def build_start_page(study: Study, answered: int, *, links: StudyLinks) -> StudyStartPage:
    """Build the beginning, for a person who has answered some questions or none."""
    shown = (
        "Each side shows a heat map over the same picture."
        if study.plan.threshold == 0
        else "Each side shows the same picture; one part of it is in colour, the rest is dark."
    )
    return StudyStartPage(links.voters, study.question_count, answered, shown)


def build_question_page(study: Study, slot: Slot, *, links: StudyLinks) -> StudyQuestionPage:
    """Build a question."""
    question = slot.question
    is_whole = study.plan.threshold == 0
    part = "heat map" if is_whole else "part in colour"
    sides = tuple(
        (
            letter,
            choice.value,
            PageImage(
                links.image(slot.number, choice.value),
                f"Side {letter}: the picture for ‘{question.class_name}’, with a {part}",
                question.width,
                question.height,
            ),
        )
        for letter, choice in (("A", Choice.A), ("B", Choice.B))
    )
    return StudyQuestionPage(
        address=links.vote,
        number=slot.number,
        question_count=study.question_count,
        class_name=question.class_name,
        hint="Bright colours are where it looks." if is_whole else "Judge the part in colour.",
        sides=sides,
        is_wide=question.width > question.height,
    )


def find_next(slots: Collection[Slot], answered: Collection[int]) -> Slot | None:
    """The first question that a person has not answered; None after the last one."""
    return next((slot for slot in slots if slot.question.id not in answered), None)


def build_thanks_page() -> StudyEndPage:
    """Build the page after a person's last answer."""
    return StudyEndPage("Thank you", "All of your answers are counted. You can close this page.")


def build_full_page() -> StudyEndPage:
    """Build the page for somebody for whom the study has no room."""
    sentence = "It has as many people as this server allows, so you cannot take part. Tell whoever gave you the link."
    return StudyEndPage("This study is full", sentence)


def build_deleted_page(study: Study) -> StudyEndPage:
    """Build the holder's page after the study was deleted."""
    return StudyEndPage("Deleted", f"“{study.plan.title}”, its votes and its pictures are deleted.")


def build_closed_page(*, has_ended: bool, links: StudyLinks) -> StudyEndPage:
    """Build the page of a study that takes no votes."""
    if not has_ended:
        return StudyEndPage("Not open yet", "This study has not begun. Wait for a sign, then load this page again.")
    sentence = "It takes no more answers. Those that you gave are counted."
    return StudyEndPage("This study has ended", sentence, links.results)
