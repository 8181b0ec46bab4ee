"""The page that explains CBAM: an example without a picture, and a picture's own gates."""

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.analysis.analyses import Analysis
from app.api.links import AnalysisLinks
from app.pages.addresses import Addresses
from app.pages.cbam import build_cbam_page
from app.pages.terms import TERMS

ADDRESSES = Addresses(page="/a", answer=AnalysisLinks("/api/v1/a"), picture="/p", maps="/m", primer="/a/cbam")


@pytest.fixture(scope="module")
def analysis(local_client: TestClient, motorcycle: bytes) -> Analysis:
    answer = local_client.post("/api/v1/analyses", files={"image": ("motorcycle.png", motorcycle)})
    app: Any = local_client.app
    found: Analysis = app.state.store.get(answer.json()["id"])
    return found


def read_page(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def test_page_without_a_picture_draws_an_example_and_explains_every_word(client: TestClient) -> None:
    text = read_page(client, "/cbam")
    assert text.count('role="img"') == 2
    assert "<image" not in text
    assert "are an example" in text
    for name, term in TERMS.items():
        assert f'id="{name}"' in text
        assert term.short in text
    for paper in ("https://arxiv.org/abs/1807.06521", "https://arxiv.org/abs/1610.02391"):
        assert f'href="{paper}"' in text


def test_drawing_has_the_gates_of_the_picture(local_client: TestClient, analysis: Analysis) -> None:
    text = read_page(local_client, f"/analyses/{analysis.id}/cbam?block=layer3.0")
    images = re.findall(r'<image href="([^"]+)"', text)
    assert [re.findall(r"layer3\.0/(\w+)\.png", address) for address in images] == [["channel"], ["spatial"]]
    for address in images:
        answer = local_client.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert "CBAM, stage 3, block 1" in text
    for block in ("layer2.1", "layer3.1"):
        assert f"/cbam?block={block}" in text


def test_drawing_starts_with_the_block_whose_spatial_gate_varies_most(analysis: Analysis) -> None:
    page = build_cbam_page(analysis, block=None, addresses=ADDRESSES)
    gates = {block.name: block.spatial for block in analysis.traces["cbam"].blocks}
    deviations = {name: gate.standard_deviation for name, gate in gates.items() if gate is not None}
    assert len(deviations) == 8
    assert page.gates is not None
    assert page.gates.address.endswith(max(deviations, key=lambda name: deviations[name]))


def test_first_and_last_block_have_one_neighbour(analysis: Analysis) -> None:
    first, last = (
        build_cbam_page(analysis, block=name, addresses=ADDRESSES).gates for name in ("layer1.0", "layer4.1")
    )
    assert first is not None
    assert last is not None
    assert (first.previous, first.following) == (None, ("/a/cbam?block=layer1.1", "Stage 1, block 2"))
    assert (last.previous, last.following) == (("/a/cbam?block=layer4.0", "Stage 4, block 1"), None)


def test_unknown_block_is_refused_and_an_unknown_analysis_is_gone(local_client: TestClient, analysis: Analysis) -> None:
    refused = local_client.get(f"/analyses/{analysis.id}/cbam?block=layer9.9")
    assert refused.status_code == 422
    assert "layer4.1" in refused.text
    assert local_client.get("/analyses/nobody/cbam").status_code == 404


def test_lineup_without_both_gates_gets_the_example(analysis: Analysis) -> None:
    blocks = tuple(replace(block, spatial=None) for block in analysis.traces["cbam"].blocks)
    squeezed = {**analysis.traces, "cbam": replace(analysis.traces["cbam"], blocks=blocks)}
    page = build_cbam_page(replace(analysis, traces=squeezed), block=None, addresses=ADDRESSES)
    assert (page.gates, page.address) == (None, "/a?tab=attention")


@pytest.mark.parametrize("tab", ["guesses", "attention"])
def test_every_word_on_the_page_of_an_analysis_has_its_explanation(
    local_client: TestClient, analysis: Analysis, tab: str
) -> None:
    text = read_page(local_client, f"/analyses/{analysis.id}?tab={tab}")
    asked = set(re.findall(r'popovertarget="([^"]+)"', text))
    explained = set(re.findall(r'id="([^"]+)" popover', text))
    wanted = {"probability", "logit", "grad-cam", "stage"}
    if tab == "attention":
        wanted |= {"gate", "channel-attention", "spatial-attention"}
        assert f'<a href="/analyses/{analysis.id}/cbam">CBAM in 60 seconds</a>' in text
    assert asked == {f"term-{name}" for name in wanted}
    assert asked <= explained
    for name in TERMS:
        assert f'href="/analyses/{analysis.id}/cbam#{name}"' in text
