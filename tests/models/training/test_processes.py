"""Two processes that torchrun starts train as one does."""

import subprocess
import sys
from pathlib import Path

import pytest

from models.training.log import read_log
from models.training.toml_text import format_toml
from tests.conftest import ROOT
from tests.models.training.conftest import make_recipe

TOLERANCE = 0.25
"""How far two processes' losses may be from one's, of losses around 1: each process normalises its own half of a batch
with that half's mean and variance (8 pictures in place of 16), which is noise that no seed removes. Everything else,
pictures, shapes, crops, learning rates and the mean of gradients, is the same."""


def train(output: Path, pictures: Path, environment: dict[str, str], *, launcher: list[str]) -> list[dict[str, str]]:
    options = ["--data", str(pictures), "--recipe", str(output.parent / "recipe.toml"), "-o", str(output)]
    command = [sys.executable, *launcher, "-m", "app.commands.training", *options, "--device", "cpu"]
    result = subprocess.run(  # noqa: S603  # our own command
        command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT, env=environment
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("resnet18_cbam_3.safetensors: trained") == 1
    return read_log(output / "resnet18_cbam_3.csv")


def test_two_processes_have_the_loss_curve_of_one(
    tmp_path: Path, pictures: Path, one_thread_environment: dict[str, str]
) -> None:
    recipe = make_recipe(
        epochs=4, batch_size=16, averaging=0.0, mixing={}, optimiser={"learning_rate": 0.02},
        phases=[{"start": 0, "shapes": [[64, 64], [64, 96]]}],
    )  # fmt: skip
    (tmp_path / "recipe.toml").write_text(format_toml(recipe.model_dump(mode="json")))
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    one = train(tmp_path / "one", pictures, one_thread_environment, launcher=[])
    two = train(tmp_path / "two", pictures, one_thread_environment, launcher=torchrun)
    for name in ("step", "epoch", "learning_rate", "height", "width"):
        assert [row[name] for row in two] == [row[name] for row in one]
    losses = [[float(row["loss"]) for row in rows] for rows in (one, two)]
    assert losses[1] == pytest.approx(losses[0], abs=TOLERANCE)
    assert losses[0][-1] < losses[0][0] - TOLERANCE
    assert losses[1][-1] < losses[1][0] - TOLERANCE
