"""Finer-CAM and Score-CAM over REST and on the page: what was contrasted, what it costs, and what is refused."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient

from app.analysis import channel_scores
from app.engine.work import ChannelsWork
from app.explain.cam import compute_heat_map
from app.explain.methods import Method
from app.explain.scored import score_channels, weigh_channels
from app.main import create_app
from models.lineups.lineup import Lineup
from models.names import Stage
from tests.patience import PATIENT

TICKET = "a-ticket-of-a-page"

SMALL = {"resolution": "160", "geometry": "center_crop"}

PASSES = 2 * 64
"""Of Score-CAM at stage 1: both networks have 64 channels there."""


@pytest.fixture(scope="module")
def root(client: TestClient, motorcycle: bytes) -> str:
    """The address of an analysis of a small input below /api/v1."""
    return analyse(client, motorcycle)


def analyse(client: TestClient, picture: bytes) -> str:
    answer = client.post("/api/v1/analyses", files={"image": picture}, data=SMALL)
    assert answer.status_code == 201
    return str(answer.headers["Location"])


def read(client: TestClient, root: str, **query: Any) -> dict[str, Any]:
    answer = client.get(root, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def read_map(client: TestClient, root: str, name: str, **query: Any) -> np.ndarray:
    answer = client.get(f"{root}/maps.npz", params=query)
    assert answer.status_code == 200, answer.text
    with np.load(io.BytesIO(answer.content)) as arrays:
        values: np.ndarray = arrays[f"{name}_heat_map"]
        return values


def test_finer_cam_names_the_three_nearest_classes(client: TestClient, root: str) -> None:
    plain, finer = read(client, root), read(client, root, method="finercam")
    assert plain["against"] == []
    assert len(finer["against"]) == 3
    names = [known["class_name"] for known in finer["against"]]
    assert finer["target"]["class_name"] not in names
    assert finer["target"] == plain["target"]
    # All networks are asked about the same contrast.
    assert finer["networks"]["cbam"]["heat_map"]["max"] != plain["networks"]["cbam"]["heat_map"]["max"]


def test_finer_cam_contrasts_with_the_class_that_is_named(client: TestClient, root: str) -> None:
    answer = read(client, root, method="finercam", against="dalmatian")
    assert [known["class_name"] for known in answer["against"]] == ["dalmatian"]
    index = answer["against"][0]["class_index"]
    assert f"&against={index}" in answer["links"]["figure_png"]
    again = client.get(answer["networks"]["cbam"]["links"]["heat_map"])
    assert float(again.headers["X-Cam-Max"]) == pytest.approx(answer["networks"]["cbam"]["heat_map"]["max"], rel=1e-4)


def test_picture_in_one_call_gets_the_same_finer_cam(client: TestClient, root: str, motorcycle: bytes) -> None:
    kept = read(client, root, method="finercam", target="dalmatian")
    sent = {**SMALL, "method": "finercam", "target": "dalmatian", "network": "cbam"}
    answer = client.post("/api/v1/heatmap", files={"image": motorcycle}, data=sent)
    assert float(answer.headers["X-Cam-Max"]) == pytest.approx(kept["networks"]["cbam"]["heat_map"]["max"], rel=1e-4)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"against": "dalmatian"}, "choose method finercam, or leave against out"),
        ({"method": "finercam", "against": "nobody"}, "against 'nobody' is not one of"),
        ({"method": "finercam", "against": "motorbikes", "target": "motorbikes"}, "the explained class itself"),
        ({"method": "finecam"}, "method"),
    ],
)
def test_contrast_that_is_none_is_refused(client: TestClient, root: str, query: dict[str, str], words: str) -> None:
    answer = client.get(root, params=query)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_second_class_of_the_page_is_what_finer_cam_contrasts_with(client: TestClient, root: str) -> None:
    path = root.removeprefix("/api/v1")
    page = client.get(path, params={"method": "finercam", "target": "motorbikes", "versus": "dalmatian"}).text
    assert "Finer-CAM: why ‘motorbikes’ and not ‘dalmatian’?" in page
    assert "Finer-CAM: why ‘dalmatian’ and not ‘motorbikes’?" in page
    maps = client.get(
        f"{path}/maps.json", params={"method": "finercam", "target": "motorbikes", "versus": "dalmatian"}
    ).json()
    assert [row["class_name"] for row in maps["rows"]] == ["motorbikes", "dalmatian"]
    first = read(client, root, method="finercam", target="motorbikes", against="dalmatian")
    assert maps["rows"][0]["networks"]["cbam"]["max"] == pytest.approx(first["networks"]["cbam"]["heat_map"]["max"])
    # The server's own drawings of a row are of the same contrast.
    indices = re.findall(r"heatmaps/cbam\.png\?[^\"]*against=(\d+)", page)
    assert set(indices) == {str(row["class_index"]) for row in maps["rows"]}


def test_page_without_finer_cam_ignores_a_contrast_in_its_address(client: TestClient, root: str) -> None:
    answer = client.get(root.removeprefix("/api/v1"), params={"method": "gradcam", "against": "dalmatian"})
    assert answer.status_code == 200


def test_score_cam_is_the_sum_of_all_channels_by_their_scores(
    client: TestClient, root: str, lineup: Lineup, local_client: TestClient
) -> None:
    answer = read(client, root, method="scorecam", stage=1)
    ours = read_map(client, root, "cbam", method="scorecam", stage=1)
    lens = local_client.app.state.lenses.default  # type: ignore[attr-defined]
    analysis = local_client.app.state.store.get(root.rpartition("/")[2])  # type: ignore[attr-defined]
    values = torch.tensor(channel_input(lens, analysis))[None]
    features = analysis.traces["cbam"].features[Stage.ONE]
    scores = score_channels(
        lineup.networks["cbam"], values, torch.tensor(features), class_index=answer["target"]["class_index"]
    )
    wanted = compute_heat_map(Method.SCORECAM, activation=features, gradient=weigh_channels(scores.numpy())).values
    np.testing.assert_allclose(ours, wanted, rtol=1e-3, atol=1e-4 * wanted.max())


def channel_input(lens: Any, analysis: Any) -> np.ndarray:
    from app.analysis.prepared import prepare_again  # noqa: PLC0415

    values: np.ndarray = prepare_again(analysis, max_pixels=lens._max_pixels)
    return values


def test_score_cam_of_changed_gates_takes_the_changed_features(client: TestClient, root: str) -> None:
    change = {"interventions": "cbam:all:spatial:neutral"}
    learned = read_map(client, root, "cbam", method="scorecam", stage=1)
    changed = read_map(client, root, "cbam", method="scorecam", stage=1, **change)
    untouched = read_map(client, root, "baseline", method="scorecam", stage=1, **change)
    assert np.abs(changed - learned).max() > 1e-3
    assert np.array_equal(untouched, read_map(client, root, "baseline", method="scorecam", stage=1))


def test_cost_stands_on_the_page_before_the_choice(client: TestClient, root: str) -> None:
    page = client.get(root.removeprefix("/api/v1"), params={"stage": 1}).text
    note = re.search(r'id="method-cost">([^<]+)<', page)
    assert note is not None
    assert f"{PASSES} more forward passes at this stage" in note[1]
    assert re.search(r"about \d+ s on this machine", note[1])


def test_cost_stands_in_the_documentation_of_rest(client: TestClient) -> None:
    specification = client.get("/openapi.json").text
    assert "`scorecam` is slow: it takes one forward pass per channel" in specification


def test_sanity_check_of_score_cam_is_refused_with_a_remedy(client: TestClient, root: str) -> None:
    answer = client.get(f"{root}/sanity", params={"method": "scorecam", "stage": 1})
    assert answer.status_code == 422
    assert "choose another method" in answer.json()["detail"]
    page = client.get(root.removeprefix("/api/v1"), params={"method": "scorecam", "stage": 1, "tab": "sanity"})
    assert page.status_code == 200
    assert "takes too long with Score-CAM" in page.text


def test_score_cam_beyond_the_deadline_is_refused_with_the_stages_that_fit(
    lineup: Lineup, motorcycle: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_scores.Pace, "seconds_per_pass", 2.0)
    with TestClient(create_app(PATIENT, lineups=[lineup])) as client:
        answer = client.get(analyse(client, motorcycle), params={"method": "scorecam", "stage": 4})
    assert answer.status_code == 504
    detail = answer.json()["detail"]
    assert "Score-CAM at stage 4 takes 1,024 forward passes, about 2048 s now, and a request has 540 s" in detail
    assert "choose stage 2 (256 passes) or stage 1 (128 passes) or another method, or raise" in detail


def test_map_whose_caller_left_is_continued_and_its_progress_is_told(
    lineup: Lineup, motorcycle: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[int] = []
    original = ChannelsWork.compute
    places: list[dict[str, Any]] = []

    with TestClient(create_app(PATIENT, lineups=[lineup])) as client, ThreadPoolExecutor(1) as pool:
        root = analyse(client, motorcycle)

        def count(work: ChannelsWork) -> Any:
            if len(computed) == 2 and not places:
                places.append(pool.submit(client.get, f"/queue/{TICKET}").result().json())
                computed.append(0)
                raise RuntimeError("as if the device had failed")
            computed.append(len(work.activations))
            return original(work)

        monkeypatch.setattr(ChannelsWork, "compute", count)
        query = {"method": "scorecam", "stage": "1"}
        failed = client.get(root, params=query, headers={"X-Ticket": TICKET})
        assert failed.status_code == 500
        done = sum(computed)
        assert 0 < done < PASSES
        assert places[0]["passes_done"] == done
        assert places[0]["passes_total"] == PASSES
        assert client.get(f"/queue/{TICKET}").json()["passes_total"] is None
        assert client.get(root, params=query).status_code == 200
        assert sum(computed) == PASSES
