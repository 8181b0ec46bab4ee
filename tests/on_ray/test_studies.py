"""Studies on Ray: several application processes, one database."""

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

pytest.importorskip("ray", reason="Ray is not installed: uv sync --extra ray")

from app.study.database.opening import open_database
from tests.on_ray.site import NAME, STUDY_FILE, Site
from tests.study.makers import make_draft
from tests.study.site import QUESTION

pytestmark = pytest.mark.slow(every=True)

PEOPLE = 24


def answer_everything(site: Site, key: str) -> int:
    """Be one person, with a connection of their own; returns the number of answers."""
    with httpx2.Client(base_url=f"http://{site.address}", headers={"Host": NAME}, timeout=120, trust_env=False) as one:
        assert one.post(f"/s/{key}").status_code == 303
        count = 0
        while (found := QUESTION.search(one.get(f"/s/{key}/vote").text)) is not None:
            form = {"number": found[1], "choice": "b"}
            assert one.post(f"/s/{key}/vote", data=form).status_code == 303
            count += 1
        return count


def test_all_application_processes_write_votes_into_one_database(ray_site: Site) -> None:
    database = ray_site.log.with_name(STUDY_FILE)
    studies = open_database(str(database))
    study = studies.find(studies.create(make_draft(people=PEOPLE)).key)
    with ThreadPoolExecutor(PEOPLE) as pool:
        counts = list(pool.map(answer_everything, [ray_site] * PEOPLE, [study.key] * PEOPLE))
    assert counts == [study.question_count] * PEOPLE
    assert len(studies.list_ballots(study)) == PEOPLE * study.question_count
    # The last person's last answer ended it, whichever process took it.
    assert studies.find(study.key).closed_by == "people"
    studies.close()
    ingresses = ray_site.find_replicas("ingress")
    assert len(ingresses) == 2
    assert all(str(database) in {file.path for file in process.open_files()} for process in ingresses)
