"""Uploads on disk: links that outlive the cache and the server, limits, deletion and modes."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.analysis.upload_folder import UploadFolder
from app.main import create_app
from app.settings import Settings
from models.lineups.lineup import Lineup
from tests.conftest import encode, make_picture

PICTURE = encode(make_picture(120, 90))


@contextmanager
def serve(lineup: Lineup, folder: Path, **settings: Any) -> Iterator[TestClient]:
    """A server that has just started."""
    with TestClient(create_app(Settings(store=folder, **settings), lineups=[lineup])) as client:
        yield client


def post(client: TestClient, name: str = "my dog.png", picture: bytes = PICTURE, **options: str) -> dict[str, Any]:
    answer = client.post("/api/v1/analyses", files={"image": (name, picture)}, data=options)
    assert answer.status_code == 201, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_link_outlives_a_restart_with_the_same_answer(lineup: Lineup, tmp_path: Path) -> None:
    with serve(lineup, tmp_path) as client:
        made = post(client, geometry="center_crop", resolution="160")
        png = client.get(f"/api/v1/analyses/{made['id']}/heatmaps/cbam.png").content
    with serve(lineup, tmp_path) as client:
        opened = client.get(f"/api/v1/analyses/{made['id']}")
        assert opened.status_code == 200, opened.text
        assert opened.json() == made
        assert client.get(f"/api/v1/analyses/{made['id']}/heatmaps/cbam.png").content == png
        assert "my dog.png" in client.get(f"/analyses/{made['id']}").text


def test_analysis_that_left_the_memory_is_computed_anew(lineup: Lineup, tmp_path: Path) -> None:
    with serve(lineup, tmp_path, cache_seconds=1e-9) as client:
        made = post(client)
        assert client.get(f"/api/v1/analyses/{made['id']}").json()["networks"] == made["networks"]


def test_sheet_outlives_a_restart(lineup: Lineup, tmp_path: Path) -> None:
    with serve(lineup, tmp_path) as client:
        files = [("image", ("a.png", PICTURE)), ("image", ("b.png", b"nothing"))]
        address = client.post("/sheets", files=files, follow_redirects=False).headers["location"]
    with serve(lineup, tmp_path) as client:
        page = client.get(address)
        assert page.status_code == 200
        assert "<dt>Overlap</dt>" in page.text
        assert "b.png" in page.text


def test_sheets_time_includes_what_is_computed_anew(
    lineup: Lineup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(lineup, tmp_path) as client:
        files = [("image", (name, PICTURE)) for name in ("a.png", "b.png")]
        address = client.post("/sheets", files=files, follow_redirects=False).headers["location"]
    monkeypatch.setattr("app.routes.sheets.DEADLINE_SHARE", 0.0)
    with serve(lineup, tmp_path) as client:
        page = client.get(address)
        assert page.status_code == 200
        assert page.text.count("Not compared yet") == 2
        assert "cbam_lens_cache_analyses 0.0" in client.get("/metrics").text


def test_deleted_analysis_leaves_the_disk(lineup: Lineup, tmp_path: Path) -> None:
    with serve(lineup, tmp_path) as client:
        made = post(client)
        assert [path.name for path in tmp_path.iterdir()] == [f"{made['id']}.upload"]
    with serve(lineup, tmp_path) as client:
        # It is only on disk now.
        assert client.delete(f"/api/v1/analyses/{made['id']}").status_code == 204
        assert not list(tmp_path.iterdir())
        assert client.get(f"/api/v1/analyses/{made['id']}").status_code == 404
        assert client.delete(f"/api/v1/analyses/{made['id']}").status_code == 404


def test_nothing_is_written_to_disk_unless_asked_for(lineup: Lineup, tmp_path: Path) -> None:
    with TestClient(create_app(Settings(), lineups=[lineup])) as client:
        assert "never writes it to disk" in client.get("/").text
    with serve(lineup, tmp_path, store_days=3) as client:
        assert "keeps it on its disk for 3 days, unless you delete it" in client.get("/").text


def test_files_are_their_owners_alone(lineup: Lineup, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    previous = os.umask(0)
    try:
        with serve(lineup, folder) as client:
            post(client)
    finally:
        os.umask(previous)
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_oldest_uploads_leave_a_full_folder(lineup: Lineup, tmp_path: Path) -> None:
    with serve(lineup, tmp_path, store_bytes=int(3.5 * len(PICTURE))) as client:
        made = [post(client)["id"] for _ in range(5)]
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert sum(sizes) <= 3.5 * len(PICTURE)
    assert (tmp_path / f"{made[-1]}.upload").exists()
    assert not (tmp_path / f"{made[0]}.upload").exists()


def test_old_uploads_are_gone_and_deleted_at_the_next_start(lineup: Lineup, tmp_path: Path) -> None:
    with serve(lineup, tmp_path, store_days=1) as client:
        made = post(client)
        file = tmp_path / f"{made['id']}.upload"
        yesterday = time.time() - 90_000
        os.utime(file, (yesterday, yesterday))
        assert not UploadFolder.has(client.app.state.kept._folder, made["id"])  # type: ignore[attr-defined]
    with serve(lineup, tmp_path, store_days=1):
        assert not file.exists()


def test_expiry_is_the_folders(lineup: Lineup, tmp_path: Path) -> None:
    with serve(lineup, tmp_path, store_days=2) as client:
        made = post(client)
        page = client.get(f"/analyses/{made['id']}").text
    day = time.gmtime(time.time() + 2 * 86_400)
    assert made["expires"].startswith(time.strftime("%Y-%m-%d", day))
    assert time.strftime("%B %Y</time>", day) in page


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "a" * 300, "%2e%2e%2fsecret", ".hidden"])
def test_id_never_becomes_a_path(lineup: Lineup, tmp_path: Path, name: str) -> None:
    (tmp_path.parent / "secret.upload").write_text("{}\n")
    with serve(lineup, tmp_path) as client:
        assert client.get(f"/api/v1/analyses/{name}").status_code == 404
    with pytest.raises(Exception, match="no analysis has this id"):
        UploadFolder(tmp_path, max_bytes=100, seconds=100).read(name)


def test_damaged_file_is_a_404_with_the_remedy(lineup: Lineup, tmp_path: Path) -> None:
    with serve(lineup, tmp_path) as client:
        made = post(client)
    (tmp_path / f"{made['id']}.upload").write_bytes(b"{]")
    with serve(lineup, tmp_path) as client:
        answer = client.get(f"/api/v1/analyses/{made['id']}")
        assert answer.status_code == 404
        assert answer.json()["detail"] == "this picture's file on the server is damaged; send the picture again"


def test_lineup_that_is_not_served_any_more_is_named(lineup: Lineup, tmp_path: Path) -> None:
    with serve(lineup, tmp_path) as client:
        made = post(client)
    file = tmp_path / f"{made['id']}.upload"
    file.write_bytes(file.read_bytes().replace(lineup.card.name.encode(), b"another", 1))
    with serve(lineup, tmp_path) as client:
        answer = client.get(f"/api/v1/analyses/{made['id']}")
    assert answer.status_code == 404
    assert "lineup 'another' is not served here" in answer.json()["detail"]


def test_full_disk_costs_only_the_file(
    lineup: Lineup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(lineup, tmp_path) as client:
        monkeypatch.setattr(os, "open", refuse_to_open)
        made = post(client)
        assert client.get(f"/api/v1/analyses/{made['id']}").status_code == 200
    assert "could not be kept" in caplog.text
    assert not list(tmp_path.iterdir())


def refuse_to_open(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_part_of_a_killed_servers_file_is_deleted_in_its_time(tmp_path: Path) -> None:
    part = tmp_path / f".{'a' * 22}.upload.0badf00d"
    part.write_bytes(b"half")
    os.utime(part, (0, 0))
    other = tmp_path / "README.txt"
    other.write_text("not ours")
    os.utime(other, (0, 0))
    UploadFolder(tmp_path, max_bytes=100, seconds=1000)
    assert [path.name for path in tmp_path.iterdir()] == ["README.txt"]
