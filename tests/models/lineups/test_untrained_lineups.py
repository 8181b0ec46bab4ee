"""Other architectures with random weights: all functions work, and all results are marked as untrained."""

import asyncio
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cli import app as command_line
from app.engine.loading import load_chosen_lineups
from app.engine.work import PictureWork
from app.main import create_app
from app.render.figure import FigureFormat, Panel, draw_figure
from app.settings import Settings
from models.lineups.lineup import Lineup
from models.names import Stage
from tests.conftest import decode, encode, make_picture
from tests.lineups import RESNET18_110

# Builds networks of several architectures.
pytestmark = pytest.mark.slow(rare=True)

BLOCK_COUNTS = {"resnet18": 8, "vgg16_bn": 5, "mobilenet_1.0": 26, "resnext50_32x4d": 16}
ARCHITECTURES = list(BLOCK_COUNTS)
EACH_ARCHITECTURE = [
    pytest.param(name, marks=pytest.mark.slow) if name in {"vgg16_bn", "resnext50_32x4d"} else name
    for name in ARCHITECTURES
]


@pytest.fixture(scope="module")
def lineups() -> tuple[Lineup, ...]:
    sources = [f"{name}=untrained:{name},untrained:{name}+cbam" for name in ARCHITECTURES]
    return load_chosen_lineups(
        Settings(lineups=(str(RESNET18_110), *sources, "se=untrained:resnet18,untrained:resnet18+se"))
    )


@pytest.fixture(scope="module")
def site(lineups: tuple[Lineup, ...]) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), lineups=lineups)) as client:
        yield client


@pytest.fixture(scope="module")
def image() -> bytes:
    return encode(make_picture(96, 72))


def analyse(site: TestClient, image: bytes, lineup: str, **options: str) -> dict[str, Any]:
    answer = site.post("/api/v1/analyses", files={"image": image}, data={"lineup": lineup, **options})
    assert answer.status_code == 201, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_every_lineup_is_listed_with_what_it_is(site: TestClient) -> None:
    listed = {lineup["name"]: lineup for lineup in site.get("/api/v1/lineups").json()}
    assert list(listed) == ["resnet18-110", *ARCHITECTURES, "se"]
    assert listed["resnet18-110"]["trained"]
    for name in ARCHITECTURES:
        lineup = listed[name]
        assert not lineup["trained"]
        assert (lineup["architecture"], len(lineup["labels"])) == (name, 10)
        assert lineup["networks"]["cbam"]["parameters"] > lineup["networks"]["baseline"]["parameters"]
        assert lineup["networks"]["cbam"]["multiply_adds"] > lineup["networks"]["baseline"]["multiply_adds"] > 1e8


def test_members_of_an_untrained_lineup_differ_by_their_attention_alone(lineups: tuple[Lineup, ...]) -> None:
    for lineup in lineups[1:]:
        baseline, gated = (network.state_dict() for network in lineup.networks.values())
        assert all(np.array_equal(gated[key].numpy(), values.numpy()) for key, values in baseline.items())
        assert len(gated) > len(baseline)


@pytest.mark.parametrize("architecture", EACH_ARCHITECTURE)
@pytest.mark.parametrize("stage", Stage)
def test_heat_maps_are_answered_and_marked(site: TestClient, image: bytes, architecture: str, stage: Stage) -> None:
    options = {"lineup": architecture, "stage": str(stage.value), "target": "class 3", "render": "overlay"}
    for network in ("baseline", "cbam"):
        answer = site.post("/api/v1/heatmap", files={"image": image}, data=options | {"network": network})
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-lineup"] == architecture
        assert answer.headers["x-lineup-trained"] == "false"
        picture = decode(answer.content)
        assert picture.size == (96, 72)
        # The mark's dark label covers the corner.
        assert picture.convert("RGB").getpixel((0, 0)) == (20, 20, 20)


@pytest.mark.parametrize("architecture", EACH_ARCHITECTURE)
def test_every_gate_is_answered(site: TestClient, image: bytes, architecture: str) -> None:
    analysis = analyse(site, image, architecture)
    assert (analysis["lineup"], analysis["trained"]) == (architecture, False)
    assert analysis["networks"]["baseline"]["blocks"] == []
    network = analysis["networks"]["cbam"]
    assert network["attention"] == "cbam"
    assert len(network["blocks"]) == BLOCK_COUNTS[architecture]
    for block in network["blocks"]:
        assert block["spatial"]["standard_deviation"] == pytest.approx(0, abs=1e-6)
        for kind in ("spatial", "channel"):
            answer = site.get(block["links"][kind], params={"render": "values"})
            assert answer.status_code == 200
            expected = (block["width"], block["height"]) if kind == "spatial" else (block["channels"], 1)
            assert decode(answer.content).size == expected
    arrays = np.load(io.BytesIO(site.get(analysis["links"]["maps"]).content))
    assert not arrays["trained"]
    assert str(arrays["lineup"]) == architecture


@pytest.mark.parametrize("architecture", EACH_ARCHITECTURE)
def test_page_of_an_untrained_lineup_says_so_at_each_place(site: TestClient, image: bytes, architecture: str) -> None:
    answer = site.post("/", files={"image": ("x.png", image)}, data={"lineup": architecture, "geometry": ""})
    assert answer.status_code == 200
    text = answer.text + "".join(
        site.get(str(answer.url), params={"tab": tab}).text for tab in ("attention", "networks")
    )
    assert "Untrained networks." in text
    assert "these gates have learned nothing" in text
    assert ">Baseline, untrained</figcaption>" in text
    assert ">CBAM, untrained</figcaption>" in text
    assert '<span class="badge">untrained</span>' in text
    assert text.count('class="block"') == BLOCK_COUNTS[architecture]


def test_page_of_the_trained_lineup_does_not_say_so(site: TestClient, image: bytes) -> None:
    text = site.post("/", files={"image": ("x.png", image)}).text
    assert "Untrained networks." not in text
    assert ", untrained</figcaption>" not in text


def test_first_page_offers_every_lineup(site: TestClient) -> None:
    text = site.get("/").text
    for name in ("resnet18-110", *ARCHITECTURES):
        assert f'<option value="{name}"' in text
    assert "ResNet-18 and ResNet-18+CBAM, 10 classes (untrained)" in text


def test_page_takes_the_same_picture_to_another_lineup(site: TestClient, image: bytes) -> None:
    first = analyse(site, image, "resnet18-110")
    answer = site.post("/", data={"analysis": first["id"], "lineup": "mobilenet_1.0"})
    assert answer.status_code == 200
    assert site.get(f"/api/v1{answer.url.path}").json()["lineup"] == "mobilenet_1.0"


def read_texts(content: bytes, file_format: FigureFormat) -> list[str]:
    """The words in a figure: an SVG names each text beside its shapes, a PDF has it letter by letter."""
    if file_format is FigureFormat.SVG:
        return re.findall("<!-- (.*?) -->", content.decode())
    streams = re.findall(rb"stream\r?\n(x.*?)\r?\nendstream", content, re.DOTALL)
    drawn = b"".join(map(zlib.decompress, streams)).decode("latin1")
    return ["".join(re.findall(r"\((.*?)\)", text)) for text in re.findall(r"BT\n(.*?)ET\n", drawn, re.DOTALL)]


def read_heading(content: bytes) -> np.ndarray:
    """The uppermost lines of a figure as a PNG, in which its heading stands alone."""
    return np.asarray(decode(content).convert("L"))[:30]


@pytest.mark.parametrize("file_format", FigureFormat)
@pytest.mark.parametrize(
    ("lineup", "mark"),
    [("resnet18", "UNTRAINED: random weights, nothing was learned. "), ("resnet18-110", "")],
    ids=["untrained", "trained"],
)
def test_figure_of_an_untrained_lineup_says_so(
    site: TestClient, image: bytes, file_format: FigureFormat, lineup: str, mark: str
) -> None:
    options = {"lineup": lineup, "geometry": "center_crop", "format": file_format.value}
    answer = site.post("/api/v1/figure", files={"image": image}, data=options)
    assert answer.headers["x-lineup-trained"] == ("false" if mark else "true")
    heading = f"{mark}gradcam, stage 4, center_crop at 224 pixels"
    if file_format is not FigureFormat.PNG:
        assert heading in read_texts(answer.content, file_format)
        return
    panels = [Panel("", make_picture(96, 72), "")] * 3
    expected = draw_figure([panels], heading=heading, units="", file_format=file_format)
    assert np.array_equal(read_heading(answer.content), read_heading(expected))


def test_attention_without_a_spatial_gate_shows_the_channel_gate_alone(site: TestClient, image: bytes) -> None:
    analysis = analyse(site, image, "se")
    network = analysis["networks"]["se"]
    assert network["attention"] == "se"
    assert network["blocks"]
    assert all(block["spatial"] is None and set(block["links"]) == {"channel"} for block in network["blocks"])
    page = site.get(f"/analyses/{analysis['id']}", params={"tab": "attention"}).text
    assert "SE’s gates, block by block" in page
    assert ">SE, untrained</figcaption>" in page
    problem = site.post("/api/v1/attention", files={"image": image}, data={"lineup": "se", "kind": "spatial"})
    assert problem.status_code == 422
    assert problem.json()["allowed"] == ["channel"]


def test_unknown_lineup_is_refused_with_the_names(site: TestClient, image: bytes) -> None:
    for path in ("heatmap", "figure", "attention", "analyses"):
        answer = site.post(f"/api/v1/{path}", files={"image": image}, data={"lineup": "resnet152"})
        assert answer.status_code == 422
        assert answer.json()["allowed"] == ["resnet18-110", *ARCHITECTURES, "se"]


def test_analysis_stays_with_the_lineup_that_made_it(site: TestClient, image: bytes) -> None:
    analysis = analyse(site, image, "vgg16_bn")
    again = site.get(f"/api/v1/analyses/{analysis['id']}", params={"target": "class 2"}).json()
    assert (again["lineup"], again["target"]["class_name"]) == ("vgg16_bn", "class 2")


def test_lineups_of_one_shape_do_not_share_a_forward_pass(site: TestClient, lineups: tuple[Lineup, ...]) -> None:
    """Two lineups that get pictures of one shape at the same time each answer with their own networks."""
    lenses = site.app.state.lenses  # type: ignore[attr-defined]
    values = np.zeros((3, 96, 96), dtype=np.float32)

    async def ask() -> list[int]:
        answers = await asyncio.gather(
            *(lenses.engine.submit(PictureWork(lineup, values)) for lineup in lineups[:2] * 4)
        )
        return [answer.traces["cbam"].logits.size for answer in answers]

    assert asyncio.run(ask()) == [110, 10] * 4


@pytest.mark.parametrize("architecture", EACH_ARCHITECTURE)
def test_compare_works_with_each_architecture(tmp_path: Path, image: bytes, architecture: str) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(image)
    lineup = f"mine=untrained:{architecture},untrained:{architecture}+cbam"
    arguments = ["compare", str(path), "-o", str(tmp_path / "out"), "--json", "--lineup", lineup, "--device", "cpu"]
    result = CliRunner().invoke(command_line, arguments)
    assert result.exit_code == 0, result.output
    row = json.loads(result.stdout)
    assert (row["lineup"], row["trained"]) == ("mine", False)
    assert len(row["networks"]["cbam"]["blocks"]) == BLOCK_COUNTS[architecture]
    names = {file.name.removeprefix("picture.") for file in (tmp_path / "out").iterdir()}
    assert names == {"figure.png", "baseline.png", "cbam.png", "difference.png", "maps.npz"}


def test_compare_says_untrained_beside_each_picture(tmp_path: Path, image: bytes) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(image)
    lineup = "mine=untrained:resnet18,untrained:resnet18+cbam"
    result = CliRunner().invoke(command_line, ["compare", str(path), "-o", str(tmp_path / "out"), "--lineup", lineup])
    assert "(untrained networks)" in result.stdout


def test_two_lineups_of_one_name_are_refused() -> None:
    lineup = "mine=untrained:resnet18,untrained:resnet18+cbam"
    result = CliRunner().invoke(command_line, ["serve", "--lineup", lineup, "--lineup", lineup])
    assert result.exit_code == 2
    assert "two lineups are named mine" in result.output
