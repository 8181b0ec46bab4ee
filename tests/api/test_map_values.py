import base64
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.api.map_values import MapValues, pack_values
from app.explain.maps import HeatMap
from models.lineups.lineup import Lineup


def unpack(sent: MapValues) -> np.ndarray:
    """Values as the browser reads them: two bytes per step, the lower one first."""
    steps = np.frombuffer(base64.b64decode(sent.steps), dtype="<u2").reshape(sent.height, sent.width)
    return steps.astype(np.float64) * sent.max / 65_535


@pytest.fixture(scope="module")
def address(client: TestClient, motorcycle: bytes) -> str:
    identifier = client.post("/api/v1/analyses", files={"image": motorcycle}).json()["id"]
    return f"/analyses/{identifier}/maps.json"


def test_values_come_back_within_half_a_step_of_the_maximum() -> None:
    values = np.random.default_rng(1).gamma(1, 3, (7, 11)).astype(np.float32)
    sent = pack_values(HeatMap(values))
    assert (sent.height, sent.width) == (7, 11)
    assert np.abs(unpack(sent) - values).max() <= 0.51 * sent.max / 65_535
    assert unpack(sent).max() == pytest.approx(values.max())


def test_values_of_a_map_without_evidence_are_zero() -> None:
    sent = pack_values(HeatMap(np.zeros((2, 3), dtype=np.float32)))
    assert sent.max == 0
    assert not unpack(sent).any()


def test_maps_are_those_of_the_analysis(client: TestClient, address: str) -> None:
    query = "?target=3&method=hirescam&stage=3"
    content: dict[str, Any] = client.get(address + query).json()
    answer = client.get(address.replace("/maps.json", query).replace("/analyses", "/api/v1/analyses")).json()
    (row,) = content["rows"]
    assert row["class_index"] == 3
    assert content["units"] == "logit"
    assert content["box"] == [answer["geometry"][side] for side in ("left", "upper", "right", "lower")]
    for name, sent in row["networks"].items():
        numbers = answer["networks"][name]["heat_map"]
        assert {key: sent[key] for key in ("height", "width", "min", "max")} == {
            key: numbers[key] for key in ("height", "width", "min", "max")
        }
        assert unpack(MapValues(**sent)).mean() == pytest.approx(numbers["mean"], rel=1e-3)


def test_maps_of_a_second_class_come_with_the_first(client: TestClient, address: str, lineup: Lineup) -> None:
    content = client.get(address, params={"target": "3", "versus": lineup.labels[8].name}).json()
    assert [row["class_index"] for row in content["rows"]] == [3, 8]
    alone = client.get(address, params={"target": "8"}).json()
    assert content["rows"][1] == alone["rows"][0]


@pytest.mark.parametrize("versus", ["", "3"])
def test_second_class_that_is_none_or_the_first_makes_no_row(client: TestClient, address: str, versus: str) -> None:
    assert len(client.get(address, params={"target": "3", "versus": versus}).json()["rows"]) == 1


def test_second_class_that_is_unknown_is_refused(client: TestClient, address: str) -> None:
    response = client.get(address.removesuffix("/maps.json"), params={"versus": "no such class"})
    assert response.status_code == 422
    assert "no such class" in response.text
