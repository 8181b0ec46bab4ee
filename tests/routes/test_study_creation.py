"""A blind study that is made on the page, of a sheet's rows."""

import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from app.main import create_app
from app.settings import Settings
from app.study.access import opening
from app.study.database.store import Studies
from app.study.kinds import QuestionKind
from app.study.studies import Study
from models.lineups.lineup import Lineup
from tests.conftest import encode, make_picture
from tests.photographs import read_photograph
from tests.study.makers import make_draft
from tests.study.site import answer, begin

TOKEN = "a-token-that-nobody-guesses"  # noqa: S105  # it opens nothing

FORM = {
    "title": "Attention, 101",
    "first": "baseline",
    "second": "cbam",
    "threshold": "60",
    "pictures_each": "2",
    "catches": "1",
    "people": "30",
    "minutes": "",
}

PICTURES = {
    "bike.png": read_photograph("motorcycle"),
    "noise.png": encode(make_picture(120, 80)),
    "broken.png": b"no picture",
    "other.png": encode(make_picture(90, 120, seed=2)),
}


def make_client(lineup: Lineup, database: str, **settings: Any) -> TestClient:
    app = create_app(Settings(study_database=SecretStr(database), **settings), lineups=[lineup])
    return TestClient(app, headers={"Accept": "text/html"})


@pytest.fixture
def client(lineup: Lineup, database: str) -> Iterator[TestClient]:
    with make_client(lineup, database) as client:
        yield client


def make_sheet(client: TestClient) -> str:
    """The path of a sheet of four files, one of which is no picture."""
    files = [("image", (name, content)) for name, content in PICTURES.items()]
    made = client.post("/sheets", files=files, follow_redirects=False)
    assert made.status_code == 303, made.text
    return str(made.headers["location"])


@pytest.fixture
def sheet(client: TestClient) -> str:
    return make_sheet(client)


def read_form(html: str) -> tuple[str, dict[str, str]]:
    """Where the form is sent, and what it sends as it stands."""
    action = re.search(r'<form class="study-form"[^>]* action="([^"]+)"', html)
    assert action is not None, html
    values = dict(re.findall(r'<input [^>]*name="(\w+)" value="([^"]*)"', html))
    for name, options in re.findall(r'<select [^>]*name="(\w+)".*?>(.*?)</select>', html, re.DOTALL):
        values[name] = re.findall(r'value="([^"]+)" selected', options)[0]
    if 'name="only_both_right" value="yes" checked' not in html:
        values.pop("only_both_right")
    return unescape(action[1]), values


def read_problem(html: str, name: str) -> str:
    """The sentence beside a field, which the field refers to."""
    found = re.search(rf'id="study-problem-{name}">(.*?)</p>', html)
    assert found is not None, html
    assert re.search(rf'name="{name}"[^>]*aria-describedby="[^"]*study-problem-{name}[^"]*" aria-invalid="true"', html)
    return unescape(found[1])


def create(client: TestClient, sheet: str, **changes: str) -> Any:
    return client.post(f"{sheet}/study", data=FORM | changes, follow_redirects=False)


def find_only(studies: Studies) -> Study:
    (study,) = studies.list_all()
    return study


def list_pairs(study: Study) -> list[str]:
    return [question.name for question in study.pairs]


def test_sheet_leads_to_a_form_that_makes_a_study_as_it_stands(
    client: TestClient, sheet: str, studies: Studies
) -> None:
    page = client.get(sheet).text
    assert f'formaction="{sheet}/study">Make a blind study of these rows' in page
    form = client.get(f"{sheet}/study")
    assert form.headers["cache-control"] == "no-store"
    assert "Of 3 pictures of" in form.text
    action, values = read_form(form.text)
    assert values.pop("ticket")
    assert values == {
        **FORM,
        "title": "Blind study",
        "pictures_each": "10",
        "people": "100",
        "second": "cbam",
        "minutes": "",
    }
    made = client.post(action, data=values, follow_redirects=False)
    study = find_only(studies)
    assert (made.status_code, made.headers["location"]) == (303, f"/s/{study.key}/links")
    assert set(list_pairs(study)) <= set(PICTURES) - {"broken.png"}
    assert len(study.pairs) + sum(study.plan.left_out.values()) == 4
    assert any("broken.png" in reason for reason in study.plan.left_out)
    assert (study.plan.threshold, study.plan.people, study.plan.until) == (0.6, 100, None)
    assert study.plan.class_source == "guess"
    assert study.is_open(time.time())
    begin(client, study.key)
    assert answer(client, study.key, 1, "a") == 303
    assert studies.count_people(study) == 1


def test_holder_gets_all_links_and_nobody_else_does(client: TestClient, sheet: str, studies: Studies) -> None:
    made = create(client, sheet)
    study = find_only(studies)
    cookie = made.headers["set-cookie"]
    assert f"Path=/s/{study.key}" in cookie
    assert "HttpOnly" in cookie
    page = client.get(f"/s/{study.key}/links", headers={"Host": "lens.example"})
    assert page.headers["cache-control"] == "no-store"
    admin = re.search(rf"http://lens\.example/s/{study.key}/admin/([\w-]+)", page.text)
    assert admin is not None
    assert studies.find_for_admin(study.key, admin[1]).key == study.key
    assert f">http://lens.example/s/{study.key}</a>" in page.text
    assert client.get(f"/s/{study.key}/code.svg").text.startswith("<svg")
    assert "when 30 people have answered" in page.text
    assert "Only this machine" not in page.text
    assert "Only this machine" in client.get(f"/s/{study.key}/links", headers={"Host": "127.0.0.1:8000"}).text
    stranger = TestClient(client.app, headers={"Accept": "text/html"})
    for path in ("links", "results"):
        refused = stranger.get(f"/s/{study.key}/{path}")
        assert refused.status_code == 403
        assert admin[1] not in refused.text
    assert stranger.get(f"/s/{study.key}/admin/{admin[1]}x").status_code == 404
    # In the log and the addresses it is nowhere else.
    assert admin[1] not in made.headers["location"]


def test_chosen_rows_and_classes_of_the_sheet_are_the_studys(client: TestClient, sheet: str, studies: Studies) -> None:
    chosen = f"{sheet}/study?rows=1&rows=4&row_target=4:dalmatian&stage=3&method=hirescam"
    action, values = read_form(client.get(chosen).text)
    made = client.post(action, data=values | FORM, follow_redirects=False)
    assert made.status_code == 303, made.text
    study = find_only(studies)
    classes = {question.name: question.class_name for question in study.pairs}
    assert classes == {"bike.png": "motorbikes", "other.png": "dalmatian"}
    assert (study.plan.stage, study.plan.method, study.plan.class_source) == (3, "hirescam", "mixed")


def test_form_counts_the_rows_that_the_sheet_shows(client: TestClient, sheet: str) -> None:
    assert "Of 3 pictures" in client.get(f"{sheet}/study").text
    shown = client.get(sheet, params={"only": "disagree"}).text.count('class="sheet-images"')
    assert f"Of {shown} picture" in client.get(f"{sheet}/study", params={"only": "disagree"}).text
    nothing = client.post(f"{sheet}/study", params={"without": "1,2,3,4"}, data=FORM)
    assert nothing.status_code == 422
    assert "The sheet shows no picture; go back to it and show all rows." in unescape(nothing.text)


def test_only_both_right_wants_classes_that_a_person_set(client: TestClient, sheet: str, studies: Studies) -> None:
    refused = create(client, sheet, only_both_right="yes")
    assert refused.status_code == 422
    assert "set the rows' classes on the sheet" in read_problem(refused.text, "only_both_right")
    # What was filled in is still there.
    assert read_form(refused.text)[1]["title"] == "Attention, 101"
    assert read_form(refused.text)[1]["only_both_right"] == "yes"
    named = client.post(
        f"{sheet}/study?row_target=1:motorbikes,4:accordion",
        data=FORM | {"only_both_right": "yes"},
        follow_redirects=False,
    )
    assert named.status_code == 303, named.text
    study = find_only(studies)
    assert list_pairs(study) == ["bike.png"]
    assert study.plan.left_out["without a class that a person set"] == 1
    assert study.plan.left_out["not named rightly by both networks"] == 1
    assert study.plan.class_source == "sheet"


@pytest.mark.parametrize(
    "wrong",
    [
        ("title", "", "The name has 0 characters. Give it 1 to 100 of them."),
        ("title", "x" * 101, "The name has 101 characters. Give it 1 to 100 of them."),
        ("threshold", "100", "“100” does not fit here. Give a whole number from 0 to 99."),
        ("threshold", "0.6", "“0.6” does not fit here. Give a whole number from 0 to 99."),
        ("pictures_each", "0", "“0” does not fit here. Give a whole number from 1 to 200."),
        ("pictures_each", "²", "“²” does not fit here. Give a whole number from 1 to 200."),
        ("catches", "-1", "“-1” does not fit here. Give a whole number from 0 to 5."),
        ("people", "5001", "“5001” does not fit here. Give a whole number from 1 to 5,000, or nothing."),
        ("people", "", "A study needs a stopping rule. Give a number of people, or a time."),
        ("minutes", "soon", "“soon” does not fit here. Give a whole number from 1 to 43,200, or nothing."),
        ("first", "other", "“other” is none of the networks. Choose one of baseline, cbam."),
        ("second", "baseline", "Both sides would show one network. Choose another one."),
        ("title", "'); DROP TABLE study; --<script>" + "x" * 100, "The name has 132 characters."),
    ],
)
def test_wrong_field_is_explained_beside_it_and_nothing_is_made(
    client: TestClient, sheet: str, studies: Studies, wrong: tuple[str, str, str]
) -> None:
    field, value, sentence = wrong
    refused = create(client, sheet, **{field: value})
    assert refused.status_code == 422
    assert read_problem(refused.text, field).startswith(sentence)
    assert "<script>" not in refused.text
    assert studies.list_all() == []


def test_time_is_a_stopping_rule_from_now(client: TestClient, sheet: str, studies: Studies) -> None:
    before = int(time.time())
    assert create(client, sheet, people="", minutes="90").status_code == 303
    plan = find_only(studies).plan
    assert plan.people is None
    assert plan.until is not None
    assert before + 5400 <= plan.until <= time.time() + 5400


def test_names_of_any_letters_are_shown_as_text(client: TestClient, sheet: str, studies: Studies) -> None:
    assert create(client, sheet, title="<b>'\"; DROP TABLE study\r\n\0 ·").status_code == 303
    study = find_only(studies)
    assert study.plan.title == "<b>'\"; DROP TABLE study ·"
    page = client.get(f"/s/{study.key}/links").text
    assert "<b>" not in page
    assert "&lt;b&gt;&#39;&#34;; DROP TABLE study ·" in page


def test_form_that_is_sent_twice_makes_one_study(client: TestClient, sheet: str, studies: Studies) -> None:
    sent = [create(client, sheet, ticket="a-ticket-of-one-form") for _ in range(2)]
    study = find_only(studies)
    assert {answer.headers["location"] for answer in sent} == {f"/s/{study.key}/links"}
    assert sent[0].headers["set-cookie"] == sent[1].headers["set-cookie"]
    # Another form makes another one.
    assert create(client, sheet, ticket="a-ticket-of-another").status_code == 303
    assert len(studies.list_all()) == 2


def test_page_creates_as_many_studies_as_the_server_keeps(lineup: Lineup, database: str, studies: Studies) -> None:
    first = studies.create(make_draft())
    with make_client(lineup, database, page_studies=2) as client:
        sheet = make_sheet(client)
        assert create(client, sheet).status_code == 303
        refused = create(client, sheet)
        assert refused.status_code == 422
        assert "This server keeps 2 studies" in unescape(refused.text)
        assert "delete one by its second link" in unescape(refused.text)
        assert len(studies.list_all()) == 2
        studies.delete(studies.find(first.key))
        assert create(client, sheet).status_code == 303


def test_server_whose_page_creates_none_has_no_form(lineup: Lineup, database: str, studies: Studies) -> None:
    with make_client(lineup, database, page_studies=0) as client:
        sheet = make_sheet(client)
        assert "blind study" not in client.get(sheet).text
        assert client.get(f"{sheet}/study").status_code == 404
        refused = create(client, sheet)
        assert refused.status_code == 404
        assert "cbam-lens study create" in refused.text
    assert studies.list_all() == []


def test_server_without_the_packages_has_no_form(
    client: TestClient, sheet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "PACKAGES", ("a_package_that_nobody_has",))
    assert "blind study" not in client.get(sheet).text
    assert client.get(f"{sheet}/study").status_code == 404


def test_creation_needs_the_servers_token_and_an_own_page(lineup: Lineup, database: str, studies: Studies) -> None:
    with make_client(lineup, database, api_tokens=(SecretStr(TOKEN),)) as client:
        own = TestClient(client.app, headers={"Authorization": f"Bearer {TOKEN}", "Accept": "text/html"})
        sheet = make_sheet(own)
        for refused in (client.get(f"{sheet}/study", follow_redirects=False), create(client, sheet)):
            assert refused.status_code in {303, 401}
            assert "study" not in refused.headers.get("set-cookie", "")
        foreign = own.post(f"{sheet}/study", data=FORM, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403
        assert studies.list_all() == []
        assert create(own, sheet).status_code == 303
        study = find_only(studies)
        # Its voters need their link alone.
        begin(client, study.key)


def test_sheet_that_is_gone_makes_no_study(client: TestClient) -> None:
    assert client.get("/sheets/aaaaaaaaaaaaaaaaaaaaaa/study").status_code == 404
    assert create(client, "/sheets/aaaaaaaaaaaaaaaaaaaaaa").status_code == 404


def test_pictures_of_which_none_can_be_used_are_explained(client: TestClient, sheet: str, studies: Studies) -> None:
    refused = client.post(f"{sheet}/study?rows=3", data=FORM)
    assert refused.status_code == 422
    assert "None of the pictures can be used: 1 not compared (broken.png" in unescape(refused.text)
    assert studies.list_all() == []


def test_pictures_that_take_too_long_are_refused_with_the_remedy(
    lineup: Lineup, database: str, studies: Studies, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make_client(lineup, database) as client:
        sheet = make_sheet(client)
        monkeypatch.setattr("app.routes.study_creation.DEADLINE_SHARE", 1e-6)
        refused = create(client, sheet)
    assert refused.status_code == 422
    assert "choose fewer rows on the sheet" in unescape(refused.text)
    assert studies.list_all() == []


def test_holder_deletes_the_study_with_its_pictures(
    client: TestClient, sheet: str, studies: Studies, database: str
) -> None:
    create(client, sheet)
    study = find_only(studies)
    content = studies.read_image(study, study.questions[0].first_image).content
    path = f"/s/{study.key}/delete"
    stranger = TestClient(client.app, headers={"Accept": "text/html"})
    assert stranger.post(path, data={"sure": "yes"}).status_code == 403
    unsure = client.post(path)
    assert unsure.status_code == 422
    assert "tick that you are sure" in unsure.text
    assert client.post(path, data={"sure": "yes"}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert find_only(studies).key == study.key
    assert "its votes and its pictures are deleted" in client.post(path, data={"sure": "yes"}).text
    assert studies.list_all() == []
    assert client.post(path, data={"sure": "yes"}).status_code == 404
    files = list(Path(database).parent.iterdir())
    assert not any(content in file.read_bytes() for file in files)


def test_all_questions_of_kinds_are_drawn(client: TestClient, sheet: str, studies: Studies) -> None:
    assert create(client, sheet, catches="2", threshold="0").status_code == 303
    study = find_only(studies)
    assert study.plan.threshold == 0
    assert {question.kind for question in study.questions} >= {QuestionKind.PAIR, QuestionKind.SAME}
    for question in study.questions:
        assert studies.read_image(study, question.first_image).media_type == "image/webp"
