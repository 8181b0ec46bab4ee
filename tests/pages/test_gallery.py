"""The gallery's pictures are named rightly by the shipped networks, and credited."""

import io
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.main import create_app
from app.pages.gallery import DIRECTORY, SAMPLES, Sample
from app.settings import Settings
from models.lineups.lineup import load_lineup
from tests.conftest import encode, make_picture


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """A client of an application with the shipped lineup."""
    with TestClient(create_app(Settings(), lineups=[load_lineup()])) as client:
        yield client


@pytest.mark.parametrize(
    "sample",
    [*SAMPLES[:2], *(pytest.param(sample, marks=pytest.mark.slow) for sample in SAMPLES[2:])],
    ids=lambda sample: sample.name,
)
def test_every_shipped_network_names_the_picture(client: TestClient, sample: Sample) -> None:
    picture = (DIRECTORY / f"{sample.name}.jpg").read_bytes()
    answer = client.post("/api/v1/analyses", files={"image": ("p.jpg", picture)})
    assert answer.status_code == 201, answer.text
    content = answer.json()
    guesses = {name: network["predictions"][0]["class_index"] for name, network in content["networks"].items()}
    assert guesses == dict.fromkeys(guesses, sample.class_index)
    assert content["target"]["class_index"] == sample.class_index
    # A picture of one of the classes must not be doubted.
    assert content["fit"] is None or content["fit"]["fits"]


def test_there_are_twelve_pictures_of_different_classes() -> None:
    assert len(SAMPLES) == 12
    assert len({sample.class_index for sample in SAMPLES}) == 12
    assert {path.stem for path in DIRECTORY.glob("*.jpg")} == {sample.name for sample in SAMPLES}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_credit_is_under_the_picture(client: TestClient, sample: Sample) -> None:
    (item,) = [part for part in client.get("/").text.split("<li>") if f'value="{sample.name}"' in part]
    credit = f'Photo: <a href="{sample.source}" rel="noreferrer">{sample.author}</a>, {sample.licence}'
    assert sample.licence in {"CC BY 2.0", "CC BY 4.0"}
    assert credit in item
    assert credit in client.post("/", data={"sample": sample.name}).text
    with Image.open(io.BytesIO((DIRECTORY / f"{sample.name}.jpg").read_bytes())) as picture:
        assert min(picture.size) >= 150


def test_other_picture_of_the_same_name_has_no_credit(client: TestClient) -> None:
    answer = client.post("/", files={"image": (SAMPLES[0].title, encode(make_picture(40, 30)))})
    assert SAMPLES[0].title in answer.text
    assert "Photo:" not in answer.text
