"""A picture that is sent to the first page."""

import pytest
from fastapi.testclient import TestClient

from tests.conftest import encode, make_picture


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        ({}, ""),
        ({"target": "sea horse", "method": "layercam", "stage": "3"}, "?target=sea+horse&method=layercam&stage=3"),
    ],
)
def test_upload_leads_to_the_answer_of_its_question(
    local_client: TestClient, asked: dict[str, str], address: str
) -> None:
    files = {"image": ("p.png", encode(make_picture(60, 40)))}
    answer = local_client.post("/", files=files, data=asked, follow_redirects=False)
    assert answer.status_code == 303
    path, mark, question = answer.headers["location"].partition("?")
    assert mark + question == address
    assert "/analyses/" in path
