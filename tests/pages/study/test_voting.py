import pytest

from app.pages.study.voting import build_closed_page, build_question_page, build_start_page, find_next
from app.study.kinds import QuestionKind
from app.study.links import StudyLinks
from app.study.studies import Question, Study, arrange
from tests.study.makers import make_plan

LINKS = StudyLinks("key", root="/lens")


def make_study(*, width: int = 48, height: int = 32, **plan: object) -> Study:
    questions = tuple(
        Question(number, QuestionKind.PAIR, f"{number}.jpg", "lynx", 2 * number, 2 * number + 1, width, height)
        for number in range(4)
    )
    return Study(1, "key", "secret", make_plan(**plan), questions, 0, None, None)


@pytest.mark.parametrize(("width", "height", "is_wide"), [(64, 32, True), (32, 64, False), (32, 32, False)])
def test_wide_images_are_told_from_others(width: int, height: int, *, is_wide: bool) -> None:
    study = make_study(width=width, height=height)
    page = build_question_page(study, arrange(study, "ann")[0], links=LINKS)
    assert page.is_wide == is_wide
    assert [image.width for _, _, image in page.sides] == [width, width]


def test_sides_are_addressed_by_the_persons_own_number() -> None:
    study = make_study()
    slot = arrange(study, "ann")[1]
    page = build_question_page(study, slot, links=LINKS)
    assert [(letter, value, image.address) for letter, value, image in page.sides] == [
        ("A", "a", "/lens/s/key/questions/2/a"),
        ("B", "b", "/lens/s/key/questions/2/b"),
    ]
    assert (page.number, page.question_count, page.address) == (2, 3, "/lens/s/key/vote")


def test_whole_maps_and_regions_are_described_as_such() -> None:
    for threshold, word in ((0.6, "in colour"), (0, "heat map")):
        study = make_study(threshold=threshold)
        question = build_question_page(study, arrange(study, "ann")[0], links=LINKS)
        assert all(word in image.description for _, _, image in question.sides)
        assert word in build_start_page(study, 0, links=LINKS).shown


def test_next_question_is_the_first_without_an_answer() -> None:
    slots = arrange(make_study(), "ann")
    ids = [slot.question.id for slot in slots]
    assert find_next(slots, []) == slots[0]
    assert find_next(slots, [ids[0], ids[2]]) == slots[1]
    assert find_next(slots, ids) is None


def test_results_are_linked_after_the_end_alone() -> None:
    assert build_closed_page(has_ended=True, links=LINKS).results == "/lens/s/key/results"
    assert build_closed_page(has_ended=False, links=LINKS).results == ""
