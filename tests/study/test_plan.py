import pytest

from tests.study.makers import make_plan

MOMENT = 1_795_789_800


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({"people": 100}, "The study ends when 100 people have answered all of their questions."),
        ({"people": 1}, "The study ends when one person has answered all of their questions."),
        ({"until": MOMENT}, "The study ends on 27 November 2026, 14:30 UTC."),
        (
            {"people": 1200, "until": MOMENT},
            "The study ends when 1,200 people have answered all of their questions or on 27 November 2026, 14:30 UTC, "
            "whichever comes first.",
        ),
        ({}, "None: it ends when its holder ends it."),
    ],
)
def test_stopping_rule_is_a_sentence(limits: dict[str, int], sentence: str) -> None:
    assert make_plan(**limits).stopping_rule == sentence


def test_plan_says_what_is_shown() -> None:
    assert "above 60 % of its maximum" in make_plan().shown
    assert "whole map" in make_plan(threshold=0).shown
