"""ECA, Coordinate Attention, SimAM and triplet attention on the page, in REST and in files."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from models.lineups.choice import InlineLineup
from models.lineups.lineup import Lineup, load_lineup
from tests.conftest import decode, encode, make_picture
from tests.patience import PATIENT

pytestmark = pytest.mark.slow

KINDS: dict[str, tuple[str, ...]] = {
    "eca": ("channel",),
    "coordinate": ("row", "column", "joint"),
    "simam": ("joint",),
    "triplet": ("spatial", "row", "column", "joint"),
}
"""The gates of each attention."""


@pytest.fixture(scope="module")
def own() -> Lineup:
    sources = (f"untrained:resnet18+{attention}" for attention in KINDS)
    return load_lineup(InlineLineup.of("other", "untrained:resnet18", *sources))


@pytest.fixture(scope="module")
def own_client(own: Lineup) -> Iterator[TestClient]:
    with TestClient(create_app(PATIENT, lineups=[own])) as client:
        yield client


@pytest.fixture(scope="module")
def answer(own_client: TestClient) -> dict[str, Any]:
    files = {"image": encode(make_picture(96, 64))}
    form = {"resolution": "160", "geometry": "whole"}
    found: dict[str, Any] = own_client.post("/api/v1/analyses", files=files, data=form).raise_for_status().json()
    return found


def open_page(client: TestClient, answer: dict[str, Any], **query: str) -> str:
    return client.get(f"/analyses/{answer['id']}", params={"tab": "attention"} | query).raise_for_status().text


@pytest.fixture(scope="module")
def sides(answer: dict[str, Any]) -> dict[str, int]:
    """The rows and columns of stage 2, an eighth of the networks' input."""
    geometry = answer["geometry"]
    return {"height": geometry["input_height"] // 8, "width": geometry["input_width"] // 8}


def find_shape(kind: str, sides: dict[str, int]) -> tuple[int, ...]:
    return {
        "channel": (128,),
        "row": (sides["height"], 1),
        "column": (1, sides["width"]),
    }.get(kind, (sides["height"], sides["width"]))


@pytest.mark.parametrize("attention", KINDS)
def test_answer_has_the_gates_of_the_attention_and_no_other(
    own_client: TestClient, answer: dict[str, Any], sides: dict[str, int], attention: str
) -> None:
    network = answer["networks"][attention]
    assert network["attention"] == attention
    block = next(block for block in network["blocks"] if block["name"] == "layer2.1")
    assert set(block["links"]) == set(KINDS[attention])
    kinds = {"spatial", "channel", "row", "column", "joint"}
    assert {kind for kind in kinds if block[kind] is not None} == set(KINDS[attention])
    if attention != "eca":
        assert (block["height"], block["width"]) == (sides["height"], sides["width"])
    for kind, link in block["links"].items():
        values = decode(own_client.get(link, params={"render": "values"}).raise_for_status().content)
        height, width = (1, 128) if kind == "channel" else find_shape(kind, sides)
        assert values.size == (width, height)
        shown = np.asarray(values) / 255
        assert shown.mean() == pytest.approx(block[kind]["mean"], abs=1 / 255)
        drawn = decode(own_client.get(link).raise_for_status().content)
        assert kind == "channel" or drawn.size == (96, 64)


@pytest.mark.parametrize("attention", KINDS)
def test_bands_are_the_same_along_the_axis_that_a_gate_does_not_see(
    own_client: TestClient, answer: dict[str, Any], attention: str
) -> None:
    links = answer["networks"][attention]["blocks"][3]["links"]
    for kind, axis in (("row", 1), ("column", 0)):
        if kind in KINDS[attention]:
            drawn = own_client.get(links[kind], params={"render": "gray"}).raise_for_status().content
            assert np.ptp(np.asarray(decode(drawn)).astype(int), axis=axis).max() == 0


@pytest.mark.parametrize("attention", KINDS)
def test_page_shows_every_gate_and_says_how_it_is_applied(
    own_client: TestClient, answer: dict[str, Any], attention: str
) -> None:
    page = open_page(own_client, answer)
    section = page[page.index(f'id="{"blocks" if attention == "triplet" else f"blocks-{attention}"}"') :]
    section = section[: section.index("</section>")]
    images = re.findall(rf"attention/{attention}/layer2\.1/(\w+)\.png", section)
    assert sorted(images) == sorted(KINDS[attention])
    sentence = {
        "eca": "multiplies its features by a channel gate",
        "coordinate": "The joint gate is their product",
        "simam": "no gate value is below 0.62",
        "triplet": "multiplies its features by the average of three gates",
    }
    assert sentence[attention] in section
    assert ("passes unchanged" in section) is (attention != "triplet")


@pytest.mark.parametrize("attention", KINDS)
def test_opened_block_is_a_page_with_every_gate(own_client: TestClient, answer: dict[str, Any], attention: str) -> None:
    page = own_client.get(f"/analyses/{answer['id']}/blocks/{attention}/layer2.1").raise_for_status().text
    titles = re.findall(r'panel-title">(\w+) gate', page)
    assert sorted(title.lower() for title in titles) == sorted(KINDS[attention])
    assert ("Channels let through most" in page) is (attention == "eca")
    assert ("Channels with the largest features" in page) is (attention != "eca")


def test_words_for_the_gates_are_explained(own_client: TestClient, answer: dict[str, Any]) -> None:
    asked = set(re.findall(r'popovertarget="term-([^"]+)"', open_page(own_client, answer)))
    assert {"row-gate", "joint-gate"} <= asked


def test_files_have_every_gate(own_client: TestClient, answer: dict[str, Any], sides: dict[str, int]) -> None:
    arrays = np.load(io.BytesIO(own_client.get(answer["links"]["maps"]).raise_for_status().content))
    archive = own_client.get(f"/analyses/{answer['id']}/everything.zip").raise_for_status().content
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    for attention, kinds in KINDS.items():
        for kind in kinds:
            values = arrays[f"{attention}_layer2.1_{kind}"]
            assert values.shape == find_shape(kind, sides)
            assert 0 <= values.min() <= values.max() <= 1
            assert f"attention/{attention}/layer2.1-{kind}.png" in names


@pytest.mark.parametrize(
    "text",
    [
        "eca:all:channel:neutral",
        "coordinate:all:row:invert",
        "coordinate:layer2.1:column:neutral",
        "simam:stage2:joint:invert",
        "triplet:all:row:drop-max",
        "triplet:all:spatial:invert",
    ],
)
def test_changed_gate_is_offered_applied_and_shown(own_client: TestClient, answer: dict[str, Any], text: str) -> None:
    attention = text.partition(":")[0]
    page = open_page(own_client, answer)
    assert f"interventions={text.replace(':', '%3A')}" in page
    changed = own_client.get(answer["links"]["self"], params={"interventions": text}).raise_for_status().json()
    assert changed["networks"][attention]["alteration"]["interventions"] == [text]
    assert changed["networks"][attention]["heat_map"] != answer["networks"][attention]["heat_map"]
    assert "as learned" in open_page(own_client, answer, interventions=text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("eca:all:channel:drop-max", "whose gates can have channel:neutral"),
        ("coordinate:all:joint:neutral", "whose gates can have row:neutral, row:invert, column:neutral"),
        ("simam:all:joint:drop-max", "choose neutral or invert"),
        ("triplet:all:temporal:invert", "choose spatial or row or column"),
    ],
)
def test_change_without_effect_is_refused(
    own_client: TestClient, answer: dict[str, Any], text: str, sentence: str
) -> None:
    refused = own_client.get(answer["links"]["self"], params={"interventions": text})
    assert refused.status_code == 422
    assert sentence in refused.json()["detail"]


def test_sanity_check_randomises_networks_with_every_attention(own_client: TestClient, answer: dict[str, Any]) -> None:
    page = own_client.get(f"/analyses/{answer['id']}", params={"tab": "sanity"}).raise_for_status().text
    for title in ("ECA", "Coordinate", "SimAM", "Triplet"):
        assert title in page[page.index('id="tabs"') :]
