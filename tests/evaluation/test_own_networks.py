"""An evaluation of networks of any code, named as functions."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.evaluation.results.report import Evaluation
from app.explain.methods import Method
from tests.conftest import encode, make_picture
from tests.evaluation.test_command import put_mask

MADE = "python:tests.models.foreign.made"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three pictures of two classes, with masks."""
    folder = tmp_path / "data"
    for number in range(3):
        path = folder / f"class {number % 2}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(make_picture(80, 64, seed=number), "JPEG"))
        put_mask(path.with_suffix(".png"), (80, 64), (10, 10, 50, 40 + number))
    return folder


def evaluate(data: Path, *options: str) -> Result:
    lineup = f"mine={MADE}:make_baseline,cbam:{MADE}:make_cbam"
    arguments = ["evaluate", str(data), "--lineup", lineup, "--focus", "--masks", str(data), *options]
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def test_maps_of_own_networks_are_measured(data: Path) -> None:
    result = evaluate(data, "--json", "--no-curves")
    assert result.exit_code == 0, result.output
    evaluation = Evaluation.model_validate_json(result.stdout)
    assert tuple(evaluation.networks) == ("baseline", "cbam")
    assert evaluation.focus is not None
    assert list(evaluation.focus.gates) == ["cbam"]
    (found,) = evaluation.focus.maps
    assert found.method is Method.GRADCAM
    assert found.contrasts["cbam"].all.pictures == 3


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--stage", "1"), "stage '1' is not one of 2, 3, 4"),
        (("--geometry", "whole"), "geometry 'whole' is not one of center_crop"),
        (("--resolution", "224"), "resolution '224' is not one of 32"),
    ],
)
def test_what_own_networks_lack_is_refused_in_one_line(data: Path, options: tuple[str, ...], told: str) -> None:
    result = evaluate(data, *options)
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())
