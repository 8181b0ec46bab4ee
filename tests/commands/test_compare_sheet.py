"""`cbam-lens compare --sheet`: the paper's figure, of lineups of two, three and five networks."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from tests.conftest import decode, encode, make_picture
from tests.lineups import COUNTS, NAMES, write_option

pytestmark = pytest.mark.slow

runner = CliRunner()


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three pictures of unlike shapes."""
    paths = [tmp_path / f"{name}.png" for name in ("wide", "square", "tall")]
    for path, size in zip(paths, ((90, 60), (64, 64), (50, 80)), strict=True):
        path.write_bytes(encode(make_picture(*size, seed=size[0])))
    return paths


def compare(*arguments: str | Path) -> Result:
    return runner.invoke(app, ["compare", *map(str, arguments)])


def read_texts(path: Path) -> list[str]:
    """What is written on an SVG sheet."""
    return re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("count", COUNTS)
def test_columns_have_p_under_every_map_and_a_row_per_network(tmp_path: Path, pictures: list[Path], count: int) -> None:
    sheet = tmp_path / "out" / "paper.svg"
    result = compare(
        *pictures, "--lineup", write_option(count), "--sheet", sheet, "--layout", "columns", "--target", "3"
    )
    assert result.exit_code == 0, result.output
    assert f"{sheet}: 3 of 3 pictures" in result.stdout
    texts = read_texts(sheet)
    # Narrow columns have the caption in two lines, with P at the beginning of the first.
    assert len([text for text in texts if text.startswith("P = ")]) == 3 * count
    assert texts.count("class 3") == 3
    assert [texts.count(path.name) for path in pictures] == [1, 1, 1]
    assert " minus " not in " ".join(texts)
    assert "one scale per column" in " ".join(texts)
    # Nothing else is written.
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["paper.svg"]


@pytest.mark.parametrize("count", COUNTS)
def test_rows_have_every_network_and_a_difference(tmp_path: Path, pictures: list[Path], count: int) -> None:
    sheet = tmp_path / "rows.svg"
    result = compare(*pictures[:2], "--lineup", write_option(count), "--sheet", sheet, "--target", "3")
    assert result.exit_code == 0, result.output
    texts = read_texts(sheet)
    assert len([text for text in texts if text.startswith("P = ")]) == 2 * count
    *_, last = NAMES[count]
    title = {"gated": "SE", "cbam": "CBAM", "cbam-k3": "CBAM (3x3)"}[last]
    assert texts.count(f"{title} minus Baseline") == 2
    assert f"Difference: {title} minus Baseline." in " ".join(texts)
    assert texts.count("1. wide.png: class 3") == 1


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("PDF", b"%PDF"), ("svg", b"<?xml")])
def test_sheet_has_the_format_of_its_ending(tmp_path: Path, pictures: list[Path], ending: str, start: bytes) -> None:
    sheet = tmp_path / f"sheet.{ending}"
    assert compare(pictures[0], "--sheet", sheet, "--layout", "columns").exit_code == 0
    assert sheet.read_bytes().startswith(start)


def test_networks_and_difference_are_those_that_are_named(tmp_path: Path, pictures: list[Path]) -> None:
    sheet = tmp_path / "some.svg"
    common = (pictures[0], "--lineup", write_option(3), "--target", "3")
    assert compare(*common, "--sheet", sheet, "--layout", "columns", "--networks", "cbam,baseline").exit_code == 0
    texts = read_texts(sheet)
    assert len([text for text in texts if text.startswith("P = ")]) == 2
    rows = [text.rstrip(",") for text in texts if text.rstrip(",") in ("Baseline", "SE", "CBAM")]
    assert rows == ["CBAM", "Baseline"]
    outputs = {}
    for name, options in (
        ("default", ()),
        ("same", ("--of", "cbam", "--minus", "baseline")),
        ("other", ("--of", "se", "--minus", "cbam")),
    ):
        assert compare(*common, "-o", tmp_path / name, *options).exit_code == 0
        outputs[name] = (tmp_path / name / "wide.difference.png").read_bytes()
    assert outputs["default"] == outputs["same"]
    assert outputs["default"] != outputs["other"]


def test_sheet_says_whose_difference_it_is_and_names_the_drawn_networks_alone(
    tmp_path: Path, pictures: list[Path]
) -> None:
    sheet = tmp_path / "sheet.svg"
    common = (pictures[0], "--lineup", write_option(5), "--target", "3", "--sheet", sheet)
    assert compare(*common, "--networks", "se,cbam-k3", "--of", "se", "--minus", "second").exit_code == 0
    texts = read_texts(sheet)
    heading = " ".join(texts[: texts.index("Picture")])
    assert "ResNet-18: SE and CBAM (3x3), 10 classes. gradcam, stage 4" in heading
    assert "Difference: SE minus CBAM (second)." in heading
    assert texts.count("SE minus CBAM (second)") == 1
    assert "Baseline" not in " ".join(texts)


@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_shared_scale_is_that_of_the_networks_that_are_drawn(tmp_path: Path, pictures: list[Path], layout: str) -> None:
    common = (pictures[0], "--lineup", write_option(5), "--target", "3")
    numbers = json.loads(compare(*common, "--json").stdout)["networks"]
    maxima = {name: network["heat_map"]["max"] for name, network in numbers.items()}
    ranked = sorted(maxima, key=lambda name: maxima[name])
    drawn = (ranked[0], ranked[1])
    assert maxima[drawn[1]] < maxima[ranked[-1]]
    sheet = tmp_path / "sheet.svg"
    assert compare(*common, "--sheet", sheet, "--layout", layout, "--networks", ",".join(drawn)).exit_code == 0
    scales = re.findall(r"scale 0 to (\S+)", " ".join(read_texts(sheet)))
    assert [float(value) for value in scales] == pytest.approx([maxima[drawn[1]]] * 2, rel=0.01)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--networks", "baseline,other"), "networks 'other' is not one of baseline, cbam"),
        (("--of", "other"), "of 'other' is not one of baseline, cbam"),
        (("--of", "cbam", "--minus", "cbam"), "of 'cbam' is not one of baseline"),
        (("--of", "x" * 33), "32 characters"),
        (("--sheet", "out.gif"), "give a file that ends in one of .png, .svg, .pdf"),
        (("--sheet", "out.png", "--rows", "rows"), "choose one of them"),
        (("--sheet", "out.png", "--layout", "heap"), "heap"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_any_picture(
    tmp_path: Path,
    pictures: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    result = runner.invoke(app, ["compare", *map(str, pictures), *options], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert sentence in result.stderr
    # Said once, not for every picture.
    assert result.stderr.count(sentence) == 1
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("option", "place"), [("--sheet", "file/new/sheet.pdf"), ("--output", "file/new")])
def test_place_that_cannot_be_written_is_refused_before_the_networks_are_loaded(
    tmp_path: Path, pictures: list[Path], monkeypatch: pytest.MonkeyPatch, option: str, place: str
) -> None:
    monkeypatch.setattr("app.survey.figures.load_chosen_lineup", lambda _: pytest.fail("the networks are loaded"))
    (tmp_path / "file").touch()
    result = compare(pictures[0], option, tmp_path / place)
    assert result.exit_code == 2
    line = " ".join(result.stderr.split())
    assert f"cannot be written: Not a directory; free some space or choose another {option}" in line


def test_sheet_in_a_directory_that_is_not_there_yet_leaves_nothing_where_it_is_refused(
    tmp_path: Path, pictures: list[Path]
) -> None:
    assert compare(pictures[0], "--sheet", tmp_path / "new" / "sheet.png", "--networks", "nope").exit_code == 2
    assert not (tmp_path / "new").exists()


def test_more_pictures_than_a_sheet_holds_are_refused(
    tmp_path: Path, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CBAM_LENS_SHEET_PICTURES", "2")
    result = compare(*pictures, "--sheet", tmp_path / "sheet.png")
    assert result.exit_code == 2
    assert "3 pictures; the limit is 2 at once" in result.stderr
    assert not (tmp_path / "sheet.png").exists()


def test_broken_picture_is_reported_and_the_sheet_has_the_others(tmp_path: Path, pictures: list[Path]) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nothing")
    sheet = tmp_path / "sheet.png"
    result = compare(pictures[0], bad, pictures[1], "--sheet", sheet, "--layout", "columns")
    assert result.exit_code == 2
    assert "bad.png" in result.stderr
    assert f"{sheet}: 2 of 3 pictures" in result.stdout
    decode(sheet.read_bytes())
    sheet.unlink()
    assert compare(bad, "--sheet", sheet).exit_code == 2
    assert not sheet.exists()
