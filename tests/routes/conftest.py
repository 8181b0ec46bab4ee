"""A stored analysis for tests that only read, and a database of studies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.study.database.opening import open_database
from app.study.database.store import Studies
from tests.contract import client as client  # noqa: PLC0414  # a fixture


@pytest.fixture
def analysis(client: TestClient, motorcycle: bytes) -> dict[str, Any]:
    """An analysis of a picture of a motorcycle, as JSON."""
    answer = client.post("/api/v1/analyses", files={"image": ("motorcycle.png", motorcycle)})
    assert answer.status_code == 201, answer.text
    content: dict[str, Any] = answer.json()
    return content


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The path of a test's own database of studies."""
    return str(tmp_path / "studies.sqlite")


@pytest.fixture
def studies(database: str) -> Iterator[Studies]:
    """Its studies, beside those that a server opens."""
    studies = open_database(database)
    yield studies
    studies.close()
