"""A few threads answer a study's requests, and whoever waits for them waits in the event loop."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from app.main import create_app
from app.routes.study_turns import FILE_PLACES, SERVER_PLACES, make_places
from app.settings import Settings
from app.study.database.opening import open_database
from app.study.database.store import Studies
from models.lineups.lineup import Lineup
from tests.study.makers import make_draft

REQUESTS = 48
"""More than the threads that answer all other pages."""


def test_places_depend_on_the_database() -> None:
    assert make_places(None).total_tokens == make_places("/x/studies.sqlite").total_tokens == FILE_PLACES
    assert make_places("postgresql://lens@/studies").total_tokens == SERVER_PLACES


def test_requests_beyond_the_places_wait_without_a_thread_and_others_do_not(
    lineup: Lineup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = str(tmp_path / "studies.sqlite")
    studies = open_database(database)
    key = studies.create(make_draft()).key
    studies.close()
    is_released, counted = threading.Event(), threading.Semaphore(0)
    most, present, lock = 0, 0, threading.Lock()
    find = Studies.find

    def find_slowly(self: Studies, key: str) -> object:
        nonlocal most, present
        with lock:
            present += 1
            most = max(most, present)
        counted.release()
        assert is_released.wait(60)
        with lock:
            present -= 1
        return find(self, key)

    monkeypatch.setattr(Studies, "find", find_slowly)
    settings = Settings(study_database=SecretStr(database))
    with TestClient(create_app(settings, lineups=[lineup])) as client, ThreadPoolExecutor(REQUESTS) as pool:
        sent = [pool.submit(client.get, f"/s/{key}") for _ in range(REQUESTS)]
        for _ in range(FILE_PLACES):
            assert counted.acquire(timeout=60)
        # Another page has a thread, although so many requests of the study wait.
        assert client.get("/models").status_code == 200
        assert most == FILE_PLACES
        is_released.set()
        assert {answer.result().status_code for answer in sent} == {200}
    assert most == FILE_PLACES
