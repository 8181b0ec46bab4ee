"""A stored analysis for tests that only read."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.contract import client as client  # noqa: PLC0414  # a fixture


@pytest.fixture
def analysis(client: TestClient, motorcycle: bytes) -> dict[str, Any]:
    """An analysis of a picture of a motorcycle, as JSON."""
    answer = client.post("/api/v1/analyses", files={"image": ("motorcycle.png", motorcycle)})
    assert answer.status_code == 201, answer.text
    content: dict[str, Any] = answer.json()
    return content
