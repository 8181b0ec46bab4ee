"""A person's side of a study over HTTP."""

import re
from html import unescape

from fastapi.testclient import TestClient

QUESTION = re.compile(r'name="number" value="(\d+)"')


def begin(client: TestClient, key: str) -> None:
    """Become a person of a study."""
    answer = client.post(f"/s/{key}", follow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"/s/{key}/vote"


def read_number(html: str) -> int | None:
    """The number of the question on a page; None on another page."""
    found = QUESTION.search(html)
    return None if found is None else int(found[1])


def answer(client: TestClient, key: str, number: int, choice: str) -> int:
    """Send an answer; returns the status."""
    sent = client.post(f"/s/{key}/vote", data={"number": str(number), "choice": choice}, follow_redirects=False)
    return int(sent.status_code)


def list_images(html: str) -> list[str]:
    """The paths of the images on a page."""
    return [unescape(path) for path in re.findall(r'<img[^>]+src="([^"]+)"', html)]
