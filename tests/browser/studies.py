"""Blind studies for the browser's tests and screenshots: made on the page, with votes of simulated people."""

import random

from playwright.sync_api import Page

from app.pages.gallery import DIRECTORY
from app.study.ballots import Vote
from app.study.database.opening import open_database
from app.study.kinds import QuestionKind
from app.study.links import StudyLinks
from app.study.people import make_cookie, read_cookie
from app.study.statistics.votes import Outcome
from app.study.studies import arrange

WEIGHTS = (30, 45, 15, 10)
"""How often people answer: the first network, the second one, equal, cannot tell."""

FAILING_SHARE = 0.15
"""The share of people who prefer any side of a catch question."""


def open_form(page: Page, *names: str) -> None:
    """Open the form of a new study of gallery pictures, from the first page on, also without JavaScript."""
    page.goto("/")
    page.set_input_files("#image", [DIRECTORY / f"{name}.jpg" for name in names])
    # With JavaScript the files are sent as they are chosen.
    if (button := page.get_by_role("button", name="Compare")).is_visible():
        button.click()
    page.wait_for_url("**/sheets/*")
    page.get_by_role("button", name="Make a blind study of these rows").click()
    page.wait_for_url("**/study*")


def make_study(page: Page, *names: str, catches: int = 1) -> StudyLinks:
    """Make a study of gallery pictures; its links are on the page then."""
    open_form(page, *names)
    page.get_by_label("Name, which you alone see before the end").fill("Attention, 101")
    page.get_by_label("Pictures for each person").fill("5")
    page.get_by_label("Catch questions of each kind").fill(str(catches))
    page.get_by_role("button", name="Make the study").click()
    page.wait_for_url("**/s/*/links")
    return StudyLinks(page.url.rpartition("/s/")[2].partition("/")[0])


def let_people_vote(database: str, key: str, count: int) -> None:
    """Let simulated people answer everything; the same ones whenever this runs, but for their cookies."""
    dice = random.Random(23)  # noqa: S311  # nothing secret
    studies = open_database(database)
    study = studies.find(key)
    for _ in range(count):
        person = read_cookie(make_cookie(study.secret), study.secret) or ""
        fails = dice.random() < FAILING_SHARE
        for slot in arrange(study, person):
            if slot.question.kind is QuestionKind.PAIR:
                outcome = dice.choices(list(Outcome), WEIGHTS)[0]
            else:
                is_same = slot.question.kind is QuestionKind.SAME
                outcome = Outcome.SECOND if fails else Outcome.EQUAL if is_same else Outcome.FIRST
            studies.vote(Vote(study, person, slot.question.id, outcome, slot.is_swapped))
    studies.close()
