import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import InvalidOption, StudiesOff, StudiesUnavailable, StudyGone
from app.study.access import opening
from app.study.access.locations import FILE, find_study_file
from app.study.access.opening import StudyAccess
from tests.study.makers import make_draft


def test_default_file_is_where_each_platform_keeps_data(tmp_path: Path) -> None:
    assert find_study_file({"XDG_DATA_HOME": str(tmp_path)}, platform="linux") == tmp_path / "cbam-lens" / FILE
    home = Path.home()
    for ignored in ({}, {"XDG_DATA_HOME": "relative"}):
        assert find_study_file(ignored, platform="linux") == home / ".local" / "share" / "cbam-lens" / FILE
    assert find_study_file({}, platform="darwin").parent == home / "Library" / "Application Support" / "cbam-lens"
    assert find_study_file({"LOCALAPPDATA": str(tmp_path)}, platform="win32").parent == tmp_path / "cbam-lens"


def test_server_finds_no_study_and_writes_nothing_until_one_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    server, command = StudyAccess(None), StudyAccess(None)
    server.check()
    with pytest.raises(StudyGone):
        server.find()
    assert list(tmp_path.iterdir()) == []
    key = command.create().create(make_draft()).key
    assert server.find().find(key).key == key
    assert server.find() is server.find()
    server.close()
    command.close()


def test_database_that_was_asked_for_is_opened_at_the_start(tmp_path: Path) -> None:
    StudyAccess(str(tmp_path / "studies.sqlite")).check()
    assert (tmp_path / "studies.sqlite").exists()
    wrong = StudyAccess(str(tmp_path))
    with pytest.raises(InvalidOption, match="cannot be opened"):
        wrong.check()


def test_clients_are_not_told_where_a_broken_database_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(StudiesUnavailable, match="try again") as refusal:
        StudyAccess(str(tmp_path)).find()
    assert str(tmp_path) not in str(refusal.value)
    assert str(tmp_path) in caplog.text


def test_missing_packages_are_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "find_spec", lambda _name: None)
    access = StudyAccess(str(tmp_path / "studies.sqlite"))
    with pytest.raises(StudiesOff, match="uv sync --extra study"):
        access.find()
    with pytest.raises(InvalidOption, match="uv sync --extra study"):
        access.create()


def test_server_without_studies_imports_no_database() -> None:
    code = (
        "import sys, app.serving; print([name for name in ('sqlalchemy', 'alembic', 'segno') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "[]"  # noqa: S603
