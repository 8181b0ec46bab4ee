"""The program's own files: kept by browsers for as long as they stay the same, and compressed."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.pages.templating import STATIC
from app.server.own_files import ASK_AGAIN, FOR_EVER, compute_digest

DIGEST = compute_digest(STATIC)


@pytest.mark.parametrize("page", ["/", "/camera", "/evidence", "/models", "/nothing"])
def test_pages_name_files_by_their_digest_alone(local_client: TestClient, page: str) -> None:
    addresses = set(re.findall(r'(?:href|src)="([^"]*static[^"]*)"', local_client.get(page).text))
    assert len(addresses) >= 3
    for address in addresses:
        assert f"/static/{DIGEST}/" in address
        answer = local_client.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == FOR_EVER


def test_files_are_compressed_for_those_who_can_read_it(local_client: TestClient) -> None:
    path = f"/static/{DIGEST}/css/base.css"
    content = (STATIC / "css" / "base.css").read_bytes()
    packed = local_client.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert packed.content == content
    plain = local_client.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == content


def test_plain_addresses_are_asked_about_again(local_client: TestClient) -> None:
    first = local_client.get("/static/css/base.css")
    assert first.headers["cache-control"] == ASK_AGAIN
    again = local_client.get("/static/css/base.css", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", [f"/static/{DIGEST}/css/none.css", "/static/0123456789ab/css/base.css"])
def test_missing_files_are_not_kept(local_client: TestClient, path: str) -> None:
    answer = local_client.get(path)
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "private, no-store"


def test_digest_follows_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.js").write_text("1")
    digests = [compute_digest(tmp_path)]
    (tmp_path / "a" / "one.js").write_text("2")
    digests.append(compute_digest(tmp_path))
    (tmp_path / "a" / "one.js").rename(tmp_path / "one.js")
    digests.append(compute_digest(tmp_path))
    assert len(set(digests)) == 3
