import re
from collections.abc import Mapping
from typing import cast

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.analysis_page import Addresses, build_analysis_page
from app.comparison import Comparison, Target
from app.explain.maps import HeatMap
from app.explain.methods import Method
from app.options import FigureOptions
from app.page_contexts import AnalysisPage, UploadForm
from app.render.colour_scale import Colormap, Scale
from app.schemas import describe_pair
from app.templating import ENVIRONMENT
from models.names import NetworkName, Stage
from models.pair import NetworkPair

LABEL_INDEX = 5

SPOT = np.zeros((5, 5), dtype=np.float32)
SPOT[1, 2] = 2

NOTHING = np.zeros((5, 5), dtype=np.float32)


@pytest.fixture(scope="module")
def analysis_id(client: TestClient, motorcycle: bytes) -> str:
    identifier: str = client.post("/api/v1/analyses", files={"image": motorcycle}).json()["id"]
    return identifier


def build(
    client: TestClient,
    pair: NetworkPair,
    analysis_id: str,
    maps: Mapping[NetworkName, np.ndarray],
    options: FigureOptions | None = None,
) -> AnalysisPage:
    comparison = Comparison(
        analysis=cast("FastAPI", client.app).state.store.get(analysis_id),
        labels=pair.labels,
        target=Target(pair.labels[LABEL_INDEX], "index"),
        method=Method.GRADCAM_PLUS_PLUS,
        stage=Stage.FOUR,
        heat_maps={name: HeatMap(values) for name, values in maps.items()},
    )
    options = options or FigureOptions(method=Method.GRADCAM_PLUS_PLUS)
    return build_analysis_page(
        comparison,
        options,
        pair=describe_pair(pair),
        upload=UploadForm(samples=(), pairs=(), geometries=(), resolutions=(), max_upload_bytes=20_000_000),
        addresses=Addresses(page="/analyses/x", answer="/api/v1/analyses/x", picture="/analyses/x/picture.jpg"),
    )


def render(page: AnalysisPage) -> str:
    """The page's text without its markup, spaces collapsed."""
    values = {name: getattr(page, name) for name in page.__dataclass_fields__}
    html = ENVIRONMENT.get_template(page.template).render(values, url_for=lambda _name, **_parameters: "/")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_page_says_plainly_where_a_map_has_no_evidence(client: TestClient, pair: NetworkPair, analysis_id: str) -> None:
    page = build(client, pair, analysis_id, {NetworkName.BASELINE: NOTHING, NetworkName.CBAM: SPOT})
    text = render(page)
    name = pair.labels[LABEL_INDEX].name
    assert text.count("No positive evidence: nothing in this picture speaks for") == 1
    assert f"evidence for ‘{name}’, one scale for both" in text
    assert [measure.value for measure in page.measures] == [None, None, None, "none | 100 %"]
    assert text.count("not defined") == 3
    assert f"No positive evidence for ‘{name}’ by the baseline." in text
    assert "no positive evidence" in page.networks[0].image.description


def test_page_shows_no_colour_bar_where_neither_map_has_evidence(
    client: TestClient, pair: NetworkPair, analysis_id: str
) -> None:
    page = build(client, pair, analysis_id, {NetworkName.BASELINE: NOTHING, NetworkName.CBAM: NOTHING})
    text = render(page)
    assert "Neither map has evidence, so there is no difference to show." in text
    assert "one scale for both" not in text
    assert "by the baseline and the network with CBAM." in text


def test_page_keeps_every_option_in_the_links_of_classes(
    client: TestClient, pair: NetworkPair, analysis_id: str
) -> None:
    options = FigureOptions(
        method=Method.GRADCAM_PLUS_PLUS, stage=Stage.TWO, scale=Scale.OWN, colormap=Colormap.MAGMA, opacity=0.3
    )
    page = build(client, pair, analysis_id, {NetworkName.BASELINE: SPOT, NetworkName.CBAM: SPOT}, options)
    address = page.networks[0].ranking[0].address
    for part in ("/analyses/x?", "method=gradcam%2B%2B", "stage=2", "scale=own", "colormap=magma", "opacity=0.3"):
        assert part in address


def test_page_measures_equal_maps_as_equal(client: TestClient, pair: NetworkPair, analysis_id: str) -> None:
    page = build(client, pair, analysis_id, {NetworkName.BASELINE: SPOT, NetworkName.CBAM: SPOT})
    assert [measure.value for measure in page.measures] == ["1.00", "1.00", "0.0 %", "100 % | 100 %"]


def test_page_lists_the_classes_in_alphabetical_order_with_one_selected(
    client: TestClient, pair: NetworkPair, analysis_id: str
) -> None:
    page = build(client, pair, analysis_id, {NetworkName.BASELINE: SPOT, NetworkName.CBAM: SPOT})
    titles = [choice.title.casefold() for choice in page.classes]
    assert titles == sorted(titles)
    assert [choice.value for choice in page.classes if choice.is_selected] == [str(LABEL_INDEX)]
