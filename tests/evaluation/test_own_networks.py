"""An evaluation of networks of any code, named as functions."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.evaluation.results.report import Evaluation
from app.explain.methods import Method

MADE = "python:tests.models.foreign.made"


def evaluate(masked_data: Path, *options: str) -> Result:
    lineup = f"mine={MADE}:make_baseline,cbam:{MADE}:make_cbam"
    arguments = ["evaluate", str(masked_data), "--lineup", lineup, "--focus", "--masks", str(masked_data), *options]
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def test_maps_of_own_networks_are_measured(masked_data: Path) -> None:
    result = evaluate(masked_data, "--json", "--no-curves")
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
def test_what_own_networks_lack_is_refused_in_one_line(masked_data: Path, options: tuple[str, ...], told: str) -> None:
    result = evaluate(masked_data, *options)
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())
