"""Evaluation from rows: the plain one's counts, for folders and shards, continued after a stop."""

import io
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.evaluation.results.report import Evaluation
from tests.conftest import decode, encode, make_picture

pytestmark = pytest.mark.slow(rare=True)

pytest.importorskip("pyarrow", reason="pyarrow is not installed: uv sync --extra survey")

runner = CliRunner()


@pytest.fixture
def data(tmp_path: Path, motorcycle: bytes) -> Path:
    """Five pictures of two classes and a broken one."""
    folder = tmp_path / "data"
    for name in ("Motorbikes", "pagoda"):
        (folder / name).mkdir(parents=True)
    (folder / "Motorbikes" / "one.png").write_bytes(encode(decode(motorcycle).convert("RGB")))
    for number in range(4):
        name = ("Motorbikes", "pagoda")[number % 2]
        (folder / name / f"{number}.png").write_bytes(encode(make_picture(160 + number, 160, seed=number)))
    (folder / "pagoda" / "bad.png").write_bytes(b"broken")
    return folder


def evaluate(data: str | Path, *options: str | Path) -> Result:
    return runner.invoke(app, ["evaluate", str(data), *map(str, options), "--json"])


def read(result: Result) -> Evaluation:
    assert result.exit_code == 0, result.output
    return Evaluation.model_validate_json(result.stdout)


def pack(data: Path, shard: Path, *, suffix: str | None) -> None:
    """The folder as a shard; classes in files of their own, or in the folders' names."""
    with tarfile.open(shard, "w") as file:
        for number, path in enumerate(sorted(data.glob("*/*.png"))):
            name = f"{path.parent.name}/{path.name}" if suffix is None else f"{number:04d}.png"
            told = {} if suffix is None else {f"{number:04d}{suffix}": path.parent.name.encode()}
            for member_name, content in ({name: path.read_bytes()} | told).items():
                member = tarfile.TarInfo(member_name)
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))


def test_rows_count_what_the_plain_evaluation_counts(data: Path, tmp_path: Path) -> None:
    plain, by_rows = read(evaluate(data)), read(evaluate(data, "--answers", tmp_path / "rows"))
    assert by_rows.pictures == plain.pictures == 5
    assert len(by_rows.unreadable) == 1
    assert by_rows.unreadable[0].startswith("pagoda/bad.png: ")
    for name, network in plain.networks.items():
        found = by_rows.networks[name]
        assert (found.top1_count, found.top5_count) == (network.top1_count, network.top5_count)
        assert found.top1_count > 0
        assert found.calibration.error == pytest.approx(network.calibration.error, abs=1e-4)
    assert by_rows.top1_differences == plain.top1_differences
    assert list(plain.top1_differences) == list(plain.networks)[1:]
    assert (by_rows.lineup, by_rows.sha256, by_rows.resolution) == (plain.lineup, plain.sha256, plain.resolution)


@pytest.mark.slow
def test_evaluation_goes_on_and_counts_only_what_it_is_asked_for(data: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("Motorbikes/one.png\nMotorbikes/0.png\n")
    options = ("--answers", tmp_path / "rows", "--maps")
    assert read(evaluate(data, *options, "--list", tmp_path / "list.txt")).pictures == 2
    assert read(evaluate(data, *options)).pictures == 5
    parts = sorted(path.name for path in (tmp_path / "rows").glob("*.parquet"))
    assert len(parts) == 2
    assert read(evaluate(data, *options, "--list", tmp_path / "list.txt")).pictures == 2
    assert sorted(path.name for path in (tmp_path / "rows").glob("*.parquet")) == parts
    assert (tmp_path / "rows" / "maps" / "pagoda" / "1.png.npz").exists()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [None, ".txt"])
def test_shards_count_as_folders_do(data: Path, tmp_path: Path, suffix: str | None) -> None:
    plain = read(evaluate(data))
    pack(data, tmp_path / "part-0.tar", suffix=suffix)
    found = read(evaluate(tmp_path / "part-{0..0}.tar", "--answers", tmp_path / "rows"))
    assert found.pictures == 5
    assert {name: one.top1_count for name, one in found.networks.items()} == {
        name: one.top1_count for name, one in plain.networks.items()
    }


def test_rows_of_a_comparison_are_no_answers(data: Path, tmp_path: Path) -> None:
    assert runner.invoke(app, ["compare", str(data), "--rows", str(tmp_path / "rows")]).exit_code == 0
    result = evaluate(data, "--answers", tmp_path / "rows")
    assert result.exit_code == 2
    assert "has the rows of other options (labelled was None, is True)" in result.stderr


def test_class_that_the_lineup_does_not_know_is_named(data: Path, tmp_path: Path) -> None:
    (data / "pagoda").rename(data / "teleporter")
    pack(data, tmp_path / "part.tar", suffix=".txt")
    result = evaluate(tmp_path / "part.tar", "--answers", tmp_path / "rows")
    assert result.exit_code == 2
    assert "the class 'teleporter', which the lineup does not know" in result.stderr


@pytest.mark.parametrize("options", [["--maps"], ["--on", "ray"], ["--answers", "rows", "--focus", "--masks", "."]])
def test_options_that_do_not_go_together_are_refused(data: Path, options: list[str]) -> None:
    assert evaluate(data, *options).exit_code == 2
