from app.study.kinds import Ending, QuestionKind
from app.study.statistics.sign_test import SignTest
from app.study.statistics.votes import Outcome
from app.study.studies import Question, Study
from app.study.wording import (
    count_people,
    count_votes,
    describe_ending,
    describe_plan,
    describe_signs,
    title_outcomes,
)
from tests.study.makers import make_plan


def make_study(**plan: object) -> Study:
    kinds = (QuestionKind.PAIR, QuestionKind.PAIR, QuestionKind.SAME)
    questions = tuple(Question(number, kind, "x.jpg", "lynx", 1, 2, 4, 3) for number, kind in enumerate(kinds))
    return Study(1, "key", "secret", make_plan(pictures_each=1, **plan), questions, 0, None, None)


def test_plan_is_told_with_what_was_left_out_and_who_named_the_classes() -> None:
    told = describe_plan(make_study(people=5, only_both_right=True, left_out={"not readable (a.png: broken)": 1}))
    assert told[0] == "The study ends when 5 people have answered all of their questions."
    text = " ".join(told)
    for words in (
        "EfficientNet-Lite0 and EfficientNet-Lite0 + CBAM, of the lineup shipped; maps by gradcam, stage 4",
        "asked about 1 of 2 pictures, and 1 catch question,",
        "named by the pictures’ folders",
        "Both networks name every picture’s class rightly",
        "Pictures left out: 1 not readable (a.png: broken).",
    ):
        assert words in text, words
    assert "a guess" in " ".join(describe_plan(make_study(class_source="guess")))
    assert "left out" not in " ".join(describe_plan(make_study()))


def test_ending_by_hand_blames_a_rule_only_where_there_is_one() -> None:
    assert describe_ending(make_study(people=5), Ending.HAND) == "ended by hand, before its stopping rule did"
    assert describe_ending(make_study(), Ending.HAND) == "ended by hand"
    assert "enough people" in describe_ending(make_study(people=5), Ending.PEOPLE)


def test_sign_tests_and_numbers_are_sentences() -> None:
    plan = make_plan()
    sentence = describe_signs(SignTest("people", 3, 12, 2, 0.0352), plan)
    assert sentence == (
        "People leaning to EfficientNet-Lite0 + CBAM: 12, to EfficientNet-Lite0: 3, to neither: 2; p = 0.035"
    )
    assert describe_signs(SignTest("pictures", 0, 30, 0, 1e-9), plan).endswith("to EfficientNet-Lite0: 0; p < 0.001")
    assert [count_people(count) for count in (0, 1, 1200)] == ["0 people", "1 person", "1,200 people"]
    assert [count_votes(count) for count in (1, 2)] == ["1 vote", "2 votes"]


def test_every_outcome_has_a_title() -> None:
    titles = title_outcomes(make_plan())
    assert list(titles) == list(Outcome)
    assert len(set(titles.values())) == 4
