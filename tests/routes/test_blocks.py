"""A block opened over REST, against the gates and features of the network itself."""

import io
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.conftest import decode


def read(client: TestClient, analysis: dict[str, Any], block: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/api/v1/analyses/{analysis['id']}/blocks/cbam/{block}", params=query)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


@pytest.mark.parametrize("block", ["layer1.0", "layer4.1"])
def test_block_names_the_channels_of_the_strongest_and_weakest_gates(
    client: TestClient, analysis: dict[str, Any], block: str
) -> None:
    opened = read(client, analysis, block)
    gates = np.load(io.BytesIO(client.get(analysis["links"]["maps"]).content))[f"cbam_{block}_channel"]
    for channels, order in ((opened["strongest"], np.argsort(-gates)), (opened["weakest"], np.argsort(gates))):
        assert [entry["gate"] for entry in channels] == pytest.approx(gates[order][:6].tolist(), abs=1e-5)
        assert all(gates[entry["channel"]] == pytest.approx(entry["gate"], abs=1e-5) for entry in channels)
    assert 0 < opened["channel_maximum_share"] < 1
    assert 0 < opened["spatial_maximum_share"] < 1


def test_features_after_are_those_before_times_both_gates(client: TestClient, analysis: dict[str, Any]) -> None:
    opened = read(client, analysis, "layer2.0")
    block = next(entry for entry in analysis["networks"]["cbam"]["blocks"] if entry["name"] == "layer2.0")
    for entry in (*opened["strongest"], *opened["weakest"]):
        largest = max(abs(entry["before"]["min"]), abs(entry["before"]["max"]))
        assert abs(entry["after"]["max"]) <= largest * entry["gate"] * block["spatial"]["max"] + 1e-5


def test_neutral_channels_are_let_through_alike(client: TestClient, analysis: dict[str, Any]) -> None:
    opened = read(client, analysis, "layer3.0", interventions="layer3.0:channel:neutral")
    gates = [entry["gate"] for entry in (*opened["strongest"], *opened["weakest"])]
    assert max(gates) - min(gates) < 1e-6
    link = opened["strongest"][0]["after"]["link"]
    assert "interventions=layer3.0:channel:neutral" in link
    assert client.get(link).status_code == 200


def test_a_change_behind_a_block_does_not_touch_it(client: TestClient, analysis: dict[str, Any]) -> None:
    opened = read(client, analysis, "layer1.1", interventions="layer2.0:spatial:neutral")
    assert opened["channel_maximum_share"] == read(client, analysis, "layer1.1")["channel_maximum_share"]


def test_feature_maps_are_pictures_of_the_pictures_size_or_of_their_own(
    client: TestClient, analysis: dict[str, Any]
) -> None:
    link = read(client, analysis, "layer1.0")["strongest"][0]["before"]["link"]
    assert decode(client.get(link).content).size == (741, 500)
    assert decode(client.get(link, params={"render": "values"}).content).size == (80, 56)


def test_channel_strip_may_be_sorted(client: TestClient, analysis: dict[str, Any]) -> None:
    link = analysis["networks"]["cbam"]["blocks"][0]["links"]["channel"]
    values = np.asarray(decode(client.get(link, params={"render": "values", "order": "strength"}).content)).ravel()
    plain = np.asarray(decode(client.get(link, params={"render": "values"}).content)).ravel()
    assert (np.diff(values.astype(int)) <= 0).all()
    assert sorted(values.tolist()) == sorted(plain.tolist())


@pytest.mark.parametrize(("path", "option"), [("layer9.9", "block"), ("layer1.0/channels/9999/before.png", "channel")])
def test_unknown_block_or_channel_is_422(client: TestClient, analysis: dict[str, Any], path: str, option: str) -> None:
    answer = client.get(f"/api/v1/analyses/{analysis['id']}/blocks/cbam/{path}")
    assert answer.status_code == 422
    assert answer.json()["option"] == option
    assert answer.json()["allowed"]
