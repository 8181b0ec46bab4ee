"""Sentences about a study, for the pages and the terminal."""

from app.numbers import format_thousandths
from app.study.kinds import Ending
from app.study.plan import ClassSource, StudyPlan
from app.study.statistics.sign_test import SignTest
from app.study.statistics.votes import Outcome
from app.study.studies import Study

ENDINGS = {
    Ending.PEOPLE: "ended by its stopping rule: enough people",
    Ending.TIME: "ended by its stopping rule: its time is over",
    Ending.HAND: "ended by hand, before its stopping rule did",
}


CLASS_SOURCES: dict[ClassSource, str] = {
    "folders": "the pictures’ folders",
    "guess": "the networks together: a guess",
    "sheet": "the study’s holder",
    "mixed": "the study’s holder for some pictures; for the others by the networks together: a guess",
}


def describe_ending(study: Study, ending: Ending) -> str:
    """What ended a study."""
    if ending is Ending.HAND and study.plan.people is None and study.plan.until is None:
        return "ended by hand"
    return ENDINGS[ending]


def describe_plan(study: Study) -> tuple[str, ...]:
    """What was fixed beforehand, a sentence each; the stopping rule comes first."""
    plan = study.plan
    first, second = plan.networks
    sentences = [
        plan.stopping_rule,
        plan.shown,
        f"Networks: {first.title} and {second.title}, of the lineup {plan.lineup}; "
        f"maps by {plan.method}, stage {plan.stage}.",
        f"Each person is asked about {plan.pictures_each} of {len(study.pairs)} pictures, and "
        f"{_count_catches(len(study.catches))}, in an order and with sides of their own.",
        f"Classes are named by {CLASS_SOURCES[plan.class_source]}.",
    ]
    if plan.only_both_right:
        sentences.append("Both networks name every picture’s class rightly; others were left out.")
    if plan.left_out:
        reasons = "; ".join(f"{count} {reason}" for reason, count in plan.left_out.items())
        sentences.append(f"Pictures left out: {reasons}.")
    return tuple(sentences)


def count_people(count: int) -> str:
    """A number of people in words."""
    return "1 person" if count == 1 else f"{count:,} people"


def count_votes(count: int) -> str:
    """A number of votes in words."""
    return "1 vote" if count == 1 else f"{count:,} votes"


def _count_catches(count: int) -> str:
    return "1 catch question" if count == 1 else f"{count} catch questions"


def title_outcomes(plan: StudyPlan) -> dict[Outcome, str]:
    """Each outcome's title for people."""
    first, second = plan.networks
    return {
        Outcome.FIRST: f"{first.title} better",
        Outcome.SECOND: f"{second.title} better",
        Outcome.EQUAL: "Equal",
        Outcome.CANNOT_TELL: "Cannot tell",
    }


def describe_signs(test: SignTest, plan: StudyPlan) -> str:
    """A sign test's result in words."""
    first, second = plan.networks
    ties = f", to neither: {test.ties}" if test.ties else ""
    p = "p < 0.001" if test.p_value < 0.0005 else f"p = {format_thousandths(test.p_value)}"
    unit = test.unit.capitalize()
    return f"{unit} leaning to {second.title}: {test.second}, to {first.title}: {test.first}{ties}; {p}"
