"""Concepts over REST and on their page."""

import io
import re

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image


@pytest.fixture(scope="module")
def root(client: TestClient, motorcycle: bytes) -> str:
    """The address of an analysis below /api/v1."""
    answer = client.post("/api/v1/analyses", files={"image": motorcycle})
    assert answer.status_code == 201
    return str(answer.headers["Location"])


def test_concepts_have_numbers_colours_shares_and_classes(client: TestClient, root: str) -> None:
    answer = client.get(f"{root}/concepts", params={"count": 4}).json()
    assert (answer["stage"], answer["count"]) == (4, 4)
    assert list(answer["networks"]) == ["baseline", "cbam"]
    for network in answer["networks"].values():
        concepts = network["concepts"]
        assert [concept["number"] for concept in concepts] == [1, 2, 3, 4]
        assert len({concept["colour"] for concept in concepts}) == 4
        assert sum(concept["share"] for concept in concepts) == pytest.approx(1, abs=1e-4)
        for concept in concepts:
            chances = [guess["probability"] for guess in concept["predictions"]]
            assert len(chances) == 3
            assert chances == sorted(chances, reverse=True)
    largest = [concept["share"] for concept in answer["networks"]["baseline"]["concepts"]]
    assert largest == sorted(largest, reverse=True)


def test_concepts_are_the_same_each_time(client: TestClient, root: str) -> None:
    first, second = (client.get(f"{root}/concepts").json() for _ in range(2))
    assert first == second


def test_concepts_of_an_earlier_stage_have_no_classes(client: TestClient, root: str) -> None:
    answer = client.get(f"{root}/concepts", params={"stage": 2}).json()
    guesses = [concept["predictions"] for concept in answer["networks"]["cbam"]["concepts"]]
    assert guesses == [[]] * 5


def test_image_of_concepts_lies_on_the_picture_and_shows_its_colours(client: TestClient, root: str) -> None:
    answer = client.get(f"{root}/concepts").json()
    image = client.get(answer["networks"]["cbam"]["link"], params={"opacity": 1, "max_side": 320})
    assert image.headers["content-type"] == "image/png"
    assert image.headers["X-Lineup"]
    drawn = Image.open(io.BytesIO(image.content))
    assert max(drawn.size) == 320
    first = answer["networks"]["cbam"]["concepts"][0]["colour"]
    wanted = [int(first[start : start + 2], 16) for start in (1, 3, 5)]
    distances = np.abs(np.asarray(drawn, dtype=int) - wanted).max(axis=2)
    assert (distances < 40).any()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"count": 1}, ["count"]),
        ({"count": 9}, ["count"]),
        ({"stage": 5}, ["stage"]),
    ],
)
def test_option_out_of_range_is_refused(client: TestClient, root: str, query: dict[str, int], words: list[str]) -> None:
    answer = client.get(f"{root}/concepts", params=query)
    assert answer.status_code == 422
    assert all(word in answer.json()["detail"] for word in words)


def test_unknown_network_is_refused(client: TestClient, root: str) -> None:
    answer = client.get(f"{root}/concepts/nobody.png")
    assert answer.status_code == 422
    assert "baseline, cbam" in answer.json()["detail"]


def test_page_shows_each_network_s_concepts_and_their_classes(client: TestClient, root: str) -> None:
    page = client.get(root.removeprefix("/api/v1") + "/concepts", params={"count": 3})
    assert page.status_code == 200
    assert page.text.count("<figure") == 2
    assert len(re.findall("concept-number", page.text)) == 6
    assert "Likeliest classes" in page.text
    images = re.findall(r'src="([^"]+concepts/cbam\.png[^"]+)"', page.text)
    assert client.get(images[0].replace("&amp;", "&")).status_code == 200


def test_page_of_an_earlier_stage_says_why_there_are_no_classes(client: TestClient, root: str) -> None:
    page = client.get(root.removeprefix("/api/v1") + "/concepts", params={"stage": 3})
    assert "Likeliest classes" not in page.text
    assert "Only concepts of stage 4 have classes" in page.text


def test_analysis_page_leads_to_its_concepts(client: TestClient, root: str) -> None:
    path = root.removeprefix("/api/v1")
    assert f'href="{path}/concepts"' in client.get(path).text
