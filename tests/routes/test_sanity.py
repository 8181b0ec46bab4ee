"""The sanity check over REST: random weights change the map, and kept weights do not."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.networks.randomisation import Randomisation
from tests.conftest import decode

pytestmark = pytest.mark.slow


def read(client: TestClient, analysis: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/analyses/{analysis['id']}/sanity", params={"target": "motorbikes", **query})
    assert answer.status_code == 200, answer.text
    steps: list[dict[str, Any]] = answer.json()["steps"]
    return steps


def test_sanity_forgets_from_the_classifier_to_everything(client: TestClient, analysis: dict[str, Any]) -> None:
    steps = read(client, analysis)
    assert [step["extent"] for step in steps] == list(Randomisation)
    assert [step["random"] for step in steps][::5] == ["the classifier", "everything"]
    for network in ("baseline", "cbam"):
        # Grad-CAM of a random network has little in common with the learned one's.
        correlation = steps[-1]["networks"][network]["correlation"]
        assert correlation is None or correlation < 0.9


def test_a_method_without_the_classifier_does_not_notice_that_it_is_random(
    client: TestClient, analysis: dict[str, Any]
) -> None:
    """Eigen-CAM uses only features, so a random classifier leaves its map unchanged, and the check says so."""
    steps = read(client, analysis, method="eigencam")
    for network in ("baseline", "cbam"):
        assert steps[0]["networks"][network]["correlation"] > 0.999
        assert steps[0]["networks"][network]["overlap"] == 1


def test_sanity_maps_are_pictures_of_the_pictures_size(client: TestClient, analysis: dict[str, Any]) -> None:
    for step in read(client, analysis, stage=2)[:2]:
        for network in step["networks"].values():
            answer = client.get(network["link"])
            assert answer.status_code == 200
            assert decode(answer.content).size == (741, 500)


def test_sanity_leaves_the_learned_networks_alone(
    client: TestClient, analysis: dict[str, Any], motorcycle: bytes
) -> None:
    read(client, analysis)
    # A picture that is sent again is computed again; the analysis keeps its answers.
    again = client.post("/api/v1/analyses", files={"image": ("motorcycle.png", motorcycle)}).json()
    for name, before in analysis["networks"].items():
        assert without_links(again["networks"][name]) == without_links(before)


def without_links(network: dict[str, Any]) -> dict[str, Any]:
    blocks = [{**block, "links": None} for block in network["blocks"]]
    return {**network, "links": None, "blocks": blocks}


def test_unknown_extent_is_422(client: TestClient, analysis: dict[str, Any]) -> None:
    assert client.get(f"/api/v1/analyses/{analysis['id']}/sanity/7/cbam.png").status_code == 422
