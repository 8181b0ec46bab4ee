"""What runs a user's code, and what never does."""

import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from models.errors import LineupError
from models.lineups.choice import parse_lineup
from models.lineups.lineup import load_lineup
from tests.conftest import encode, make_picture

TRAP = """
import pathlib
pathlib.Path(__file__).with_name("ran").touch()
def make():
    pass
"""


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module in the current directory that leaves a file when it runs; the file's path."""
    (tmp_path / "trap_module.py").write_text(TRAP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "trap_module", raising=False)
    return tmp_path / "ran"


def test_command_line_runs_the_function(trap: Path) -> None:
    with pytest.raises(LineupError, match="returned NoneType"):
        load_lineup(parse_lineup("x=python:trap_module:make,python:trap_module:make"))
    assert trap.exists()


def test_current_directory_comes_after_installed_modules(trap: Path) -> None:
    (trap.parent / "json.py").write_text(TRAP)
    with pytest.raises(LineupError, match="has no attribute 'make'"):
        load_lineup(parse_lineup("x=python:json:make,python:json:make"))
    assert not trap.exists()


def test_parsing_runs_nothing(trap: Path) -> None:
    parse_lineup("x=python:trap_module:make,new:python:trap_module:make")
    assert not trap.exists()


def test_file_never_runs_code(trap: Path) -> None:
    card = trap.with_name("card.toml")
    card.write_text(
        'name = "x"\ntitle = "x"\narchitecture = "own"\ntrained = true\nprovenance = "x"\n'
        '[networks.a]\nattention = "none"\nfile = "python:trap_module:make"\n'
        '[networks.b]\nattention = "own"\nfile = "python:trap_module:make"\n'
    )
    with pytest.raises(LineupError, match="would run code, which a file may not"):
        load_lineup(card)
    assert not trap.exists()


@pytest.mark.parametrize("text", ["x=python:trap_module:make,python:trap_module:make", "python:trap_module:make"])
def test_rest_never_runs_code(local_client: TestClient, trap: Path, text: str) -> None:
    files = {"image": ("a.png", encode(make_picture(40, 30)))}
    for path in ("/api/v1/heatmap", "/api/v1/figure", "/api/v1/attention", "/api/v1/analyses", "/"):
        answer = local_client.post(path, files=files, data={"lineup": text})
        assert answer.status_code == 422, path
        assert "is not served here" in answer.text
    for option in ("network", "target", "networks", "of", "interventions"):
        local_client.post("/api/v1/heatmap", files=files, data={option: text})
    assert not trap.exists()
    assert "trap_module" not in sys.modules
