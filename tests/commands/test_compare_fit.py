"""`cbam-lens compare` with a lineup that has a threshold, and without."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from tests.conftest import encode, make_picture
from tests.lineups import RESNET18_110

runner = CliRunner()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(encode(make_picture(64, 64)))
    return path


@pytest.fixture
def strict(tmp_path: Path) -> Path:
    """The shipped lineup with a threshold that nothing reaches."""
    text = RESNET18_110.read_text(encoding="utf-8")
    for suffix in ("safetensors", "json"):
        for path in RESNET18_110.parent.glob(f"*110.{suffix}"):
            text = text.replace(f'"{path.name}"', f'"{path}"')
    path = tmp_path / "strict.toml"
    path.write_text(
        text
        + '\n[fit]\nscore = "generalised_entropy"\nthreshold = 0.0\nnetworks = 2\nknown = "a"\nknown_pictures = 1\n'
        'false_alarms = 0.1\noutside = "b"\noutside_pictures = 1\nmisses = 0.2\n'
    )
    return path


def test_compare_says_that_no_class_fits(picture: Path, strict: Path, tmp_path: Path) -> None:
    result = runner.invoke(app, ["compare", str(picture), "-o", str(tmp_path / "out"), "--lineup", str(strict)])
    assert result.exit_code == 0, result.output
    assert result.stdout.rstrip().endswith("; none of the 110 classes fits well")


def test_compare_has_the_verdict_in_json(picture: Path, strict: Path) -> None:
    result = runner.invoke(app, ["compare", str(picture), "--json", "--lineup", str(strict)])
    fit = json.loads(result.stdout)["fit"]
    assert (fit["fits"], fit["threshold"]) == (False, 0.0)
    assert fit["score"] < 0


def test_compare_says_nothing_of_the_fit_without_a_threshold(picture: Path, tmp_path: Path) -> None:
    result = runner.invoke(app, ["compare", str(picture), "-o", str(tmp_path / "out"), "--json"])
    assert json.loads(result.stdout)["fit"] is None
    assert "fits well" not in result.stdout
