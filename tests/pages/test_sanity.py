"""The sanity check's verdict, and its tab on the page of a comparison."""

import html
import re
from typing import Any
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient

from app.api.sanity import RandomisedNetwork
from app.pages.sanity import Change, judge_change, state_verdict

pytestmark = pytest.mark.slow

TITLES = {"baseline": "Baseline", "cbam": "CBAM"}


def make_steps(*correlations: float | None) -> list[RandomisedNetwork]:
    return [
        RandomisedNetwork.model_construct(heat_map=Mock(), correlation=correlation, overlap=None, link="")
        for correlation in correlations
    ]


def judge(**steps: list[RandomisedNetwork]) -> str:
    return state_verdict(steps, titles=TITLES, is_trained=True)


def test_verdict_is_yes_where_all_maps_change() -> None:
    assert judge(baseline=make_steps(0.93, 0.4, 0.05), cbam=make_steps(0.9, -0.1)) == (
        "Yes: the maps of Baseline and CBAM change when the weights are made random from the end of the network to "
        "its start (correlation with the learned map: Baseline 1 → 0.05, CBAM 1 → −0.10). They depend on what was "
        "learned."
    )


def test_verdict_tells_apart_networks_whose_maps_stay_and_change() -> None:
    said = judge(baseline=make_steps(1.0, 0.95), cbam=make_steps(0.3, None))
    assert "Yes: the map of CBAM changes" in said
    assert "CBAM 1 → none). It depends on what was learned." in said
    assert "No: the map of Baseline hardly changes" in said
    assert said.endswith("Baseline 1 → 0.95). It may show the picture’s edges, not what was learned.")
    assert "Partly: the map of CBAM changes in part" in judge(baseline=make_steps(0.1), cbam=make_steps(0.6))


def test_untrained_networks_have_learned_nothing_to_depend_on() -> None:
    assert "untrained" in state_verdict({"cbam": make_steps(0.9)}, titles=TITLES, is_trained=False)


@pytest.mark.parametrize(
    ("correlation", "change"),
    [
        (None, Change.WHOLE),
        (-0.9, Change.WHOLE),
        (0.49, Change.WHOLE),
        (0.5, Change.PART),
        (0.79, Change.PART),
        (0.8, Change.NONE),
    ],
)
def test_change_is_judged_by_the_last_correlation(correlation: float | None, change: Change) -> None:
    assert judge_change(*make_steps(correlation)) is change


@pytest.fixture(scope="module")
def analysis(local_client: TestClient, motorcycle: bytes) -> dict[str, Any]:
    content: dict[str, Any] = local_client.post(
        "/api/v1/analyses", files={"image": ("motorcycle.png", motorcycle)}
    ).json()
    return content


def test_tab_has_the_verdict_and_every_map(local_client: TestClient, analysis: dict[str, Any]) -> None:
    path = f"/analyses/{analysis['id']}"
    asked = "target=motorbikes"
    text = html.unescape(local_client.get(f"{path}?{asked}&tab=sanity&interventions=all:spatial:neutral").text)
    steps = local_client.get(f"/api/v1{path}/sanity?{asked}").json()["steps"]
    (verdict,) = re.findall(r'class="sanity-verdict">(.*?)</p>', text)
    for name, title in TITLES.items():
        last = steps[-1]["networks"][name]["correlation"]
        number = "none" if last is None else f"{last:.2f}".replace("-", "−")
        assert f"{title} 1 → {number}" in verdict
    images = re.findall(r'class="sanity-map" src="([^"]+)"', text)
    assert len(images) == 2 * (1 + len(steps))
    assert {local_client.get(address).status_code for address in (images[0], images[1], images[-1])} == {200}


def test_other_tabs_do_not_compute_the_check(local_client: TestClient, analysis: dict[str, Any]) -> None:
    assert "sanity-verdict" not in local_client.get(f"/analyses/{analysis['id']}?tab=numbers").text


def test_former_address_leads_to_the_tab(local_client: TestClient, analysis: dict[str, Any]) -> None:
    path = f"/analyses/{analysis['id']}"
    answer = local_client.get(f"{path}/sanity?target=3&method=layercam", follow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"{path}?target=3&method=layercam&tab=sanity#sanity"
    assert local_client.get("/analyses/nobody/sanity").status_code == 404
