"""`/api/v1/analyses` and everything under it."""

import io
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.engine.work import PictureWork
from app.main import create_app
from app.settings import Settings
from models.lineups.lineup import Lineup
from tests.conftest import decode, encode, make_picture

Analysis = dict[str, Any]

BLOCKS = [f"layer{stage}.{index}" for stage in (1, 2, 3, 4) for index in (0, 1)]


def test_create_analysis_has_the_contracts_shape(client: TestClient, analysis: Analysis) -> None:
    assert {"id", "lineup", "target", "networks", "comparisons", "shared_max", "geometry", "links"} <= analysis.keys()
    assert analysis["target"].keys() == {"class_index", "class_name", "chosen_by"}
    for name in ("baseline", "cbam"):
        network = analysis["networks"][name]
        probabilities = [prediction["probability"] for prediction in network["predictions"]]
        assert len(probabilities) == 5
        assert probabilities == sorted(probabilities, reverse=True)
        assert 0 < sum(probabilities) <= 1 + 1e-6
        assert network["heat_map"]["max"] > 0
    assert [block["name"] for block in analysis["networks"]["cbam"]["blocks"]] == BLOCKS
    assert [block["channels"] for block in analysis["networks"]["cbam"]["blocks"]] == [
        64,
        64,
        128,
        128,
        256,
        256,
        512,
        512,
    ]
    for block in analysis["networks"]["cbam"]["blocks"]:
        for kind in ("spatial", "channel"):
            assert 0 <= block[kind]["min"] <= block[kind]["mean"] <= block[kind]["max"] <= 1


@pytest.mark.parametrize("form", ["webp", "jpeg"])
def test_maps_of_an_analysis_come_as_webp_or_jpeg_too(client: TestClient, analysis: Analysis, form: str) -> None:
    for link in (analysis["links"]["difference"], analysis["networks"]["cbam"]["links"]["heat_map"]):
        answer = client.get(link.replace(".png", f".{form}"))
        assert answer.headers["content-type"] == f"image/{form}"
        lossy, exact = decode(answer.content), decode(client.get(link).content)
        assert (lossy.format, lossy.size) == (form.upper(), exact.size)
        assert client.get(link.replace(".png", ".jpeg"), params={"render": "values"}).status_code == 422
        assert client.get(link.replace(".png", ".gif")).status_code == 422


def test_create_analysis_explains_the_class_of_the_highest_mean_probability_by_default(
    client: TestClient, analysis: Analysis
) -> None:
    with np.load(io.BytesIO(client.get(analysis["links"]["maps"]).content), allow_pickle=False) as maps:
        logits = [maps[f"{name}_logits"].astype(float) for name in ("baseline", "cbam")]
        names = maps["class_names"]
    mean = np.mean([np.exp(values) / np.exp(values).sum() for values in logits], axis=0)
    first = int(mean.argmax())
    assert analysis["target"] == {"class_index": first, "class_name": names[first], "chosen_by": "mean"}
    shares = [analysis["networks"][name]["target_probability"] for name in ("baseline", "cbam")]
    assert np.mean(shares) == pytest.approx(mean[first], abs=1e-5)


@pytest.mark.parametrize(
    ("target", "chosen_by"), [("2", "index"), ("motorbikes", "name"), ("Motorbikes", "name"), (" MOTORBIKES ", "name")]
)
def test_create_analysis_takes_a_class_by_index_or_name(
    client: TestClient, motorcycle: bytes, target: str, chosen_by: str
) -> None:
    answer = client.post("/api/v1/analyses", files={"image": ("m.png", motorcycle)}, data={"target": target}).json()
    assert answer["target"] == {"class_index": 2, "class_name": "motorbikes", "chosen_by": chosen_by}


def test_create_analysis_location_leads_back_to_it(client: TestClient, motorcycle: bytes) -> None:
    created = client.post("/api/v1/analyses", files={"image": ("m.png", motorcycle)})
    assert client.get(created.headers["location"]).json() == created.json()


def test_every_link_of_an_analysis_leads_somewhere(client: TestClient, analysis: Analysis, motorcycle: bytes) -> None:
    links = list(analysis["links"].values())
    links += [link for network in analysis["networks"].values() for link in network["links"].values()]
    links += [link for block in analysis["networks"]["cbam"]["blocks"] for link in block["links"].values()]
    assert len(links) == len(set(links)) == 6 + 2 + 16
    for link in links:
        answer = client.get(link)
        assert answer.status_code == 200, link
        if "/heatmaps/" in link or link.endswith("/spatial.png"):
            assert decode(answer.content).size == decode(motorcycle).size


def test_max_side_bounds_the_picture(client: TestClient, analysis: Analysis) -> None:
    content = client.get(analysis["networks"]["cbam"]["links"]["heat_map"], params={"max_side": 200}).content
    assert max(decode(content).size) == 200


def test_values_are_the_maps_own_positions(client: TestClient, analysis: Analysis) -> None:
    heat_map = analysis["networks"]["cbam"]["heat_map"]
    small = decode(client.get(analysis["networks"]["cbam"]["links"]["heat_map"], params={"render": "values"}).content)
    assert small.size == (heat_map["width"], heat_map["height"])
    expected = heat_map["max"] / analysis["shared_max"] * 255
    assert np.asarray(small).max() == pytest.approx(expected, abs=1)
    block = analysis["networks"]["cbam"]["blocks"][3]
    sizes = {
        kind: decode(client.get(block["links"][kind], params={"render": "values"}).content).size
        for kind in ("spatial", "channel")
    }
    assert sizes == {"spatial": (block["width"], block["height"]), "channel": (block["channels"], 1)}


def test_links_of_gradcam_plus_plus_keep_the_method(client: TestClient, motorcycle: bytes) -> None:
    answer = client.post(
        "/api/v1/analyses", files={"image": ("m.png", motorcycle)}, data={"method": "gradcam++"}
    ).json()
    assert answer["method"] == "gradcam++"
    assert client.get(answer["links"]["self"]).json()["method"] == "gradcam++"


def test_another_class_method_or_stage_needs_no_forward_pass(
    local_client: TestClient, motorcycle: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis = local_client.post("/api/v1/analyses", files={"image": ("m.png", motorcycle)}).json()

    def refuse(batch: Any) -> Any:
        raise AssertionError("the picture was traced again")

    monkeypatch.setattr(PictureWork, "compute_together", refuse)
    root = f"/api/v1/analyses/{analysis['id']}"
    for query in ({"target": "panda"}, {"method": "layercam"}, {"stage": 2}):
        answer = local_client.get(root, params=query)
        assert answer.status_code == 200
        changed = answer.json()["networks"]["cbam"]["heat_map"]
        assert changed != analysis["networks"]["cbam"]["heat_map"]


def test_heat_map_of_an_analysis_equals_the_one_of_a_single_call(
    client: TestClient, analysis: Analysis, motorcycle: bytes
) -> None:
    for network in ("baseline", "cbam"):
        kept = client.get(analysis["networks"][network]["links"]["heat_map"]).content
        single = client.post(
            "/api/v1/heatmap", files={"image": ("m.png", motorcycle)}, data={"network": network}
        ).content
        assert kept == single


def test_maps_file_holds_what_the_answer_says(client: TestClient, analysis: Analysis) -> None:
    content = client.get(analysis["links"]["maps"]).content
    with np.load(io.BytesIO(content), allow_pickle=False) as maps:
        for name in ("baseline", "cbam"):
            assert maps[f"{name}_heat_map"].max() == pytest.approx(analysis["networks"][name]["heat_map"]["max"])
            assert maps[f"{name}_logits"].shape == (110,)
        for block in analysis["networks"]["cbam"]["blocks"]:
            spatial = maps[f"cbam_{block['name']}_spatial"]
            assert spatial.shape == (block["height"], block["width"])
            assert spatial.mean() == pytest.approx(block["spatial"]["mean"], abs=1e-6)
            assert maps[f"cbam_{block['name']}_channel"].shape == (block["channels"],)
        assert maps["box"].tolist() == [analysis["geometry"][side] for side in ("left", "upper", "right", "lower")]
        assert maps["class_names"][analysis["target"]["class_index"]] == analysis["target"]["class_name"]


def test_delete_analysis_forgets_it(client: TestClient, motorcycle: bytes) -> None:
    location = client.post("/api/v1/analyses", files={"image": ("m.png", motorcycle)}).headers["location"]
    assert client.delete(location).status_code == 204
    gone = client.get(location)
    assert gone.status_code == 404
    assert gone.json()["detail"] == "no analysis has this id, or it is no longer on the server; send the picture again"
    assert client.delete(location).status_code == 404


def test_analysis_leaves_the_cache_when_memory_runs_out(lineup: Lineup) -> None:
    image = encode(make_picture(100, 100))
    with TestClient(create_app(Settings(cache_bytes=4_000_000), lineups=[lineup])) as client:
        locations = [
            client.post("/api/v1/analyses", files={"image": ("p", image)}).headers["location"] for _ in range(6)
        ]
        statuses = [client.get(location).status_code for location in locations]
    assert statuses[0] == 404
    assert statuses[-1] == 200


def test_analysis_leaves_the_cache_after_its_time(lineup: Lineup) -> None:
    with TestClient(create_app(Settings(cache_seconds=1e-9), lineups=[lineup])) as client:
        created = client.post("/api/v1/analyses", files={"image": ("p", encode(make_picture(50, 50)))})
        assert created.status_code == 201
        assert client.get(created.headers["location"]).status_code == 404


def test_analysis_ids_are_unlike_and_long(client: TestClient) -> None:
    image = encode(make_picture(30, 30))
    ids = {client.post("/api/v1/analyses", files={"image": ("p", image)}).json()["id"] for _ in range(4)}
    assert len(ids) == 4
    assert min(map(len, ids)) >= 20


def test_unknown_block_of_an_analysis_is_422(client: TestClient, analysis: Analysis) -> None:
    answer = client.get(f"/api/v1/analyses/{analysis['id']}/attention/cbam/layer7.0/spatial.png")
    assert answer.status_code == 422
    assert answer.json()["allowed"] == BLOCKS


def test_lineups_describes_the_loaded_lineup(client: TestClient) -> None:
    (lineup,) = client.get("/api/v1/lineups").json()
    assert lineup["architecture"] == "resnet18"
    assert len(lineup["labels"]) == 110
    assert {name: network["parameters"] for name, network in lineup["networks"].items()} == {
        "baseline": 11_232_942,
        "cbam": 11_322_822,
    }
    assert all(network["accuracy"] for network in lineup["networks"].values())


def test_openapi_describes_every_call_with_its_errors_and_examples(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
    heat_map = document["paths"]["/api/v1/heatmap"]["post"]
    assert {"200", "400", "413", "415", "422", "503", "504"} <= heat_map["responses"].keys()
    assert "application/problem+json" in heat_map["responses"]["422"]["content"]
    assert "image/png" in heat_map["responses"]["200"]["content"]


def test_health_and_readiness_are_ok_when_the_networks_are_loaded(client: TestClient) -> None:
    assert client.get("/healthz").json() == client.get("/readyz").json() == {"status": "ok"}


def test_readiness_is_503_when_the_engine_does_not_take_jobs(lineup: Lineup) -> None:
    with TestClient(create_app(Settings(), lineups=[lineup])) as client:
        client.app.state.lenses.engine.close()  # type: ignore[attr-defined]
        assert client.get("/readyz").status_code == 503
