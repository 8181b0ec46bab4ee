"""Changed gates over REST, on the page and on the command line."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cli import app
from tests.conftest import decode

NEUTRAL = "all:spatial:neutral"
WRITTEN = f"cbam:{NEUTRAL}"
"""As answers write it: with the network."""


def read(client: TestClient, analysis: dict[str, Any], **query: Any) -> dict[str, Any]:
    answer = client.get(f"/api/v1/analyses/{analysis['id']}", params={"target": "motorbikes", **query})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_learned_gates_have_no_alteration(client: TestClient, analysis: dict[str, Any]) -> None:
    assert [network["alteration"] for network in analysis["networks"].values()] == [None, None]


def test_changed_gates_are_answered_beside_the_learned_network(client: TestClient, analysis: dict[str, Any]) -> None:
    learned, changed = read(client, analysis), read(client, analysis, interventions=NEUTRAL)
    assert changed["networks"]["baseline"] | {"links": None} == learned["networks"]["baseline"] | {"links": None}
    alteration = changed["networks"]["cbam"]["alteration"]
    assert alteration["interventions"] == [WRITTEN]
    before, after = (row["networks"]["cbam"]["target_probability"] for row in (learned, changed))
    assert alteration["learned"]["target_probability"] == before
    assert alteration["learned"]["heat_map"] == learned["networks"]["cbam"]["heat_map"]
    assert alteration["probability_change"] == pytest.approx(after - before)
    assert before != after
    assert all(
        block["spatial"]["standard_deviation"] == pytest.approx(0, abs=1e-6)
        for block in changed["networks"]["cbam"]["blocks"]
    )
    assert any(block["spatial"]["standard_deviation"] > 0.01 for block in learned["networks"]["cbam"]["blocks"])
    # The learned answer is as it was.
    assert read(client, analysis) == learned


def test_every_link_of_a_changed_answer_speaks_of_the_changed_network(
    client: TestClient, analysis: dict[str, Any]
) -> None:
    changed = read(client, analysis, interventions=["layer4.0:spatial:invert", "layer4.1:channel:drop-max"])
    for link in (*changed["links"].values(), *changed["networks"]["cbam"]["links"].values()):
        assert "interventions=cbam:layer4.0:spatial:invert,cbam:layer4.1:channel:drop-max" in link
        assert client.get(link).status_code == 200
    for block in changed["networks"]["cbam"]["blocks"]:
        assert all(client.get(link).status_code == 200 for link in block["links"].values())
    arrays = np.load(io.BytesIO(client.get(changed["links"]["maps"]).content))
    assert arrays["interventions"].tolist() == changed["networks"]["cbam"]["alteration"]["interventions"]
    learned = np.load(io.BytesIO(client.get(read(client, analysis)["links"]["maps"]).content))
    assert np.allclose(arrays["cbam_layer4.0_spatial"], 1 - learned["cbam_layer4.0_spatial"], atol=1e-5)
    assert not np.array_equal(arrays["cbam_heat_map"], learned["cbam_heat_map"])
    assert np.array_equal(arrays["baseline_heat_map"], learned["baseline_heat_map"])


@pytest.mark.parametrize("stage", [1, 4])
def test_gradients_of_changed_gates_run_through_the_changed_network(
    client: TestClient, analysis: dict[str, Any], stage: int
) -> None:
    """Changes after a stage also change its gradient, so even stage 1's map differs from the learned one."""
    learned = read(client, analysis, stage=stage)
    changed = read(client, analysis, stage=stage, interventions="stage4:spatial:invert")
    assert changed["networks"]["cbam"]["heat_map"]["max"] != learned["networks"]["cbam"]["heat_map"]["max"]


def test_one_shot_calls_take_interventions(client: TestClient, motorcycle: bytes) -> None:
    files = {"image": ("p.png", motorcycle)}
    options = {"network": "cbam", "target": "motorbikes", "render": "values"}
    learned = client.post("/api/v1/heatmap", files=files, data=options)
    changed = client.post("/api/v1/heatmap", files=files, data=options | {"interventions": "all:spatial:invert"})
    assert changed.status_code == 200
    assert changed.headers["x-target-probability"] != learned.headers["x-target-probability"]
    gate = {"block": "layer1.0", "render": "values"}
    flat = client.post("/api/v1/attention", files=files, data=gate | {"interventions": NEUTRAL})
    assert len(set(np.asarray(decode(flat.content)).ravel().tolist())) == 1


@pytest.mark.parametrize("value", ["everything", "layer9.9:spatial:neutral", "all:channel:invert"])
def test_wrong_intervention_is_422_with_what_may_be_written(
    client: TestClient, analysis: dict[str, Any], value: str
) -> None:
    answer = client.get(f"/api/v1/analyses/{analysis['id']}", params={"interventions": value})
    assert answer.status_code == 422
    assert answer.json()["option"] == "interventions"
    assert "write [NETWORK:]SCOPE:GATE:CHANGE" in answer.json()["detail"]


def test_compare_takes_interventions(tmp_path: Path, motorcycle: bytes) -> None:
    path = tmp_path / "bike.png"
    path.write_bytes(motorcycle)
    arguments = ["compare", str(path), "--json", "--target", "motorbikes", "--intervention", NEUTRAL]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["networks"]["cbam"]["alteration"]["interventions"] == [WRITTEN]
