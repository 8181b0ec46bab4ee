"""REST and the page with temperatures and with a threshold, and without."""

import html as html_texts
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from models.calibration import FitThreshold
from models.lineups.lineup import Lineup
from tests.calibration.thresholds import make_threshold

THRESHOLDS = {"strict": 0.0, "lenient": -0.88}
"""Nothing fits the first one; everything fits the second one."""

TEMPERATURES = {"baseline": 2.0, "cbam": 0.5}

MISFIT = "None of the 110 classes fits this picture well."


def make_fit(threshold: float) -> FitThreshold:
    return make_threshold(threshold)


@pytest.fixture(scope="module")
def fit_client(lineup: Lineup) -> Iterator[TestClient]:
    """A server with the shipped lineup under four names: as it is, with each threshold, and with temperatures."""
    cards = {name: lineup.card.model_copy(update={"fit": make_fit(value)}) for name, value in THRESHOLDS.items()}
    cards["plain"] = lineup.card
    networks = {
        name: network.model_copy(update={"temperature": TEMPERATURES[name]})
        for name, network in lineup.card.networks.items()
    }
    cards["calibrated"] = lineup.card.model_copy(update={"networks": networks})
    lineups = [replace(lineup, card=card.model_copy(update={"name": name})) for name, card in cards.items()]
    with TestClient(create_app(Settings(), lineups=lineups)) as client:
        yield client


@pytest.fixture(scope="module")
def analyses(fit_client: TestClient, motorcycle: bytes) -> dict[str, dict[str, Any]]:
    """The analysis of one picture by each lineup."""
    files = {"image": motorcycle}
    return {
        name: fit_client.post("/api/v1/analyses", files=files, data={"lineup": name}).json()
        for name in ("plain", *THRESHOLDS, "calibrated")
    }


def read_page(client: TestClient, analysis: dict[str, Any], **query: str) -> str:
    answer = client.get(f"/analyses/{analysis['id']}", params=query)
    assert answer.status_code == 200
    return html_texts.unescape(answer.text)


def test_lineups_say_temperatures_and_thresholds(fit_client: TestClient) -> None:
    described = {lineup["name"]: lineup for lineup in fit_client.get("/api/v1/lineups").json()}
    assert {name: network["temperature"] for name, network in described["calibrated"]["networks"].items()} == (
        TEMPERATURES
    )
    assert {network["temperature"] for network in described["plain"]["networks"].values()} == {1.0}
    assert described["plain"]["fit"] is None
    assert described["strict"]["fit"] == make_fit(0.0).model_dump()


def test_analysis_says_whether_the_picture_fits(analyses: dict[str, dict[str, Any]]) -> None:
    assert analyses["plain"]["fit"] is None
    strict, lenient = analyses["strict"]["fit"], analyses["lenient"]["fit"]
    assert (strict["fits"], lenient["fits"]) == (False, True)
    assert (strict["threshold"], lenient["threshold"]) == (0.0, -0.88)
    assert strict["score"] == lenient["score"]
    assert -0.88 < strict["score"] < 0


def test_verdict_is_of_the_networks_as_learned(fit_client: TestClient, analyses: dict[str, dict[str, Any]]) -> None:
    query = {"interventions": "all:spatial:invert"}
    changed = fit_client.get(f"/api/v1/analyses/{analyses['strict']['id']}", params=query).json()
    assert changed["networks"]["cbam"]["alteration"] is not None
    assert changed["fit"] == analyses["strict"]["fit"]


def test_page_says_before_the_maps_that_no_class_fits(
    fit_client: TestClient, analyses: dict[str, dict[str, Any]]
) -> None:
    html = read_page(fit_client, analyses["strict"])
    assert html.count(MISFIT) == 1
    assert html.index(MISFIT) < html.index('id="maps"')


@pytest.mark.parametrize("name", ["plain", "lenient"])
def test_page_says_nothing_of_the_fit_otherwise(
    fit_client: TestClient, analyses: dict[str, dict[str, Any]], name: str
) -> None:
    html = read_page(fit_client, analyses[name])
    assert "fits this picture well" not in html
    assert "misfit" not in html


def test_temperature_divides_the_logits_behind_every_p(analyses: dict[str, dict[str, Any]]) -> None:
    for name, temperature in TEMPERATURES.items():
        plain, calibrated = (analyses[lineup]["networks"][name] for lineup in ("plain", "calibrated"))
        assert [row["class_index"] for row in plain["predictions"]] == [
            row["class_index"] for row in calibrated["predictions"]
        ]
        # The logarithm of a ratio of two P is a difference of logits.
        gaps = [
            math.log(network["predictions"][0]["probability"] / network["predictions"][1]["probability"])
            for network in (plain, calibrated)
        ]
        assert gaps[1] == pytest.approx(gaps[0] / temperature, rel=1e-3)


def test_temperature_leaves_the_heat_maps(analyses: dict[str, dict[str, Any]]) -> None:
    plain, calibrated = analyses["plain"], analyses["calibrated"]
    assert plain["target"] == calibrated["target"]
    for name in TEMPERATURES:
        assert plain["networks"][name]["heat_map"] == calibrated["networks"][name]["heat_map"]


def test_page_header_and_json_show_the_same_p(
    fit_client: TestClient, analyses: dict[str, dict[str, Any]], motorcycle: bytes
) -> None:
    data = {"lineup": "calibrated", "network": "baseline"}
    answer = fit_client.post("/api/v1/heatmap", files={"image": motorcycle}, data=data)
    shown = analyses["calibrated"]["networks"]["baseline"]["target_probability"]
    assert float(answer.headers["X-Target-Probability"]) == pytest.approx(shown, abs=1e-4)
    assert f"P = {shown:.3f}" in read_page(fit_client, analyses["calibrated"])
