"""Two processes that torchrun starts train as one does."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from app.commands.training import train
from models.training.learning.log import read_log
from models.training.records.toml_text import format_toml
from tests.conftest import ROOT
from tests.models.training.conftest import make_recipe

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(train)

TOLERANCES = {"baseline": 1e-6, "cbam": 1e-2}
"""How far two processes' losses may be from one's, of losses from 1.2 to 0.4.

The networks keep the statistics that they begin with, so that the baseline computes the same, whoever computes it: with
three seeds at most 6e-8 lay between the losses. The gates' own BatchNorm takes the mean and variance of its half of a
batch (8 pictures in place of 16), which made 3e-3.
"""


def list_options(directory: Path, pictures: Path, *, name: str) -> list[str]:
    recipe = str(directory / "recipe.toml")
    weights = ["--lineup", "--start-from", "resnet18-110"]
    return ["--data", str(pictures), "--recipe", recipe, "-o", str(directory / name), "--device", "cpu", *weights]


@pytest.mark.slow(rare=True)
def test_two_processes_have_the_loss_curve_of_one(
    tmp_path: Path, pictures: Path, one_thread_environment: dict[str, str]
) -> None:
    recipe = make_recipe(
        epochs=3,
        batch_size=16,
        freeze_statistics=True,
        averaging=0.0,
        mixing={},
        optimiser={"learning_rate": 0.01},
        phases=[{"start": 0, "shapes": [[64, 64], [64, 96]]}],
    )
    (tmp_path / "recipe.toml").write_text(format_toml(recipe.model_dump(mode="json")))
    alone = CliRunner().invoke(app, list_options(tmp_path, pictures, name="one"))
    assert alone.exit_code == 0, alone.output
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "-m", "app.commands.training", *list_options(tmp_path, pictures, name="two")]
    both = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=one_thread_environment)  # noqa: S603
    assert both.returncode == 0, both.stderr
    for network, tolerance in TOLERANCES.items():
        stem = f"resnet18_{network}_3"
        assert both.stdout.count(f"{stem}.safetensors: trained") == 1
        one, two = (read_log(tmp_path / name / f"{stem}.csv") for name in ("one", "two"))
        for name in ("step", "epoch", "learning_rate", "height", "width"):
            assert [row[name] for row in two] == [row[name] for row in one]
        losses = [[float(row["loss"]) for row in rows] for rows in (one, two)]
        assert losses[1] == pytest.approx(losses[0], abs=tolerance)
        assert losses[0][-1] < losses[0][0] - 0.25
        assert losses[1][-1] < losses[1][0] - 0.25
