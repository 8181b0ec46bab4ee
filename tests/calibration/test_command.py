"""`cbam-lens calibrate` from a user's side."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from app.calibration import CalibrationReport
from app.cli import app
from models.checkpoints.examination import examine
from models.checkpoints.writing import hash_file
from models.lineups.card import read_card
from models.lineups.lineup import load_lineup
from tests.conftest import decode, encode, make_picture
from tests.lineups import RESNET18_110

pytestmark = pytest.mark.slow(rare=True)

runner = CliRunner()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, motorcycle: bytes) -> Path:
    """Ten motorcycles that the networks know, and six pictures under a wrong name; one file is broken."""
    folder = tmp_path_factory.mktemp("known")
    for name in ("Motorbikes", "pagoda"):
        (folder / name).mkdir()
    picture = decode(motorcycle).convert("RGB").resize((180, 121))
    for index in range(10):
        turned = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if index % 2 else picture
        (folder / "Motorbikes" / f"{index}.png").write_bytes(encode(turned.crop((index, 0, 180 - index, 121))))
    for index in range(6):
        (folder / "pagoda" / f"{index}.png").write_bytes(encode(make_picture(90, 64, seed=index)))
    (folder / "pagoda" / "broken.jpg").write_bytes(b"broken")
    return folder


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures of nothing, some in a folder below."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "below").mkdir()
    for index in range(6):
        place = folder / "below" if index % 2 else folder
        (place / f"{index}.png").write_bytes(encode(make_picture(90, 64, seed=100 + index)))
    return folder


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A copy of the shipped lineup."""
    for path in RESNET18_110.parent.glob("*110.*"):
        shutil.copy(path, tmp_path)
    shutil.copy(RESNET18_110.parent / "labels_110.json", tmp_path)
    return tmp_path / RESNET18_110.name


def calibrate(data: Path, card: Path, *options: str) -> Result:
    return runner.invoke(app, ["calibrate", str(data), "--lineup", str(card), *options], env={"COLUMNS": "200"})


def test_calibrate_writes_nothing_without_being_asked(data: Path, card: Path) -> None:
    before = {path: hash_file(path) for path in card.parent.iterdir()}
    result = calibrate(data, card)
    assert result.exit_code == 0, result.output
    assert {path: hash_file(path) for path in card.parent.iterdir()} == before
    text = " ".join(result.stdout.split())
    assert "chosen on 16 pictures" in text
    assert "each of 10 parts tested at a temperature that the others chose" in text
    assert "nothing was written; add --write" in text
    assert "broken.jpg" in result.stderr


def test_calibrate_writes_what_it_reports_and_no_tensor_changes(data: Path, outside: Path, card: Path) -> None:
    plain = load_lineup(card)
    result = calibrate(data, card, "--outside", str(outside), "--json", "--write")
    assert result.exit_code == 0, result.output
    report = CalibrationReport.model_validate_json(result.stdout)
    assert {Path(path).name for path in report.written} == {
        "resnet18_110.toml",
        *(f"resnet18_{name}_110.{suffix}" for name in ("baseline", "cbam") for suffix in ("safetensors", "md")),
    }
    lineup = load_lineup(card)
    assert report.fit is not None
    assert lineup.card.fit == report.fit.record
    assert (report.fit.record.known_pictures, report.fit.record.outside_pictures) == (8, 3)
    for name, found in report.networks.items():
        assert lineup.card.find_temperature(name) == found.temperature != 1
        network = lineup.card.networks[name]
        carried = examine(card.parent / network.file).diagnosis
        assert (carried.calibration.temperature, carried.calibration.fit) == (found.temperature, report.fit.record)
        assert carried.calibration.calibration == network.calibration == found.record
        assert carried.sha256 == network.sha256 != plain.card.networks[name].sha256
        for key, values in plain.networks[name].state_dict().items():
            assert torch.equal(values, lineup.networks[name].state_dict()[key])
        model_card = (card.parent / f"resnet18_{name}_110.md").read_text(encoding="utf-8")
        assert model_card.count("## Calibration") == 1
        assert model_card.index("## Calibration") < model_card.index("## Limits")
        assert network.sha256 in model_card
        assert f"softmax(logits / {found.temperature:g})" in model_card
    assert card.read_text(encoding="utf-8").startswith("# The shipped lineup.")
    kept = {"networks", "fit"}
    assert read_card(card).model_dump(exclude=kept) == read_card(RESNET18_110).model_dump(exclude=kept)


@pytest.mark.slow
def test_calibrate_replaces_an_earlier_result(data: Path, outside: Path, card: Path) -> None:
    first = calibrate(data, card, "--outside", str(outside), "--json", "--write")
    second = calibrate(data, card, "--json", "--write")
    assert (first.exit_code, second.exit_code) == (0, 0)
    lineup = load_lineup(card)
    # A threshold that was chosen with other temperatures does not stay.
    assert lineup.card.fit is None
    # The temperature does not depend on the one before.
    networks = [json.loads(result.stdout)["networks"] for result in (first, second)]
    assert networks[0] == networks[1]
    text = (card.parent / "resnet18_cbam_110.md").read_text(encoding="utf-8")
    assert text.count("## Calibration") == 1
    assert "none of the classes fits well" not in text


def test_evaluate_measures_at_the_temperature(data: Path, card: Path, tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text("".join(f"Motorbikes/{index}.png\n" for index in range(4)))

    def evaluate() -> tuple[float, float]:
        arguments = ["evaluate", str(data), "--list", str(listing), "--json", "--lineup", str(card)]
        network = json.loads(runner.invoke(app, arguments).stdout)["networks"]["baseline"]
        (row,) = [row for row in network["calibration"]["bins"] if row["pictures"] == 4]
        return network["top1"], row["confidence"]

    before = evaluate()
    text = card.read_text(encoding="utf-8")
    card.write_text(text.replace("[networks.baseline]\n", "[networks.baseline]\ntemperature = 20.0\n"))
    after = evaluate()
    assert before[0] == after[0] == 1
    assert after[1] < 0.2 < before[1]


def test_calibrate_takes_classes_from_a_table_of_boxes_and_outside_pictures_from_a_list(
    data: Path, card: Path, tmp_path: Path
) -> None:
    boxes, class_map, listing = tmp_path / "boxes.csv", tmp_path / "map.txt", tmp_path / "outside.txt"
    rows = [f"{index}.png,{'n1' if index < 6 else 'n2'},0,0,9,9\n" for index in range(10)]
    boxes.write_text("file,synset,xmin,ymin,xmax,ymax\n" + "".join(rows))
    class_map.write_text("n1 motorbikes\nn2 pagoda\n")
    listing.write_text("".join(f"far/{index}.png\n" for index in range(4)))
    (tmp_path / "far").mkdir()
    for index in range(4):
        (tmp_path / "far" / f"{index}.png").write_bytes(encode(make_picture(64, 64, seed=index)))
    options = ["--boxes", str(boxes), "--class-map", str(class_map), "--outside", str(listing), "--json"]
    result = calibrate(data / "Motorbikes", card, *options)
    assert result.exit_code == 0, result.output
    report = CalibrationReport.model_validate_json(result.stdout)
    assert report.fit is not None
    record = report.fit.record
    assert (record.known, record.known_pictures) == ("Motorbikes", 5)
    assert (record.outside, record.outside_pictures) == ("outside.txt", 2)
    assert report.written == ()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--outside", "{data}/nothing.txt"], "nothing.txt"),
        (["--outside", "{empty}"], "names no pictures; give a folder of pictures of none of the classes"),
        (["--false-alarms", "1.5"], "false-alarms is 1.5; give a share between 0 and 1"),
        (["--list", "{one}"], "1 readable pictures; some choose and others test"),
        (["--list", "{right}"], "neither always right nor always wrong"),
        (["--boxes", "{data}/nothing.csv"], "nothing.csv"),
    ],
)
def test_calibrate_explains_what_it_cannot_do(
    data: Path, card: Path, tmp_path: Path, options: list[str], sentence: str
) -> None:
    places = {name: tmp_path / name for name in ("empty", "one", "right")}
    places["empty"].mkdir()
    places["one"].write_text("Motorbikes/0.png\n")
    places["right"].write_text("Motorbikes/0.png\nMotorbikes/2.png\n")
    result = calibrate(data, card, *(option.format(data=data, **places) for option in options))
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())


def test_calibrate_refuses_to_write_into_networks_without_a_file_before_it_measures(data: Path) -> None:
    arguments = ["calibrate", str(data), "--write", "--lineup", "x=untrained:resnet18,untrained:resnet18+cbam"]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert "has no place for a calibration; convert it with cbam-lens convert first" in result.stderr
