import re
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.analysis.comparison import Comparison, Target
from app.analysis.options import PageOptions, Tab
from app.api.lineups import build_lineup_description
from app.api.links import AnalysisLinks
from app.explain.maps import HeatMap
from app.explain.methods import Method
from app.pages.addresses import Addresses
from app.pages.analysis.page import AnalysisPage, build_analysis_page
from app.pages.analysis.toolbar import FIRST_CLASSES
from app.pages.templating import ENVIRONMENT
from app.pages.upload import UploadForm
from app.render.colour_scale import Colormap, Scale
from models.lineups.lineup import Lineup
from models.names import NetworkName, Stage

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
    lineup: Lineup,
    analysis_id: str,
    maps: Mapping[NetworkName, np.ndarray],
    options: PageOptions | None = None,
    *,
    classes: Sequence[int] = (LABEL_INDEX,),
) -> AnalysisPage:
    comparisons = [
        Comparison(
            analysis=cast("FastAPI", client.app).state.store.get(analysis_id),
            labels=lineup.labels,
            target=Target(lineup.labels[index], "index"),
            method=Method.GRADCAM_PLUS_PLUS,
            stage=Stage.FOUR,
            heat_maps={name: HeatMap(values) for name, values in maps.items()},
        )
        for index in classes
    ]
    options = options or PageOptions(method=Method.GRADCAM_PLUS_PLUS)
    return build_analysis_page(
        comparisons,
        options,
        lineup=build_lineup_description(lineup),
        upload=UploadForm(samples=(), lineups=(), geometries=(), resolutions=(), max_upload_bytes=20_000_000),
        addresses=Addresses(
            page="/analyses/x",
            answer=AnalysisLinks("/api/v1/analyses/x"),
            picture="/analyses/x/picture.jpg",
            maps="/analyses/x/maps.json",
            primer="/analyses/x/cbam",
        ),
    )


def read_measures(page: AnalysisPage) -> dict[str, str | None]:
    """The measures of the maps by their titles; P is the lineup's own."""
    return {measure.title: measure.value for measure in page.measures if measure.title != "P of the class"}


def render(page: AnalysisPage) -> str:
    """The page's text without its markup, spaces collapsed."""
    values = {name: getattr(page, name) for name in page.__dataclass_fields__}
    html = ENVIRONMENT.get_template(page.template).render(values, url_for=lambda _name, **_parameters: "/")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_page_says_plainly_where_a_map_has_no_evidence(client: TestClient, lineup: Lineup, analysis_id: str) -> None:
    page = build(client, lineup, analysis_id, {"baseline": NOTHING, "cbam": SPOT})
    text = render(page)
    name = lineup.labels[LABEL_INDEX].name
    assert text.count("No positive evidence: this network sees nothing in the picture that speaks for") == 1
    assert f"evidence for ‘{name}’ in logits, one scale for all" in text
    assert read_measures(page) == {
        "Peak": "none | 2",
        "Correlation": None,
        "Overlap": None,
        "Peak distance": None,
        "Share above half maximum": "none | 100 %",
    }
    numbers = render(
        build(client, lineup, analysis_id, {"baseline": NOTHING, "cbam": SPOT}, PageOptions(tab=Tab.NUMBERS))
    )
    assert numbers.count("not defined") == 3
    assert f"The baseline found no positive evidence for ‘{name}’." in numbers
    assert "no positive evidence" in page.networks[0].image.description


def test_page_shows_no_colour_bar_where_neither_map_has_evidence(
    client: TestClient, lineup: Lineup, analysis_id: str
) -> None:
    page = build(client, lineup, analysis_id, {"baseline": NOTHING, "cbam": NOTHING})
    text = render(page)
    numbers = render(
        build(client, lineup, analysis_id, {"baseline": NOTHING, "cbam": NOTHING}, PageOptions(tab=Tab.NUMBERS))
    )
    assert "No map has evidence, so there is no difference to show." in text
    assert "logits, one scale for all" not in text
    assert "The baseline and CBAM found no positive evidence for" in numbers


def test_page_keeps_every_option_in_the_links_of_classes(client: TestClient, lineup: Lineup, analysis_id: str) -> None:
    options = PageOptions(
        method=Method.GRADCAM_PLUS_PLUS, stage=Stage.TWO, scale=Scale.OWN, colormap=Colormap.MAGMA, opacity=0.3
    )
    page = build(client, lineup, analysis_id, {"baseline": SPOT, "cbam": SPOT}, options)
    address = page.networks[0].ranking[0].address
    for part in ("/analyses/x?", "method=gradcam%2B%2B", "stage=2", "scale=own", "colormap=magma", "opacity=0.3"):
        assert part in address


def test_page_measures_equal_maps_as_equal(client: TestClient, lineup: Lineup, analysis_id: str) -> None:
    page = build(client, lineup, analysis_id, {"baseline": SPOT, "cbam": SPOT})
    assert read_measures(page) == {
        "Peak": "2 | 2",
        "Correlation": "1.00",
        "Overlap": "1.00",
        "Peak distance": "0.0 %",
        "Share above half maximum": "100 % | 100 %",
    }


def test_page_gives_each_map_its_peak(client: TestClient, lineup: Lineup, analysis_id: str) -> None:
    page = build(client, lineup, analysis_id, {"baseline": NOTHING, "cbam": SPOT})
    silent, spot = page.networks
    assert silent.peak is None
    assert spot.peak is not None
    # The third column and the second row of five; the networks saw the square of 500 pixels at the centre of 741.
    assert spot.peak.startswith("2 at x 3")
    assert spot.peak.endswith(", y 150")


def test_page_shows_a_second_class_in_a_row_of_its_own(client: TestClient, lineup: Lineup, analysis_id: str) -> None:
    maps = {"baseline": SPOT, "cbam": SPOT}
    page = build(client, lineup, analysis_id, maps, classes=(LABEL_INDEX, 9))
    first, second = (lineup.labels[index].name for index in (LABEL_INDEX, 9))
    assert [row.class_name for row in page.rows] == [first, second]
    assert page.versus == second
    assert f"Where do they look for ‘{first}’, and why not ‘{second}’?" in render(page)
    assert "target=9" in page.rows[1].networks[0].image.address
    assert f"target={LABEL_INDEX}" in page.rows[0].networks[0].image.address
    assert page.rows[0].removal is None
    assert "versus" not in str(page.rows[1].removal)
    assert f"target={LABEL_INDEX}" in str(page.rows[1].removal)
    assert "versus=9" in page.maps


def test_page_keeps_the_second_class_when_another_first_one_is_chosen(
    client: TestClient, lineup: Lineup, analysis_id: str
) -> None:
    maps = {"baseline": SPOT, "cbam": SPOT}
    page = build(client, lineup, analysis_id, maps, classes=(LABEL_INDEX, 9))
    for ranked in page.networks[0].ranking:
        assert "versus=9" in ranked.address
    alone = build(client, lineup, analysis_id, maps)
    ranked = alone.networks[0].ranking[0]
    chosen = ranked.address.partition("target=")[2].partition("&")[0]
    assert ranked.versus_address is not None
    assert f"versus={chosen}" in ranked.versus_address
    assert f"target={LABEL_INDEX}" in ranked.versus_address


def test_page_asks_for_the_maps_without_saying_how_they_are_coloured(
    client: TestClient, lineup: Lineup, analysis_id: str
) -> None:
    page = build(client, lineup, analysis_id, {"baseline": SPOT, "cbam": SPOT})
    path, _, query = page.maps.partition("?")
    assert path == "/analyses/x/maps.json"
    assert set(query.split("&")) == {f"target={LABEL_INDEX}", "method=gradcam%2B%2B", "stage=4"}


def test_page_lists_the_likeliest_classes_first_and_the_rest_in_alphabetical_order(
    client: TestClient, lineup: Lineup, analysis_id: str
) -> None:
    page = build(client, lineup, analysis_id, {"baseline": SPOT, "cbam": SPOT})
    classes = page.toolbar.classes
    assert len(classes) == len(lineup.labels)
    assert classes[0].name == "motorbikes"
    percents = [int(choice.probability.strip("<> %")) for choice in classes[:FIRST_CLASSES]]
    assert percents == sorted(percents, reverse=True)
    rest = [choice.name.casefold() for choice in classes[FIRST_CLASSES:]]
    assert rest == sorted(rest)
    assert {choice.probability for choice in classes[FIRST_CLASSES:]} == {""}
    assert [choice.value for choice in classes if choice.is_selected] == [str(LABEL_INDEX)]


def test_page_opens_one_tab_and_links_to_the_others(client: TestClient, lineup: Lineup, analysis_id: str) -> None:
    maps = {"baseline": SPOT, "cbam": SPOT}
    for tab in Tab:
        page = build(client, lineup, analysis_id, maps, PageOptions(tab=tab), classes=(LABEL_INDEX, 9))
        assert [link.value for link in page.tabs] == [known.value for known in Tab]
        assert [link.value for link in page.tabs if link.is_selected] == [tab.value]
        for link in page.tabs:
            assert f"tab={link.value}" in link.address
            assert "versus=9" in link.address
        text = render(page)
        assert ("Likeliest classes" in text) == (tab is Tab.GUESSES)
        assert ("The maps in numbers" in text) == (tab is Tab.NUMBERS)
        assert ("Change the gates" in text) == (tab is Tab.ATTENTION)
        assert ("Multiply-adds per picture" in text) == (tab is Tab.NETWORKS)


def test_page_says_how_long_its_link_works(client: TestClient, lineup: Lineup, analysis_id: str) -> None:
    page = build(client, lineup, analysis_id, {"baseline": SPOT, "cbam": SPOT})
    analysis = cast("FastAPI", client.app).state.store.get(analysis_id)
    assert page.toolbar.expires.timestamp() == pytest.approx(analysis.made_at + 3600)
    assert f"The link works until {page.toolbar.expires:%H:%M} UTC" in render(page)
