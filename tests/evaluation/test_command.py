"""`cbam-lens evaluate --focus` from a user's side."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from app.cli import app
from app.evaluation.results.metrics import Metric
from app.evaluation.results.report import Evaluation
from app.evaluation.results.rows import read_rows
from app.evaluation.results.summary import summarise_maps
from tests.conftest import decode, encode, make_picture

pytestmark = pytest.mark.slow

runner = CliRunner()


def put_mask(path: Path, size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    mask = Image.new("1", size)
    mask.paste(1, box)
    mask.save(path)


@pytest.fixture
def data(tmp_path: Path, motorcycle: bytes) -> Path:
    """Four pictures of two classes with masks; one picture is broken, and one has its object outside of the crop."""
    folder = tmp_path / "data"
    for name in ("Motorbikes", "pagoda"):
        (folder / name).mkdir(parents=True)
    picture = decode(motorcycle).convert("RGB")
    (folder / "Motorbikes" / "one.jpg").write_bytes(encode(picture, "JPEG"))
    put_mask(folder / "Motorbikes" / "one.png", picture.size, (150, 100, 600, 450))
    (folder / "pagoda" / "tall.jpg").write_bytes(encode(make_picture(80, 160), "JPEG"))
    put_mask(folder / "pagoda" / "tall.png", (80, 160), (0, 60, 40, 160))
    (folder / "pagoda" / "away.jpg").write_bytes(encode(make_picture(200, 60), "JPEG"))
    put_mask(folder / "pagoda" / "away.png", (200, 60), (0, 0, 20, 60))
    (folder / "pagoda" / "bad.jpg").write_bytes(b"broken")
    put_mask(folder / "pagoda" / "bad.png", (9, 9), (0, 0, 3, 3))
    return folder


def evaluate(data: Path, *options: str) -> Result:
    return runner.invoke(app, ["evaluate", str(data), *options], env={"COLUMNS": "200"})


@pytest.mark.slow
def test_evaluate_measures_focus_with_masks_and_says_what_it_left_out(data: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / "rows.csv", tmp_path / "plot.png"]
    options = ["--focus", "--masks", str(data), "--json", "--geometry", "center_crop", "--resolution", "160"]
    result = evaluate(data, *options, "--rows", str(outputs[0]), "--plot", str(outputs[1]))
    assert result.exit_code == 0, result.output
    evaluation = Evaluation.model_validate_json(result.stdout)
    assert evaluation.pictures == 3
    assert len(evaluation.unreadable) == 1
    assert "bad.jpg" in evaluation.unreadable[0]
    focus = evaluation.focus
    assert focus is not None
    assert focus.unseen == ["pagoda/away.jpg"]
    (result_of_maps,) = focus.maps
    measured = result_of_maps.contrasts["cbam"]
    assert (measured.all.pictures, result_of_maps.height, result_of_maps.width) == (2, 5, 5)
    assert set(measured.all.metrics) == set(Metric)
    # The networks see rows 40 to 120 of the tall picture: 60 of the object's 100 rows, 60 % of half the square.
    assert measured.all.hidden_share == pytest.approx(0.2, abs=0.001)
    assert [block.name for block in focus.gates["cbam"]] == [
        f"layer{stage}.{block}" for stage in range(1, 5) for block in (0, 1)
    ]
    assert all(block.spatial is not None and 0 < block.spatial.mean < 1 for block in focus.gates["cbam"])
    rows = read_rows(outputs[0])
    assert [row.file for row in rows] == ["Motorbikes/one.jpg", "pagoda/tall.jpg"]
    assert decode(outputs[1].read_bytes()).format == "PNG"


@pytest.mark.slow
def test_evaluate_gives_what_its_rows_give(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    options = ["--focus", "--masks", str(data), "--json", "--rows", str(path), "--no-curves", "--tolerance", "15"]
    options += ["--method", "gradcam", "--method", "hirescam", "--method", "finercam", "--stage", "3"]
    result = evaluate(data, *options)
    assert result.exit_code == 0, result.output
    focus = json.loads(result.stdout)["focus"]
    assert [(entry["method"], entry["stage"]) for entry in focus["maps"]] == [
        ("gradcam", 3),
        ("hirescam", 3),
        ("finercam", 3),
    ]
    assert focus["protocol"]["fill"] is None
    assert focus["protocol"]["tolerance_pixels"] == 15
    for entry, recomputed in zip(focus["maps"], summarise_maps(read_rows(path)), strict=True):
        ours = entry["contrasts"]["cbam"]
        for metric, found in recomputed.contrasts["cbam"].all.metrics.items():
            assert ours["all"]["metrics"][metric]["baseline"] == pytest.approx(found.baseline, abs=2e-5)
            assert ours["all"]["metrics"][metric]["difference"]["low"] == pytest.approx(found.difference.low, abs=2e-5)
        assert "deletion" not in ours["all"]["metrics"]


@pytest.mark.slow
def test_evaluate_measures_score_cam_s_maps(data: Path) -> None:
    result = evaluate(
        data, "--focus", "--masks", str(data), "--json", "--no-curves", "--method", "scorecam", "--stage", "1"
    )
    assert result.exit_code == 0, result.output
    (entry,) = json.loads(result.stdout)["focus"]["maps"]
    assert (entry["method"], entry["stage"]) == ("scorecam", 1)
    # Weights that add up to 1 over activations of at least 0 leave no map silent.
    assert entry["contrasts"]["cbam"]["all"]["metrics"]["iou_60"]["baseline"] > 0


@pytest.mark.slow
def test_evaluate_answers_in_json_that_comes_back_the_same(data: Path) -> None:
    result = evaluate(data, "--focus", "--masks", str(data), "--json", "--no-curves")
    text = result.stdout.rstrip("\n")
    assert Evaluation.model_validate_json(text).model_dump_json(indent=2) == text


@pytest.mark.slow
def test_evaluate_prints_tables_of_the_focus(data: Path) -> None:
    result = evaluate(data, "--focus", "--masks", str(data), "--geometry", "whole", "--no-curves")
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    for words in (
        "all 2 pictures",
        "the object was not seen on 1",
        "Pointing game",
        "IoU at 0.6",
        "spatial gates",
        "channel gates",
        "layer4.1",
    ):
        assert words in text


def test_evaluate_measures_calibration_without_a_focus(data: Path, tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text("Motorbikes/one.jpg\npagoda/tall.jpg\n")
    plot = tmp_path / "plot.png"
    result = evaluate(data, "--list", str(listing), "--json", "--plot", str(plot))
    evaluation = Evaluation.model_validate_json(result.stdout)
    assert (evaluation.focus, evaluation.listing, evaluation.data) == (None, "list.txt", "data")
    for network in evaluation.networks.values():
        assert sum(row.pictures for row in network.calibration.bins) == 2
    assert all(evaluation.sha256[name] for name in ("baseline", "cbam"))
    assert decode(plot.read_bytes()).format == "PNG"


def test_evaluate_takes_boxes_and_leaves_out_classes_that_the_lineup_does_not_know(data: Path, tmp_path: Path) -> None:
    boxes, class_map = tmp_path / "boxes.csv", tmp_path / "map.txt"
    boxes.write_text(
        "file,synset,xmin,ymin,xmax,ymax\none.jpg,n1,100,100,600,450\nother.jpg,n2,0,0,5,5\n", encoding="utf-8"
    )
    class_map.write_text("n1 motorbikes\n")
    options = ["--focus", "--boxes", str(boxes), "--class-map", str(class_map), "--json", "--no-curves"]
    result = evaluate(data / "Motorbikes", *options)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["pictures"], answer["unknown"]) == (1, 1)
    assert answer["focus"]["protocol"]["objects"] == "boxes"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--focus"],
            "--focus needs the objects' places, either --masks DIR or --boxes CSV; neither is given",
        ),
        (["--masks", "{data}"], "add --focus"),
        (["--focus", "--masks", "{data}/pagoda"], "8 masks are missing"),
        (["--focus", "--masks", "{data}/nothing"], "masks are missing"),
        (["--focus", "--masks", "{data}", "--boxes", "b.csv"], "both are given"),
        (["--focus", "--boxes", "{data}/nothing.csv"], "nothing.csv"),
        (["--focus", "--masks", "{data}", "--fill", "pink"], "fill is 'pink'; choose one of blurred, mean"),
        (["--focus", "--masks", "{data}", "--plot", "{data}/no/plot.png"], "is not a directory; create it"),
        (["--focus", "--masks", "{data}", "--method", "guess"], "guess"),
        (["--focus", "--masks", "{data}", "--stage", "5"], "--stage"),
    ],
)
def test_evaluate_explains_what_it_cannot_measure(data: Path, options: list[str], sentence: str) -> None:
    result = evaluate(data, *(option.format(data=data) for option in options))
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())


def test_evaluate_explains_a_mask_of_another_size_in_one_line(data: Path) -> None:
    put_mask(data / "pagoda" / "tall.png", (80, 150), (0, 60, 40, 150))
    result = evaluate(data, "--focus", "--masks", str(data))
    assert result.exit_code == 2
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("cbam-lens:")]
    assert (
        "tall.png has 80 x 150 pixels and its picture 80 x 160; make the mask as large as the upright picture" in line
    )


def test_evaluate_explains_a_folder_of_another_class(data: Path) -> None:
    (data / "unicorn").mkdir()
    (data / "unicorn" / "a.jpg").write_bytes(encode(make_picture(9, 9), "JPEG"))
    result = evaluate(data, "--focus", "--masks", str(data))
    assert result.exit_code == 2
    assert "1 folders are not classes of resnet18-110: unicorn" in result.stderr
