"""A blind study in a real browser: a lecturer with a projector, a voter with a phone, and one without JavaScript."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pydantic import SecretStr

from app.settings import Settings
from app.study.links import StudyLinks
from tests.browser.pictures import find_overflow
from tests.browser.site import serve
from tests.browser.studies import make_study, open_form
from tests.browser.test_accessibility import AXE, SCHEMES, find_violations
from tests.conftest import encode, make_picture, skip_here
from tests.lineups import RESNET18_110
from tests.photographs import read_photograph

pytestmark = pytest.mark.slow(every=True)

TOKEN = "a-token-that-nobody-guesses"  # noqa: S105  # it opens nothing

PHONE: ViewportSize = {"width": 390, "height": 664}
"""A phone with its browser's bars."""


@dataclass(frozen=True, slots=True)
class Lecture:
    """A study on a running server: the server's address, and the two links that the command printed."""

    site: str
    voters: str
    results: str


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A database with a study of a wide picture, a tall one and a photograph, and its two links."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "motorcycle.png").write_bytes(read_photograph("motorcycle"))
    (folder / "wide.png").write_bytes(encode(make_picture(400, 160)))
    (folder / "tall.png").write_bytes(encode(make_picture(300, 480, seed=3)))
    database = tmp_path_factory.mktemp("database") / "studies.sqlite"
    words = ["study", "create", "--pictures", str(folder), "--lineup", str(RESNET18_110), "--people", "2"]
    # In a process of its own: playwright's event loop runs in this one.
    command = [sys.executable, "-c", "from app.cli import main; main()", *words, "--title", "Attention, 101"]
    env = {**os.environ, "CBAM_LENS_STUDY_DATABASE": str(database)}
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout  # noqa: S603  # our own
    voters, results = re.findall(r"http://127\.0\.0\.1:8000(/s/\S+)", told)
    return database, voters, results


@pytest.fixture
def lecture(browser: Browser, created: tuple[Path, str, str], tmp_path: Path) -> Iterator[Lecture]:
    """A server with a fresh copy of the study."""
    database, voters, results = created
    copy = shutil.copy(database, tmp_path)
    settings = Settings(
        device="cpu",
        lineups=(str(RESNET18_110),),
        study_database=SecretStr(str(copy)),
        api_tokens=(SecretStr(TOKEN),),
    )
    with serve(settings) as site:
        yield Lecture(site, voters, results)


def count_questions(page: Page) -> int:
    """The number of questions, from the title of one."""
    expect(page).to_have_title(re.compile(r"^Question \d+ of "))
    return int(page.title().split(" of ")[1].partition(":")[0])


def answer(page: Page, number: int, choice: str) -> None:
    """Answer a question by the button of this name, when the page shows it."""
    expect(page).to_have_title(re.compile(f"^Question {number} of "))
    page.get_by_role("button", name=choice).click()


def test_lecturer_and_two_voters(browser: Browser, lecture: Lecture) -> None:
    projector = browser.new_page(base_url=lecture.site, viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    projector.on("pageerror", lambda error: complaints.append(str(error)))
    projector.goto(lecture.results)
    expect(projector).to_have_url(f"{lecture.voters}/results")
    expect(projector.get_by_role("heading", name="Attention, 101")).to_be_visible()
    expect(projector.get_by_text("Everyone: 0 people, 0 votes")).to_be_visible()
    projector.get_by_role("link", name="QR code").click()
    expect(projector.get_by_text(lecture.site + lecture.voters)).to_be_visible()
    projector.wait_for_function("() => document.querySelector('.study-code-image').naturalWidth > 0")
    projector.go_back()

    phone = browser.new_context(base_url=lecture.site, viewport=PHONE, has_touch=True, is_mobile=True)
    first = phone.new_page()
    first.goto(lecture.voters)
    first.get_by_role("button", name="Begin").tap()
    first.locator(".study-image").first.wait_for()
    count = count_questions(first)
    for number in range(1, count + 1):
        answer(first, number, "A is better")
    expect(first.get_by_role("heading", name="Thank you")).to_be_visible()
    # Without a reload: the projector stays where it is.
    expect(projector.locator(".results-progress")).to_contain_text("1 person answered everything")

    plain = browser.new_context(base_url=lecture.site, java_script_enabled=False)
    second = plain.new_page()
    second.goto(lecture.voters)
    second.get_by_role("button", name="Begin").click()
    answer(second, 1, "Cannot tell")
    expect(second).to_have_title(re.compile(r"^Question 2 of "))
    # Going back and loading the page again leads to the question that is next.
    second.go_back()
    second.goto(f"{lecture.voters}/vote")
    for number in range(2, count + 1):
        answer(second, number, "Equal")
    # The second person's last answer has ended the study, by its rule.
    expect(second.get_by_role("heading", name="This study has ended")).to_be_visible()
    second.get_by_role("link", name="See the results").click()
    expect(second.get_by_text("ended by its stopping rule: enough people")).to_be_visible()
    expect(second.get_by_role("button", name="End the study now")).to_have_count(0)
    expect(projector.locator(".results-state")).to_contain_text("ended by its stopping rule")
    expect(projector.locator(".results-picture")).to_have_count(3)
    assert count >= 4
    assert complaints == []
    for context in (phone, plain, projector.context):
        context.close()


def test_question_fits_a_phone_without_scrolling_and_hides_who_is_who(browser: Browser, lecture: Lecture) -> None:
    page = browser.new_page(base_url=lecture.site, viewport=PHONE)
    page.goto(lecture.voters)
    page.get_by_role("button", name="Begin").click()
    seen = set()
    for number in range(1, count_questions(page) + 1):
        expect(page).to_have_title(re.compile(f"^Question {number} of "))
        page.wait_for_load_state()
        assert page.evaluate("document.documentElement.scrollHeight") <= PHONE["height"]
        assert find_overflow(page) == []
        assert all(image.evaluate("(image) => image.naturalWidth > 0") for image in page.locator(".study-image").all())
        seen.add(page.locator(".study-sides").get_attribute("data-shape"))
        assert not re.search("cbam(?!_lens)|baseline|resnet", page.locator("main").inner_html(), re.IGNORECASE)
        page.get_by_role("button", name="Equal").click()
    assert seen == {"wide", None}
    page.context.close()


def test_keyboard_alone_answers(browser: Browser, lecture: Lecture) -> None:
    page = browser.new_page(base_url=lecture.site)
    page.goto(lecture.voters)
    page.get_by_role("button", name="Begin").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile(r"^Question 1 of "))
    names = ("Skip to content", "A is better", "B is better", "Equal", "Cannot tell")
    for name in names:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent.trim()") == name
    page.keyboard.press("Space")
    expect(page).to_have_title(re.compile(r"^Question 2 of "))
    page.context.close()


def test_pages_have_no_serious_violation_and_fit_every_window(browser: Browser, lecture: Lecture) -> None:
    if not AXE.exists():
        skip_here("axe-core is not installed; run npm install --no-package-lock --prefix tests/browser")
    axe = AXE.read_text()
    page = browser.new_page(base_url=lecture.site, reduced_motion="reduce")
    links = StudyLinks(lecture.voters.rpartition("/")[2])
    page.goto(lecture.voters)
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="B is better").click()
    page.goto(lecture.results)
    found = {}
    for path in (links.voters, links.vote, links.results, links.code):
        page.goto(path)
        for width in (390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            found[f"{path}, {width}: beyond the edge"] = find_overflow(page)
            found[f"{path}, {width}: scrolls"] = page.evaluate("document.documentElement.scrollWidth") - width
            for scheme in SCHEMES if width != 768 else ():
                page.emulate_media(color_scheme=scheme)
                found[f"{path}, {width}, {scheme}: axe"] = find_violations(page, axe)
    assert {place: what for place, what in found.items() if what} == {}
    page.context.close()


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[str]:
    """A server without tokens, whose page creates studies."""
    database = SecretStr(str(tmp_path / "studies.sqlite"))
    with serve(Settings(device="cpu", lineups=(str(RESNET18_110),), study_database=database)) as site:
        yield site


@pytest.mark.parametrize("has_scripts", [True, False])
def test_study_is_made_used_and_deleted_on_the_page(browser: Browser, open_site: str, *, has_scripts: bool) -> None:
    context = browser.new_context(base_url=open_site, java_script_enabled=has_scripts, viewport=PHONE)
    page = context.new_page()
    open_form(page, "bee", "teddy", "lynx")
    page.get_by_label("After so many people").fill("many")
    page.get_by_label("Name, which you alone see before the end").fill("Attention, 102")
    page.get_by_role("button", name="Make the study").click()
    # Beside its field, and what was filled in is still there.
    people = page.get_by_label("After so many people")
    expect(people).to_have_accessible_description(re.compile("“many” does not fit here. Give a whole number"))
    people.fill("1")
    page.get_by_role("button", name="Make the study").click()
    expect(page.get_by_role("heading", name="Attention, 102")).to_be_visible()
    expect(page.get_by_text("when one person has answered")).to_be_visible()
    voters, admin = (link.get_attribute("href") or "" for link in page.locator(".study-address a").all())
    assert admin.startswith(f"{voters}/admin/")
    page.reload()
    expect(page.get_by_role("link", name=admin)).to_be_visible()

    phone = browser.new_context(viewport=PHONE, java_script_enabled=has_scripts)
    voter = phone.new_page()
    voter.goto(voters)
    voter.get_by_role("button", name="Begin").click()
    for number in range(1, count_questions(voter) + 1):
        answer(voter, number, "Equal")
    expect(voter.get_by_role("heading", name="This study has ended")).to_be_visible()

    # The second link makes any browser the holder's.
    other = browser.new_context(java_script_enabled=has_scripts)
    holder = other.new_page()
    holder.goto(admin)
    expect(holder.get_by_text("1 person answered everything")).to_be_visible()
    holder.get_by_role("link", name="Links, deletion").click()
    holder.get_by_role("checkbox").check()
    holder.get_by_role("button", name="Delete").click()
    expect(holder.get_by_role("heading", name="Deleted")).to_be_visible()
    gone = voter.goto(voters)
    assert gone is not None
    assert gone.status == 404
    for opened in (context, phone, other):
        opened.close()


def test_pages_of_a_new_study_have_no_serious_violation_and_fit_every_window(browser: Browser, open_site: str) -> None:
    if not AXE.exists():
        skip_here("axe-core is not installed; run npm install --no-package-lock --prefix tests/browser")
    axe = AXE.read_text()
    page = browser.new_page(base_url=open_site, reduced_motion="reduce")
    found = {}

    def look(place: str) -> None:
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            found[f"{place}, {width}: beyond the edge"] = find_overflow(page)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                found[f"{place}, {width}, {scheme}: axe"] = find_violations(page, axe)

    open_form(page, "bee", "teddy")
    look("form")
    page.get_by_label("Threshold in per cent").fill("100")
    page.get_by_label("Only pictures that both networks name rightly").check()
    page.get_by_role("button", name="Make the study").click()
    expect(page.get_by_text("does not fit here")).to_be_visible()
    look("form with errors")
    make_study(page, "bee", "teddy")
    look("links")
    assert {place: what for place, what in found.items() if what} == {}
    page.context.close()


def test_results_are_printed_without_their_buttons(browser: Browser, lecture: Lecture) -> None:
    page = browser.new_page(base_url=lecture.site)
    page.goto(lecture.results)
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="QR code")).to_be_hidden()
    expect(page.get_by_role("button", name="End the study now")).to_be_hidden()
    expect(page.get_by_text("Everyone: 0 people, 0 votes")).to_be_visible()
    expect(page.get_by_role("heading", name="Fixed beforehand")).to_be_visible()
    page.context.close()
