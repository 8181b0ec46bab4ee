from collections import Counter

import pytest

from app.study.kinds import Choice, QuestionKind
from app.study.statistics.votes import Outcome
from app.study.studies import Question, Study, arrange, is_failed, resolve
from tests.study.makers import make_plan

PICTURES = 12
EACH = 5


@pytest.fixture
def study() -> Study:
    kinds = [*[QuestionKind.PAIR] * PICTURES, QuestionKind.SAME, QuestionKind.TURNED]
    questions = tuple(
        Question(number, kind, f"{number}.jpg", "lynx", 2 * number, 2 * number + 1, 48, 32)
        for number, kind in enumerate(kinds)
    )
    return Study(1, "key", "secret", make_plan(pictures_each=EACH), questions, 0, None, None)


def test_everybody_gets_some_pictures_and_every_catch_question_once(study: Study) -> None:
    for person in ("ann", "ben", "cat"):
        slots = arrange(study, person)
        assert [slot.number for slot in slots] == list(range(1, EACH + 3)) == list(range(1, study.question_count + 1))
        assert len({slot.question.id for slot in slots}) == len(slots)
        assert {slot.question for slot in slots} >= set(study.catches)
        assert arrange(study, person) == slots


def test_order_pictures_and_sides_differ_between_people_and_are_even(study: Study) -> None:
    everybody = [arrange(study, f"person {number}") for number in range(600)]
    assert len({tuple(slot.question.id for slot in slots) for slots in everybody}) > 590
    asked = Counter(slot.question.id for slots in everybody for slot in slots)
    pairs = [asked[question.id] for question in study.pairs]
    # 250 are expected of each, with a standard deviation of 12.
    assert max(abs(count - 600 * EACH / PICTURES) for count in pairs) < 50
    places = Counter(slot.number for slots in everybody for slot in slots if slot.question.kind is QuestionKind.SAME)
    assert set(places) == set(range(1, EACH + 3))
    swapped = sum(slot.is_swapped for slots in everybody for slot in slots)
    total = sum(map(len, everybody))
    assert abs(swapped / total - 0.5) < 0.03


def test_fewer_pictures_than_each_person_should_see_are_all_shown(study: Study) -> None:
    few = Study(1, "key", "secret", make_plan(pictures_each=50), study.questions, 0, None, None)
    assert len(arrange(few, "ann")) == few.question_count == PICTURES + 2


def test_sides_are_the_images_that_an_answer_is_resolved_to(study: Study) -> None:
    for slot in arrange(study, "ann"):
        a, b = slot.images
        first = resolve(Choice.A, is_swapped=slot.is_swapped) is Outcome.FIRST
        assert (a if first else b) == slot.question.first_image
        assert resolve(Choice.A, is_swapped=slot.is_swapped) != resolve(Choice.B, is_swapped=slot.is_swapped)
        assert resolve(Choice.EQUAL, is_swapped=slot.is_swapped) is Outcome.EQUAL


def test_catch_questions_are_failed_by_a_preference_that_nothing_supports() -> None:
    assert [outcome for outcome in Outcome if is_failed(QuestionKind.SAME, outcome)] == [Outcome.FIRST, Outcome.SECOND]
    assert [outcome for outcome in Outcome if is_failed(QuestionKind.TURNED, outcome)] == [Outcome.SECOND]
    assert not any(is_failed(QuestionKind.PAIR, outcome) for outcome in Outcome)
