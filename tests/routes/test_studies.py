"""Blind studies over HTTP, for voters and for the holder."""

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from app.main import create_app
from app.settings import Settings
from app.study.database.creating import StudyKeys
from app.study.database.store import Studies
from app.study.kinds import Ending, QuestionKind
from models.lineups.lineup import Lineup
from tests.conftest import decode
from tests.study.makers import NETWORKS, make_draft
from tests.study.site import answer, begin, list_images, read_number

TOKEN = "a-token-that-nobody-guesses"  # noqa: S105  # it opens nothing

SECRETS = (*(network.name for network in NETWORKS), *(network.title for network in NETWORKS), "P =", "logit")
"""Words that no voter may read."""


@pytest.fixture
def keys(studies: Studies) -> StudyKeys:
    return studies.create(make_draft())


def make_client(lineup: Lineup, database: str, **settings: Any) -> TestClient:
    app = create_app(Settings(study_database=SecretStr(database), **settings), lineups=[lineup])
    return TestClient(app, headers={"Accept": "text/html"})


@pytest.fixture
def client(lineup: Lineup, database: str) -> Iterator[TestClient]:
    with make_client(lineup, database) as client:
        yield client


@pytest.fixture
def holder(client: TestClient, keys: StudyKeys) -> TestClient:
    """The same application's client, after opening the admin link."""
    own = TestClient(client.app, headers={"Accept": "text/html"})
    opened = own.get(f"/s/{keys.key}/admin/{keys.admin_key}", follow_redirects=False)
    assert (opened.status_code, opened.headers["location"]) == (303, f"/s/{keys.key}/results")
    return own


def answer_all(client: TestClient, key: str, choice: str = "a") -> int:
    begin(client, key)
    count = 0
    while (number := read_number(client.get(f"/s/{key}/vote").text)) is not None:
        assert answer(client, key, number, choice) == 303
        count += 1
    return count


def test_person_answers_every_question_once_and_is_thanked(
    client: TestClient, keys: StudyKeys, studies: Studies
) -> None:
    study = studies.find(keys.key)
    assert f"{study.question_count} questions" in client.get(f"/s/{keys.key}").text
    assert answer_all(client, keys.key) == study.question_count == 5
    for path in (f"/s/{keys.key}/vote", f"/s/{keys.key}"):
        assert "Thank you" in client.get(path).text
    ballots = studies.list_ballots(study)
    assert len({ballot.question_id for ballot in ballots}) == len(ballots) == 5
    assert {ballot.is_swapped for ballot in ballots} <= {True, False}


def test_answer_is_stored_for_the_network_whose_image_was_on_that_side(
    client: TestClient, keys: StudyKeys, studies: Studies
) -> None:
    study = studies.find(keys.key)
    questions = {question.id: question for question in study.questions}
    same = {question.class_name for question in study.questions if question.kind is QuestionKind.SAME}
    seen = set()
    # Sides are drawn for each person; of so many, some see the second network's image on side A.
    for _ in range(8):
        person = TestClient(client.app, headers={"Accept": "text/html"})
        before = studies.list_ballots(study)
        expected = answer_side_a(person, keys.key)
        told = {
            questions[ballot.question_id].class_name: int(ballot.outcome)
            for ballot in studies.list_ballots(study)
            if ballot not in before
        }
        assert {name: value for name, value in told.items() if name not in same} == {
            name: value for name, value in expected.items() if name not in same
        }
        assert len(told) == study.question_count
        seen |= {value for name, value in expected.items() if name not in same}
    assert seen == {0, 1}


def answer_side_a(client: TestClient, key: str) -> dict[str, int]:
    """Answer every question with A; which image was there, 0 or 1, by the question's class."""
    begin(client, key)
    expected = {}
    while (number := read_number(html := client.get(f"/s/{key}/vote").text)) is not None:
        first = decode(client.get(list_images(html)[0]).content).convert("RGB")
        # The first images of the tests are reddish, the second ones bluish.
        red, _, blue = first.getpixel((5, 5))  # type: ignore[misc]
        name = re.search(r"<strong>(class \d+)</strong>", html)
        assert name is not None
        expected[name[1]] = 0 if red > blue else 1
        answer(client, key, number, "a")
    return expected


def test_pages_of_voters_name_no_network_and_no_probability(client: TestClient, keys: StudyKeys) -> None:
    pages = [client.get(f"/s/{keys.key}").text]
    begin(client, keys.key)
    for choice in ("a", "b", "equal", "cannot-tell", "a"):
        page = client.get(f"/s/{keys.key}/vote").text
        pages.append(page)
        answer(client, keys.key, read_number(page) or 0, choice)
    pages.append(client.get(f"/s/{keys.key}/vote").text)
    for page in pages:
        assert [word for word in SECRETS if word in page] == []
        assert "picture-" not in page, "a file's name may name the network or the class"
        assert "/models" not in page


def test_question_works_without_a_script_and_says_its_place(client: TestClient, keys: StudyKeys) -> None:
    begin(client, keys.key)
    page = client.get(f"/s/{keys.key}/vote")
    assert page.headers["cache-control"] == "no-store"
    assert re.findall(r'<button [^>]*name="choice" value="([^"]+)"', page.text) == ["a", "b", "equal", "cannot-tell"]
    assert '<form class="study-question" method="post"' in page.text
    assert "Question 1 of 5." in page.text
    images = list_images(page.text)
    assert len(images) == 2
    for path in images:
        image = client.get(path)
        assert (image.headers["content-type"], image.headers["cache-control"]) == (
            "image/webp",
            "private, max-age=3600",
        )
        assert decode(image.content).size == (48, 32)


def test_second_tap_and_back_button_change_nothing(client: TestClient, keys: StudyKeys, studies: Studies) -> None:
    begin(client, keys.key)
    for choice in ("a", "a", "equal", "b"):
        assert answer(client, keys.key, 1, choice) == 303
    ballots = studies.list_ballots(studies.find(keys.key))
    assert len(ballots) == 1
    assert read_number(client.get(f"/s/{keys.key}/vote").text) == 2
    # Opening the link again goes on, and makes nobody new.
    assert "Go on with question 2" in client.get(f"/s/{keys.key}").text
    begin(client, keys.key)
    assert read_number(client.get(f"/s/{keys.key}/vote").text) == 2


@pytest.mark.parametrize(
    "form",
    [
        {"number": "1", "choice": "c"},
        {"number": "0", "choice": "a"},
        {"number": "x", "choice": "a"},
        {"choice": "a"},
        {"number": "1"},
    ],
)
def test_broken_answers_are_refused_and_not_counted(
    client: TestClient, keys: StudyKeys, studies: Studies, form: dict[str, str]
) -> None:
    begin(client, keys.key)
    assert client.post(f"/s/{keys.key}/vote", data=form).status_code == 422
    assert client.post(f"/s/{keys.key}/vote", data={"number": "6", "choice": "a"}).status_code == 404
    assert studies.list_ballots(studies.find(keys.key)) == []


def test_nobody_without_a_cookie_votes_or_sees_images(client: TestClient, keys: StudyKeys, studies: Studies) -> None:
    assert client.get(f"/s/{keys.key}/vote", follow_redirects=False).headers["location"] == f"/s/{keys.key}"
    assert client.get(f"/s/{keys.key}/questions/1/a").status_code == 404
    for cookie in ("", "forged.00000000000000000000000000000000", "x" * 4000):
        client.cookies.set("cbam_lens_person", cookie)
        answer(client, keys.key, 1, "a")
        assert client.get(f"/s/{keys.key}/questions/1/a").status_code == 404
    assert studies.list_ballots(studies.find(keys.key)) == []


def test_cookie_of_a_person_is_theirs_alone_and_of_this_study_alone(client: TestClient, keys: StudyKeys) -> None:
    given = client.post(f"/s/{keys.key}", follow_redirects=False).headers["set-cookie"]
    assert "HttpOnly" in given
    assert "SameSite=lax" in given
    assert f"Path=/s/{keys.key}" in given


def test_unknown_deleted_and_foreign_links_answer_alike(client: TestClient, keys: StudyKeys, studies: Studies) -> None:
    gone, other = studies.create(make_draft()), studies.create(make_draft())
    studies.delete(studies.find(gone.key))
    begin(client, keys.key)
    pages = [
        client.get(path)
        for path in (
            "/s/zzzzzzzzzzzzzzzz",
            f"/s/{gone.key}",
            f"/s/{gone.key}/vote",
            f"/s/{gone.key}/results",
            f"/s/{gone.key}/code",
            f"/s/{gone.key}/code.svg",
            f"/s/{gone.key}/admin/{gone.admin_key}",
            f"/s/{keys.key}/admin/{other.admin_key}",
            f"/s/{keys.key}/admin/x",
        )
    ]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    assert client.get("/s").status_code == client.get("/s/").status_code == 404


def test_results_before_the_end_are_the_holders_alone(
    client: TestClient, holder: TestClient, keys: StudyKeys, studies: Studies
) -> None:
    answer_all(client, keys.key)
    question = studies.find(keys.key).pairs[0]
    paths = [
        f"/s/{keys.key}/{name}" for name in ("results", "results.json", "votes.csv", f"results/{question.id}/cbam")
    ]
    for path in paths:
        assert client.get(path).status_code == 403, path
        assert holder.get(path).status_code == 200, path
    assert client.post(f"/s/{keys.key}/close").status_code == 403
    assert studies.find(keys.key).closed_by is None
    assert holder.post(f"/s/{keys.key}/close", follow_redirects=False).status_code == 303
    assert studies.find(keys.key).find_end(time.time()) is Ending.HAND
    for path in paths:
        assert client.get(path).status_code == 200, path
    assert "End the study now" not in client.get(paths[0]).text
    assert f"/s/{keys.key}/links" not in client.get(paths[0]).text
    assert f'href="/s/{keys.key}/links"' in holder.get(paths[0]).text


def test_results_page_names_networks_intervals_rule_and_those_who_failed(
    client: TestClient, holder: TestClient, keys: StudyKeys, studies: Studies
) -> None:
    for choice in ("a", "b", "equal"):
        answer_all(TestClient(client.app, headers={"Accept": "text/html"}), keys.key, choice)
    page = holder.get(f"/s/{keys.key}/results").text
    for words in (
        "EfficientNet-Lite0 + CBAM better",
        "Everyone: 3 people, 9 votes",
        "People who failed no catch question: 1 person, 3 votes",
        "People who failed a catch question: 2 people, 6 votes",
        "Sign test:",
        "None: it ends when its holder ends it.",
        "results are preliminary",
        "picture-0.jpg",
        "3 people answered everything",
    ):
        assert words in page, words
    images = list_images(page)
    assert len(images) == 8
    assert all(holder.get(path).headers["content-type"] == "image/webp" for path in images)
    assert holder.get(f"/s/{keys.key}/results/{studies.find(keys.key).pairs[0].id}/other").status_code == 404


def test_files_have_the_results(client: TestClient, holder: TestClient, keys: StudyKeys) -> None:
    answer_all(client, keys.key, "equal")
    told = json.loads(holder.get(f"/s/{keys.key}/results.json").text)
    assert told["everyone"]["shares"]["equal"] | {"share": None} == {
        "votes": 3,
        "of": 3,
        "share": None,
        "wilson_over_votes": pytest.approx([0.4385, 1.0], abs=1e-4),
        "bootstrap_over_people_and_pictures": None,
    }
    rows = list(csv.DictReader(io.StringIO(holder.get(f"/s/{keys.key}/votes.csv").text)))
    assert [row["answer"] for row in rows] == ["equal"] * 5


def test_voter_after_the_end_is_told_and_led_to_the_results(
    client: TestClient, keys: StudyKeys, studies: Studies
) -> None:
    begin(client, keys.key)
    answer(client, keys.key, 1, "a")
    studies.end(studies.find(keys.key))
    assert answer(client, keys.key, 2, "a") == 303
    page = client.get(f"/s/{keys.key}/vote").text
    assert "This study has ended" in page
    assert f'href="/s/{keys.key}/results"' in page
    assert len(studies.list_ballots(studies.find(keys.key))) == 1


def test_study_that_is_not_open_yet_says_so(client: TestClient, studies: Studies) -> None:
    keys = studies.create(make_draft(), is_open=False)
    assert "Not open yet" in client.get(f"/s/{keys.key}").text
    begin(client, keys.key)
    assert answer(client, keys.key, 1, "a") == 303
    assert studies.list_ballots(studies.find(keys.key)) == []


def test_qr_code_leads_to_the_link_that_the_projector_shows(client: TestClient, keys: StudyKeys) -> None:
    page = client.get(f"/s/{keys.key}/code", headers={"Host": "lens.example"}).text
    assert f"http://lens.example/s/{keys.key}" in page
    assert "Only this machine can open" not in page
    assert "Only this machine can open" in client.get(f"/s/{keys.key}/code", headers={"Host": "127.0.0.1:8000"}).text
    code = client.get(f"/s/{keys.key}/code.svg", headers={"Host": "lens.example"})
    assert code.headers["content-type"] == "image/svg+xml"
    assert code.text.startswith("<svg")


def test_voters_need_only_their_link_where_the_server_needs_a_token(
    lineup: Lineup, database: str, keys: StudyKeys, studies: Studies
) -> None:
    with make_client(lineup, database, api_tokens=(SecretStr(TOKEN),)) as client:
        assert client.get("/models", follow_redirects=False).status_code == 303
        assert answer_all(client, keys.key) == 5
        assert client.get("/s/zzzzzzzzzzzzzzzz").status_code == 404
        # The prefix opens nothing else.
        for path in ("/s", "/sheets/x", "/s/../models", "/S/x"):
            assert client.get(path, follow_redirects=False).status_code == 303, path


def test_pages_of_other_origins_cannot_vote(client: TestClient, keys: StudyKeys, studies: Studies) -> None:
    begin(client, keys.key)
    form = {"number": "1", "choice": "a"}
    foreign = client.post(f"/s/{keys.key}/vote", data=form, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert studies.list_ballots(studies.find(keys.key)) == []


def test_rate_limit_counts_each_person_and_strangers_together(lineup: Lineup, database: str, keys: StudyKeys) -> None:
    with make_client(lineup, database, rate_limit="12/hour") as client:
        people = []
        for _ in range(3):
            person = TestClient(client.app, headers={"Accept": "text/html"})
            begin(person, keys.key)
            people.append(person)
        # A class behind one address: each person has a rate of their own.
        for person in people:
            statuses = [person.get(f"/s/{keys.key}/vote").status_code for _ in range(13)]
            assert statuses == [200] * 12 + [429]
        # Guessing links is counted per address, as is becoming a person.
        statuses = [client.get(f"/s/guess{number}").status_code for number in range(10)]
        assert statuses == [404] * 9 + [429]
        assert client.post(f"/s/{keys.key}").status_code == 429


def test_person_beyond_the_limit_is_told_and_cannot_vote(
    lineup: Lineup, database: str, keys: StudyKeys, studies: Studies
) -> None:
    with make_client(lineup, database, study_people=2) as client:
        people = [TestClient(client.app, headers={"Accept": "text/html"}) for _ in range(3)]
        for person in people:
            # All three begin while there is room.
            begin(person, keys.key)
        for person in people:
            assert answer(person, keys.key, 1, "a") == 303
        assert "This study is full" in people[2].get(f"/s/{keys.key}/vote").text
        assert "This study is full" in people[2].get(f"/s/{keys.key}").text
        # Nobody else becomes a person.
        stranger = TestClient(client.app, headers={"Accept": "text/html"})
        assert "set-cookie" not in stranger.post(f"/s/{keys.key}", follow_redirects=False).headers
        assert "This study is full" in stranger.get(f"/s/{keys.key}").text
        for number in range(2, 6):
            answer(people[0], keys.key, number, "a")
        assert "Thank you" in people[0].get(f"/s/{keys.key}/vote").text
        assert studies.count_people(studies.find(keys.key)) == 2


def test_server_without_a_study_answers_404(lineup: Lineup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with TestClient(create_app(Settings(), lineups=[lineup])) as client:
        assert client.get("/s/zzzzzzzzzzzzzzzz").status_code == 404
        assert client.get("/s/zzzzzzzzzzzzzzzz/vote").status_code == 404
    assert list(tmp_path.iterdir()) == []


def test_paths_and_cookies_are_below_a_proxys_path(lineup: Lineup, database: str, keys: StudyKeys) -> None:
    with make_client(lineup, database, root_path="/lens") as client:
        given = client.post(f"/lens/s/{keys.key}", follow_redirects=False)
        assert given.headers["location"] == f"/lens/s/{keys.key}/vote"
        assert f"Path=/lens/s/{keys.key}" in given.headers["set-cookie"]
        page = client.get(f"/lens/s/{keys.key}/vote").text
        assert all(path.startswith(f"/lens/s/{keys.key}/") for path in list_images(page))


def test_log_and_metrics_have_no_key(client: TestClient, keys: StudyKeys, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        answer_all(client, keys.key)
        metrics = client.get("/metrics").text
    assert "/s/{key}/vote" in metrics
    assert keys.key not in metrics
    assert keys.key not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("app"))
