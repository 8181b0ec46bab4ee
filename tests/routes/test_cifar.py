"""A lineup of the authors' networks for CIFAR, from files as they save them to the page."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from models.errors import LineupError
from models.lineups.choice import parse_lineup
from models.lineups.cifar import CIFAR10, CIFAR100, find_preprocessing
from models.lineups.lineup import Lineup, load_lineup
from tests.conftest import decode, encode, make_picture
from tests.models.checkpoints.foreign import CIFAR, make_cifar

pytestmark = pytest.mark.slow(rare=True)

COARSE = "The networks see 32 x 32 pixels of a square picture. The last stage has 4 x 4 positions: its maps are coarse."
ASSUMED = "CIFAR-10's mean and deviation were assumed"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("cifar")
    paths = {attention: folder / f"{attention}.pth.tar" for attention in CIFAR}
    for attention, path in paths.items():
        make_cifar(attention, path)
    return paths


@pytest.fixture(scope="module")
def cifar(files: dict[str, Path]) -> Lineup:
    return load_lineup(parse_lineup(f"cifar={files['none']},{files['bam']},{files['cbam']}"))


@pytest.fixture(scope="module")
def cifar_client(cifar: Lineup, lineup: Lineup) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), lineups=[cifar, lineup])) as client:
        yield client


@pytest.fixture(scope="module")
def picture() -> bytes:
    return encode(make_picture(32, 32))


def test_the_card_has_cifars_preprocessing_and_says_what_to_know(cifar: Lineup) -> None:
    card = cifar.card
    assert card.architecture == "cifar_resnet18"
    assert list(card.networks) == ["baseline", "bam", "cbam"]
    assert card.preprocessing == CIFAR10
    assert [warning for warning in card.warnings if warning == COARSE]
    assert ASSUMED in " ".join(card.warnings)


def test_a_card_that_states_its_preprocessing_is_believed(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "cifar.toml").write_text(
        f"""
        name = "mine"
        title = "Mine"
        architecture = "cifar_resnet18"
        trained = true
        provenance = "a test"
        preprocessing = {{ mean = [0.5, 0.5, 0.5], standard_deviation = [0.25, 0.25, 0.25], resolution = 32 }}
        [networks]
        baseline = {{ attention = "none", file = "{files["none"]}" }}
        bam = {{ attention = "bam", file = "{files["bam"]}" }}
        """
    )
    card = load_lineup(tmp_path / "cifar.toml").card
    assert card.preprocessing.mean == (0.5, 0.5, 0.5)
    assert COARSE in card.warnings
    assert ASSUMED not in " ".join(card.warnings)


def test_bam_cannot_be_put_into_a_file_of_a_network_without_it(files: dict[str, Path]) -> None:
    with pytest.raises(LineupError, match="BAM cannot be new in a trained network"):
        load_lineup(parse_lineup(f"x={files['none']},{files['none']}+bam"))
    card = load_lineup(parse_lineup(f"x={files['none']},{files['none']}+cbam")).card
    assert card.architecture == "cifar_resnet18"


@pytest.mark.parametrize(
    ("architecture", "class_count", "expected"),
    [("cifar_resnet50", 100, CIFAR100), ("cifar_resnet50", 10, CIFAR10), ("cifar_resnet50", 43, CIFAR10)],
)
def test_preprocessing_is_chosen_by_the_number_of_classes(
    architecture: str, class_count: int, expected: object
) -> None:
    assert find_preprocessing(architecture, class_count) == expected
    assert find_preprocessing("resnet50", class_count).resolution == 224


def test_a_picture_of_cifar_is_analysed_and_drawn_large(cifar_client: TestClient, picture: bytes) -> None:
    answer = cifar_client.post("/api/v1/analyses", files={"image": picture}).raise_for_status().json()
    geometry = answer["geometry"]
    assert (geometry["input_width"], geometry["input_height"], geometry["resolution"]) == (32, 32, 32)
    assert not geometry["is_cropped"]
    assert [block["name"] for block in answer["networks"]["bam"]["blocks"]] == [
        "layer1.bam",
        "layer2.bam",
        "layer3.bam",
    ]
    link = answer["networks"]["bam"]["links"]["heat_map"]

    def fetch(address: str, **query: object) -> tuple[int, int]:
        return decode(cifar_client.get(address, params=query).raise_for_status().content).size  # type: ignore[arg-type]

    assert fetch(link, render="values") == (4, 4)
    assert fetch(link, render="values", stage=1) == (32, 32)
    assert fetch(link) == (32, 32)
    assert fetch(link, max_side=640) == (640, 640)
    joint = answer["networks"]["bam"]["blocks"][0]["links"]["joint"]
    assert fetch(joint, render="values") == (32, 32)
    assert fetch(joint, max_side=256) == (256, 256)
    page = cifar_client.get(f"/analyses/{answer['id']}").raise_for_status().text
    sizes = re.findall(r'<img[^>]*heatmaps/\w+\.png[^>]*width="(\d+)" height="(\d+)"', page)
    assert sizes == [("640", "640")] * 3
    assert "4 x 4 positions" in page
    shown = re.search(r'src="([^"]+/picture\.\w+[^"]*)"', page)
    assert shown is not None
    assert fetch(shown[1].replace("&amp;", "&")) == (640, 640)


def test_the_enlarged_overlay_keeps_the_heat_where_it_is(cifar_client: TestClient, picture: bytes) -> None:
    answer = cifar_client.post("/api/v1/analyses", files={"image": picture}).raise_for_status().json()
    link = answer["networks"]["cbam"]["links"]["heat_map"]
    small, large = (
        np.asarray(
            decode(cifar_client.get(link, params={"render": "gray", "scale": "own"} | side).content), dtype=float
        )
        for side in ({}, {"max_side": "320"})
    )
    averaged = large.reshape(32, 10, 32, 10).mean(axis=(1, 3))
    assert np.abs(averaged - small).max() < 16
    assert small.max() > 200


def test_a_larger_picture_is_seen_whole(cifar_client: TestClient, motorcycle: bytes) -> None:
    answer = cifar_client.post("/api/v1/analyses", files={"image": motorcycle}).raise_for_status().json()
    geometry = answer["geometry"]
    assert (geometry["input_width"], geometry["input_height"]) == (48, 32)
    assert not geometry["is_cropped"]


@pytest.mark.parametrize(
    ("lineup_name", "resolution", "allowed"),
    [("cifar", 224, ["32"]), ("resnet18-110", 32, ["160", "224", "320", "448"])],
)
def test_a_resolution_for_other_networks_is_refused(
    cifar_client: TestClient, picture: bytes, lineup_name: str, resolution: int, allowed: list[str]
) -> None:
    form = {"lineup": lineup_name, "resolution": str(resolution)}
    refused = cifar_client.post("/api/v1/analyses", files={"image": picture}, data=form)
    assert refused.status_code == 422
    assert (refused.json()["option"], refused.json()["allowed"]) == ("resolution", allowed)


def test_figure_and_arrays_come_of_a_tiny_picture_too(cifar_client: TestClient, picture: bytes) -> None:
    figure = cifar_client.post("/api/v1/figure", files={"image": picture}).raise_for_status()
    assert decode(figure.content).width > 600
    answer = cifar_client.post("/api/v1/analyses", files={"image": picture}).raise_for_status().json()
    arrays = np.load(io.BytesIO(cifar_client.get(answer["links"]["maps"]).raise_for_status().content))
    assert arrays["bam_layer3.bam_joint"].shape == (8, 8)
    assert arrays["bam_layer3.bam_channel"].shape == (256,)
    assert arrays["cbam_heat_map"].shape == (4, 4)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("bam:all:spatial:neutral", "BAM applies its two branches together"),
        ("bam:all:joint:neutral", "choose another network (cbam)"),
        ("cbam:all:joint:neutral", "whose gates can have spatial:neutral"),
    ],
)
def test_bams_gates_cannot_be_changed_and_the_answer_says_so(
    cifar_client: TestClient, picture: bytes, text: str, sentence: str
) -> None:
    refused = cifar_client.post("/api/v1/analyses", files={"image": picture}, data={"interventions": text})
    assert refused.status_code == 422
    assert sentence in refused.json()["detail"]


def test_the_gates_beside_bams_can_be_changed(cifar_client: TestClient, picture: bytes) -> None:
    form = {"interventions": "all:spatial:neutral"}
    answer = cifar_client.post("/api/v1/analyses", files={"image": picture}, data=form).raise_for_status().json()
    assert answer["networks"]["cbam"]["alteration"]["interventions"] == ["cbam:all:spatial:neutral"]
    assert answer["networks"]["bam"]["alteration"] is None


def test_an_opened_bam_is_a_page(cifar_client: TestClient, picture: bytes) -> None:
    answer = cifar_client.post("/api/v1/analyses", files={"image": picture}).raise_for_status().json()
    page = cifar_client.get(f"/analyses/{answer['id']}/blocks/bam/layer2.bam").raise_for_status().text
    assert "Behind stage 2" in page
    assert "multiplies them by 1 plus its joint gate" in page
    assert [part in page for part in ("Spatial branch", "Joint gate", "Channel branch")] == [True] * 3
    assert "passes unchanged" not in page
