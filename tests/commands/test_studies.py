import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.study.ballots import Vote
from app.study.database.opening import open_database
from app.study.statistics.votes import Outcome
from app.study.studies import arrange
from tests.lineups import RESNET18_110
from tests.photographs import read_photograph
from tests.study.makers import make_draft, make_person

runner = CliRunner()


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "studies.sqlite"
    monkeypatch.setenv("CBAM_LENS_STUDY_DATABASE", str(path))
    return path


def run(*words: str) -> Result:
    return runner.invoke(app, ["study", *words])


def test_create_prints_both_links_the_rule_and_a_qr_code(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "bike.png").write_bytes(read_photograph("motorcycle"))
    options = ["--people", "7", "--until", "2030-01-01", "--address", "http://192.0.2.1:8000/"]
    result = run("create", "--pictures", str(folder), "--lineup", str(RESNET18_110), "--closed", *options)
    assert result.exit_code == 0, result.output
    links = re.findall(r"http://192\.0\.2\.1:8000/s/(\S+)", result.stdout)
    key, admin = links[0], links[1].rpartition("/")[2]
    assert links[1] == f"{key}/admin/{admin}"
    assert "when 7 people have answered all of their questions or on" in result.stdout
    assert "the networks together: a guess" in result.stdout
    assert "█" in result.stdout
    studies = open_database(str(database))
    study = studies.find_for_admin(key, admin)
    assert (study.plan.people, study.opened_at) == (7, None)
    assert run("open", f"http://192.0.2.1:8000/s/{key}").exit_code == 0
    assert studies.find(key).opened_at is not None
    studies.close()


def test_study_without_a_stopping_rule_is_refused(database: Path, tmp_path: Path) -> None:
    result = run("create", "--pictures", str(tmp_path), "--people", "0")
    assert result.exit_code == 2
    assert "stopping rule" in result.output
    over = run("create", "--pictures", str(tmp_path), "--until", "2020-01-01T12:00")
    assert (over.exit_code, "is over" in over.output) == (2, True)
    many = run("create", "--pictures", str(tmp_path), "--people", "5001")
    assert (many.exit_code, "CBAM_LENS_STUDY_PEOPLE" in many.output) == (2, True)
    assert not database.exists()


def test_results_close_list_and_delete(database: Path, tmp_path: Path) -> None:
    studies = open_database(str(database))
    study = studies.find(studies.create(make_draft()).key)
    person = make_person(study)
    for slot in arrange(study, person):
        studies.vote(Vote(study, person, slot.question.id, Outcome.SECOND, slot.is_swapped))
    told = run("results", study.key, "--json", "--csv", str(tmp_path / "votes.csv"))
    assert json.loads(told.stdout)["failed_catch_questions"]["people"] == 1
    assert len((tmp_path / "votes.csv").read_text().splitlines()) == 6
    table = run("results", study.key)
    assert "failed a catch question: 1 person, 3 votes" in table.stdout
    assert "results before the end are preliminary" in re.sub(r"\s+", " ", table.stdout)
    listed = run("list")
    assert "A class" in listed.stdout
    assert study.key in listed.stdout
    assert run("close", study.key).exit_code == 0
    assert "ended by hand" in run("list").stdout
    refused = run("open", study.key)
    assert (refused.exit_code, "stays ended" in refused.output) == (2, True)
    assert run("delete", study.key).exit_code == 0
    assert studies.list_all() == []
    gone = run("results", study.key)
    assert (gone.exit_code, "no study has this link" in gone.output) == (2, True)
    studies.close()
