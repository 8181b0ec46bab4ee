"""`POST /heatmap`, `/figure` and `/attention`."""

import re

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.explain.methods import Method
from app.main import create_app
from app.settings import Settings
from models.lineups.choice import InlineLineup
from models.lineups.lineup import load_lineup
from models.names import Geometry, Stage
from tests.conftest import decode, encode, make_picture

Options = dict[str, str]


def post(client: TestClient, call: str, image: bytes, **options: str) -> bytes:
    answer = client.post(f"/api/v1/{call}", files={"image": ("picture", image)}, data=options)
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.mark.parametrize("size", [(120, 80), (80, 120), (900, 90), (1, 1)])
@pytest.mark.parametrize("geometry", Geometry)
@pytest.mark.parametrize("network", ["baseline", "cbam"])
def test_heat_map_has_the_uploaded_pictures_size(
    client: TestClient, size: tuple[int, int], geometry: str, network: str
) -> None:
    content = post(client, "heatmap", encode(make_picture(*size)), geometry=geometry, network=network)
    assert decode(content).size == size


@pytest.mark.parametrize("orientation", [6, 8])
def test_heat_map_of_a_turned_photo_equals_that_of_the_upright_one(client: TestClient, orientation: int) -> None:
    upright = make_picture(160, 96)
    turn = Image.Transpose.ROTATE_90 if orientation == 6 else Image.Transpose.ROTATE_270
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = encode(upright.transpose(turn), exif=exif)
    options = {"render": "gray", "target": "3", "geometry": "whole"}
    first, second = (post(client, "heatmap", data, **options) for data in (encode(upright), turned))
    assert decode(first).size == (160, 96)
    assert np.array_equal(np.asarray(decode(first)), np.asarray(decode(second)))


def test_heat_map_follows_the_object_when_the_picture_is_flipped(client: TestClient, motorcycle: bytes) -> None:
    options = {"render": "gray", "target": "motorbikes", "scale": "own", "network": "baseline"}
    flipped = encode(decode(motorcycle).transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    plain, mirrored = (
        np.asarray(decode(post(client, "heatmap", data, **options)).getchannel("L"), dtype=float)
        for data in (motorcycle, flipped)
    )
    assert np.corrcoef(plain[:, ::-1].ravel(), mirrored.ravel())[0, 1] > 0.8


def test_heat_map_tells_class_probability_extremes_and_timing_in_headers(client: TestClient, motorcycle: bytes) -> None:
    answer = client.post(
        "/api/v1/heatmap", files={"image": ("m.png", motorcycle)}, data={"target": "motorbikes", "network": "cbam"}
    )
    analysis = client.post("/api/v1/analyses", files={"image": ("m.png", motorcycle)}, data={"target": "2"}).json()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-target-class"] == "2"
    cbam = analysis["networks"]["cbam"]
    assert float(answer.headers["x-target-probability"]) == pytest.approx(cbam["target_probability"], abs=1e-5)
    assert float(answer.headers["x-cam-max"]) == pytest.approx(cbam["heat_map"]["max"], rel=1e-4)
    assert float(answer.headers["x-cam-min"]) == pytest.approx(cbam["heat_map"]["min"], rel=1e-4, abs=1e-6)
    assert {"decode", "networks", "maps", "render"} <= {
        entry.split(";")[0].strip() for entry in answer.headers["server-timing"].split(",")
    }


@pytest.mark.parametrize(
    ("method", "stage"),
    [
        pytest.param(method, stage, marks=() if stage is Stage.FOUR else pytest.mark.slow)
        for method in Method
        for stage in Stage
        # A pass for each channel of a late stage takes longer than a request may.
        if method is not Method.SCORECAM or stage in {Stage.ONE, Stage.TWO}
    ],
)
def test_heat_map_can_be_asked_for_by_every_method_at_every_stage(
    client: TestClient, motorcycle: bytes, method: Method, stage: Stage
) -> None:
    content = post(client, "heatmap", motorcycle, method=method.value, stage=str(stage.value), target="2")
    assert decode(content).size == decode(motorcycle).size


def test_heat_map_takes_options_from_form_and_query_and_the_form_wins(client: TestClient, motorcycle: bytes) -> None:
    files = {"image": ("m.png", motorcycle)}
    by_query = client.post("/api/v1/heatmap?target=5&render=gray", files=files)
    by_form = client.post("/api/v1/heatmap", files=files, data={"target": "5", "render": "gray"})
    by_both = client.post("/api/v1/heatmap?target=7&render=gray", files=files, data={"target": "5"})
    assert by_query.headers["x-target-class"] == by_form.headers["x-target-class"] == "5"
    assert by_query.content == by_form.content == by_both.content


def test_heat_map_takes_an_unescaped_plus_in_the_query(client: TestClient, motorcycle: bytes) -> None:
    files = {"image": ("m.png", motorcycle)}
    escaped, plain = (
        client.post(f"/api/v1/heatmap?method={method}", files=files) for method in ("gradcam%2B%2B", "gradcam++")
    )
    assert plain.status_code == 200
    assert plain.content == escaped.content


def test_heat_map_renders_differ_and_gray_is_gray(client: TestClient, motorcycle: bytes) -> None:
    pictures = {
        render: decode(post(client, "heatmap", motorcycle, render=render, geometry="whole"))
        for render in ("overlay", "heatmap", "gray")
    }
    assert {render: picture.mode for render, picture in pictures.items()} == {
        "overlay": "RGB",
        "heatmap": "RGB",
        "gray": "L",
    }
    assert len({picture.tobytes() for picture in pictures.values()}) == 3


@pytest.mark.parametrize("form", ["webp", "jpeg"])
def test_heat_map_comes_as_webp_or_jpeg_too(client: TestClient, motorcycle: bytes, form: str) -> None:
    files = {"image": ("m.png", motorcycle)}
    answer = client.post("/api/v1/heatmap", files=files, data={"format": form})
    exact, lossy = decode(post(client, "heatmap", motorcycle)), decode(answer.content)
    assert answer.headers["content-type"] == f"image/{form}"
    assert (lossy.format, lossy.size) == (form.upper(), exact.size)
    error = np.square(np.asarray(exact, dtype=float) - np.asarray(lossy, dtype=float)).mean()
    assert 30 < 10 * np.log10(255**2 / error) < 60  # dB


def test_heat_map_as_webp_keeps_grey_steps_and_transparency(client: TestClient, motorcycle: bytes) -> None:
    for options in ({"render": "gray"}, {"render": "values"}, {"render": "gray", "geometry": "center_crop"}):
        exact, webp = (decode(post(client, "heatmap", motorcycle, format=form, **options)) for form in ("png", "webp"))
        assert np.array_equal(np.asarray(exact.convert("RGBA")), np.asarray(webp.convert("RGBA"))), options


def test_heat_map_as_jpeg_is_white_where_the_networks_saw_nothing(client: TestClient) -> None:
    content = post(
        client, "heatmap", encode(make_picture(900, 90)), format="jpeg", geometry="center_crop", render="heatmap"
    )
    assert np.asarray(decode(content))[:, :380].min() >= 254


@pytest.mark.parametrize(
    ("size", "options", "remedy"),
    [
        ((90, 60), {"format": "jpeg", "render": "values"}, "choose png or webp"),
        ((90, 60), {"format": "jpeg", "render": "gray"}, "choose png or webp"),
        ((16_384, 30), {"format": "webp"}, "choose png or jpeg"),
        ((90, 60), {"format": "gif"}, "png"),
    ],
)
def test_heat_map_in_a_format_that_cannot_hold_it_is_refused(
    client: TestClient, size: tuple[int, int], options: Options, remedy: str
) -> None:
    image = encode(Image.new("RGB", size, "teal"))
    answer = client.post("/api/v1/heatmap", files={"image": ("picture", image)}, data=options)
    assert answer.status_code == 422
    assert remedy in answer.text


def test_heat_map_scale_shared_makes_networks_comparable(client: TestClient, motorcycle: bytes) -> None:
    steps = {
        (scale, network): np.asarray(
            decode(post(client, "heatmap", motorcycle, render="gray", network=network, scale=scale, geometry="whole"))
        ).max()
        for scale in ("shared", "own")
        for network in ("baseline", "cbam")
    }
    assert min(steps["own", "baseline"], steps["own", "cbam"]) >= 250
    assert max(steps["shared", "baseline"], steps["shared", "cbam"]) >= 250
    assert min(steps["shared", "baseline"], steps["shared", "cbam"]) < 245


@pytest.mark.parametrize(
    ("form", "media_type", "start"),
    [
        ("png", "image/png", b"\x89PNG"),
        ("svg", "image/svg+xml", b"<?xml"),
        ("pdf", "application/pdf", b"%PDF"),
    ],
)
def test_figure_is_a_file_of_the_asked_for_format(
    client: TestClient, motorcycle: bytes, form: str, media_type: str, start: bytes
) -> None:
    answer = client.post("/api/v1/figure", files={"image": ("m.png", motorcycle)}, data={"format": form})
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == media_type
    assert answer.content.startswith(start)


def read_svg_texts(client: TestClient, picture: bytes, **options: str) -> str:
    """The texts of a figure, which an SVG file has as comments."""
    answer = client.post("/api/v1/figure", files={"image": ("m.png", picture)}, data={"format": "svg", **options})
    assert answer.status_code == 200, answer.text
    return " ".join(re.findall(r"<!-- (.*?) -->", answer.text))


def test_figure_has_the_difference_and_the_second_class_that_are_asked_for(
    client: TestClient, motorcycle: bytes
) -> None:
    plain = read_svg_texts(client, motorcycle)
    assert "minus" not in plain
    assert plain.count("explained class: ") == 1
    full = read_svg_texts(client, motorcycle, difference="true", versus="dalmatian")
    assert full.count("CBAM minus Baseline") == 2
    assert full.count("explained class: ") == 2
    assert "explained class: dalmatian" in full
    reverse = read_svg_texts(client, motorcycle, difference="true", of="baseline", minus="cbam")
    assert reverse.count("Baseline minus CBAM") == 1


def test_figure_of_changed_gates_takes_a_second_class_too(client: TestClient, motorcycle: bytes) -> None:
    texts = read_svg_texts(client, motorcycle, interventions="all:spatial:neutral", versus="dalmatian", stage="3")
    assert texts.count("explained class: ") == 2
    assert texts.count("gates changed") == 2


def test_figure_with_the_same_class_twice_has_one_row(client: TestClient, motorcycle: bytes) -> None:
    assert read_svg_texts(client, motorcycle, target="2", versus="motorbikes").count("explained class: ") == 1


def test_figure_refuses_a_second_class_that_is_none(client: TestClient, motorcycle: bytes) -> None:
    answer = client.post("/api/v1/figure", files={"image": ("m.png", motorcycle)}, data={"versus": "motorbik"})
    assert answer.status_code == 422
    assert answer.json()["option"] == "versus"
    assert answer.json()["detail"].startswith("versus 'motorbik' is not one of")
    assert "motorbikes" in answer.json()["detail"]


def test_heat_map_has_the_line_that_is_asked_for(client: TestClient, motorcycle: bytes) -> None:
    plain, lined = (np.asarray(decode(post(client, "heatmap", motorcycle, threshold=text))) for text in ("0", "0.5"))
    share = (plain != lined).any(axis=2).mean()
    assert 0.001 < share < 0.1
    answer = client.post("/api/v1/heatmap", files={"image": ("m.png", motorcycle)}, data={"threshold": "1.5"})
    assert answer.status_code == 422


@pytest.mark.parametrize("block", [f"layer{stage}.{index}" for stage in (1, 2, 3, 4) for index in (0, 1)])
def test_attention_spatial_map_has_the_pictures_size(client: TestClient, motorcycle: bytes, block: str) -> None:
    assert decode(post(client, "attention", motorcycle, block=block)).size == decode(motorcycle).size


def test_attention_gray_is_the_gate_on_the_absolute_scale(client: TestClient, motorcycle: bytes) -> None:
    answer = client.post("/api/v1/analyses", files={"image": ("m.png", motorcycle)}).json()
    strip = np.asarray(decode(post(client, "attention", motorcycle, block="layer2.0", kind="channel", render="gray")))
    gate = next(block for block in answer["networks"]["cbam"]["blocks"] if block["name"] == "layer2.0")
    assert strip.min() / 255 == pytest.approx(gate["channel"]["min"], abs=0.5 / 255 + 1e-6)
    assert strip.max() / 255 == pytest.approx(gate["channel"]["max"], abs=0.5 / 255 + 1e-6)
    assert strip.mean() / 255 == pytest.approx(gate["channel"]["mean"], abs=1 / 255)


def test_the_same_request_gives_the_same_bytes(client: TestClient, motorcycle: bytes) -> None:
    assert post(client, "heatmap", motorcycle) == post(client, "heatmap", motorcycle)


@pytest.mark.parametrize(
    ("attention", "kind"),
    [
        ("se", "channel"),
        ("bam", "spatial"),
        ("cbam", "spatial"),
        ("eca", "channel"),
        ("coordinate", "joint"),
        ("simam", "joint"),
        ("triplet", "spatial"),
    ],
)
def test_gate_needs_no_option_whatever_the_attention(attention: str, kind: str) -> None:
    lineup = load_lineup(InlineLineup.of("x", "untrained:resnet18", f"untrained:resnet18+{attention}"))
    with TestClient(create_app(Settings(), lineups=[lineup])) as own:
        files = {"image": encode(make_picture(60, 40))}
        default = own.post("/api/v1/attention", files=files, data={"render": "values"})
        named = own.post("/api/v1/attention", files=files, data={"render": "values", "kind": kind})
        unknown = own.post("/api/v1/attention", files=files, data={"block": "nope"})
    assert default.status_code == 200, default.text
    assert default.content == named.content
    assert unknown.json()["option"] == "block"
