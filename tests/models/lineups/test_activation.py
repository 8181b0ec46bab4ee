"""Networks whose classes are right or not by themselves, and networks with one class alone."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cli import app
from app.main import create_app
from app.settings import Settings
from models.errors import LineupError
from models.lineups.choice import InlineLineup
from models.lineups.lineup import Lineup, load_lineup
from models.names import Attention
from models.networks.zoo import build_network
from models.probabilities import Activation, find_probabilities
from tests.conftest import encode, make_picture

CARD = """
name = "alone"
title = "One class"
architecture = "resnet18"
trained = true
labels = "labels.txt"
provenance = "A test."
activation = "{activation}"

[networks.baseline]
attention = "none"
file = "baseline.pth"

[networks.cbam]
attention = "cbam"
file = "cbam.pth"
"""


def write_lineup(folder: Path, *classes: str, activation: str = "sigmoid") -> Path:
    """A lineup's folder with random weights that look trained; its card."""
    for name, attention in (("baseline", Attention.NONE), ("cbam", Attention.CBAM)):
        torch.manual_seed(1)
        network = build_network("resnet18", attention=attention, class_count=len(classes))
        weights = {
            key: torch.tensor(9) if key.endswith("num_batches_tracked") else value
            for key, value in network.state_dict().items()
        }
        torch.save(weights, folder / f"{name}.pth")
    (folder / "labels.txt").write_text("\n".join(classes))
    card = folder / "lineup.toml"
    card.write_text(CARD.format(activation=activation))
    return card


def test_sigmoid_is_of_each_class_by_itself() -> None:
    logits = np.array([[-1000.0, 0.0, 1000.0], [np.log(3), -np.log(3), 0]])
    expected = np.array([[0, 0.5, 1], [0.75, 0.25, 0.5]])
    assert find_probabilities(logits, activation=Activation.SIGMOID) == pytest.approx(expected)
    assert find_probabilities(logits[1], 0.5, Activation.SIGMOID) == pytest.approx([0.9, 0.1, 0.5])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Lineup:
    return load_lineup(write_lineup(tmp_path_factory.mktemp("alone"), "cat"))


def test_network_of_one_class_has_a_sigmoids_p(alone: Lineup) -> None:
    picture = {"image": ("p.png", encode(make_picture(64, 64)))}
    with TestClient(create_app(Settings(device="cpu"), lineups=[alone])) as client:
        assert client.get("/api/v1/lineups").json()[0]["activation"] == "sigmoid"
        answer = client.post("/api/v1/analyses", files=picture).json()
        with np.load(io.BytesIO(client.get(answer["links"]["maps"]).content)) as arrays:
            for name, network in answer["networks"].items():
                (logit,) = arrays[f"{name}_logits"]
                assert network["target_probability"] == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-6)
        assert client.get(f"/analyses/{answer['id']}").status_code == 200


def test_softmax_over_one_class_is_refused(tmp_path: Path) -> None:
    card = write_lineup(tmp_path, "cat", activation="softmax")
    with pytest.raises(LineupError, match="softmax over one class is always 1"):
        load_lineup(card)
    sources = [str(tmp_path / f"{name}.pth") for name in ("baseline", "cbam")]
    with pytest.raises(LineupError, match='activation = "sigmoid"'):
        load_lineup(InlineLineup.of("x", *sources))


def test_a_sigmoid_is_not_calibrated(tmp_path: Path) -> None:
    card = write_lineup(tmp_path, "cat", "dog")
    (tmp_path / "data" / "cat").mkdir(parents=True)
    (tmp_path / "data" / "cat" / "p.png").write_bytes(encode(make_picture(64, 64)))
    result = CliRunner().invoke(app, ["calibrate", str(tmp_path / "data"), "--lineup", str(card)])
    assert result.exit_code == 2
    assert "only softmax is calibrated" in " ".join(result.output.split())


def test_threshold_of_a_fit_needs_softmax(tmp_path: Path) -> None:
    card = write_lineup(tmp_path, "cat", "dog")
    fit = (
        '[fit]\nscore = "generalised_entropy"\nthreshold = -0.5\nnetworks = 2\nknown = "a"\nknown_pictures = 10\n'
        'false_alarms = 0.1\noutside = "b"\noutside_pictures = 10\nmisses = 0.1\n\n[networks.baseline]'
    )
    card.write_text(card.read_text().replace("[networks.baseline]", fit))
    with pytest.raises(LineupError, match="fit is for softmax"):
        load_lineup(card)
