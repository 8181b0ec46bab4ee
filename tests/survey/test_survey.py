"""Many pictures: always exactly one row per picture."""

import io
import json
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.errors import InvalidOption
from app.survey.run import ROWS_PER_PART, RowWriter
from app.survey.sources import expand_range, list_sources
from app.survey.store import RowStore
from tests.conftest import ROOT, encode, make_picture

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed: uv sync --extra survey")

runner = CliRunner()

NETWORKS = ("baseline", "cbam")

IDENTITY = {"target": "", "lineup": "shipped"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six good pictures in two folders, a broken one, and a file that is not a picture."""
    for number in range(6):
        path = tmp_path / "pictures" / ("ab"[number % 2]) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(make_picture(40 + 8 * number, 30, seed=number)))
    (tmp_path / "pictures" / "a" / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "pictures" / "notes.md").write_text("nothing to see")
    return tmp_path / "pictures"


def survey(*arguments: str | Path) -> Result:
    """Run the command."""
    return runner.invoke(app, ["compare", *map(str, arguments)])


def read(directory: Path) -> dict[str, dict[str, object]]:
    """The rows by their picture."""
    rows = RowStore(directory, json_identity(directory), NETWORKS).read_rows()
    found = {str(row["file"]): row for row in rows}
    assert len(found) == len(rows), "each picture once"
    return found


def json_identity(directory: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((directory / "identity.json").read_text())
    return content


def test_folder_becomes_rows_and_a_broken_picture_one_of_them(tmp_path: Path, folder: Path) -> None:
    rows = tmp_path / "rows"
    result = survey(folder, "--rows", rows, "--maps")
    assert result.exit_code == 0, result.output
    assert "7 rows written, 1 of them with an error" in result.stdout
    found = read(rows)
    assert set(found) == {f"pictures/{'ab'[n % 2]}/{n}.png" for n in range(6)} | {"pictures/a/broken.jpg"}
    broken = found["pictures/a/broken.jpg"]
    assert broken["error"] == "InvalidPicture"
    assert "send JPEG" in str(broken["problem"])
    assert broken["target_index"] is None
    with np.load(rows / "maps" / "pictures/a/0.png.npz") as maps:
        assert any("cbam" in name for name in maps.files)


def test_row_has_the_numbers_of_the_picture_alone(tmp_path: Path, folder: Path) -> None:
    picture = folder / "b" / "3.png"
    options = ["--target", "7", "--stage", "3", "--method", "layercam"]
    alone = json.loads(survey(picture, "--json", *options).stdout)
    survey(folder, "--rows", tmp_path / "rows", *options)
    row = read(tmp_path / "rows")["pictures/b/3.png"]
    assert (row["target_index"], row["stage"], row["method"]) == (7, 3, "layercam")
    assert row["cbam_correlation"] == pytest.approx(alone["comparisons"]["cbam"]["correlation"], abs=1e-4)
    for name in ("baseline", "cbam"):
        network = alone["networks"][name]
        assert row[f"{name}_target_probability"] == pytest.approx(network["target_probability"], abs=1e-5)
        assert row[f"{name}_map_max"] == pytest.approx(network["heat_map"]["max"], rel=1e-3)
        assert row[f"{name}_classes"] == [entry["class_index"] for entry in network["predictions"]]


def test_what_was_done_is_not_done_again(tmp_path: Path, folder: Path) -> None:
    rows = tmp_path / "rows"
    assert "4 rows written, 1 of them with an error\n" in survey(folder / "a", "--rows", rows).stdout
    assert "3 rows written, 4 existed already" in survey(folder / "a", folder / "b", "--rows", rows).stdout
    assert "0 rows written, 7 existed already" in survey(folder / "b", folder / "a", "--rows", rows).stdout
    assert len(read(rows)) == 7


def test_another_question_wants_another_directory(tmp_path: Path, folder: Path) -> None:
    rows = tmp_path / "rows"
    survey(folder, "--rows", rows)
    result = survey(folder, "--rows", rows, "--stage", "2")
    assert result.exit_code == 2
    assert "has the rows of other options (stage was 4, is 2)" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--target", "no such class"], "no such class"),
        (["--intervention", "layer9:spatial:neutral"], "layer9"),
    ],
)
def test_question_that_cannot_be_asked_is_one_line(
    tmp_path: Path, folder: Path, arguments: list[str], reason: str
) -> None:
    result = survey(folder, "--rows", tmp_path / "rows", *arguments)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("cbam-lens: ")
    assert reason in result.stderr


def test_lists_and_shards_are_read(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "list.txt").write_text("pictures/a/0.png\n\npictures/a/nowhere.png\n")
    for number in range(2):
        with tarfile.open(tmp_path / f"shard-{number:02d}.tar", "w") as shard:
            for name in ("x", "y"):
                data = (folder / "b" / "1.png").read_bytes() + name.encode() * number
                member = tarfile.TarInfo(f"{name}.png")
                member.size = len(data)
                shard.addfile(member, io.BytesIO(data))
                shard.addfile(tarfile.TarInfo(f"{name}.cls"))
    result = survey(tmp_path / "list.txt", tmp_path / "shard-{00..01}.tar", "--rows", tmp_path / "rows")
    assert result.exit_code == 0, result.output
    found = read(tmp_path / "rows")
    shards = {f"shard-{number:02d}.tar/{name}.png" for number in range(2) for name in "xy"}
    assert set(found) == {"pictures/a/0.png", "pictures/a/nowhere.png"} | shards
    assert found["pictures/a/nowhere.png"]["problem"] == "No such file or directory"
    assert all(found[key]["error"] is None for key in shards)


def test_sources_are_found_without_being_read(tmp_path: Path, folder: Path) -> None:
    assert expand_range("t-{08..11}.tar") == ["t-08.tar", "t-09.tar", "t-10.tar", "t-11.tar"]
    assert expand_range("plain.tar") == ["plain.tar"]
    with pytest.raises(InvalidOption, match=r"would both have the row 0\.png"):
        list_sources([str(folder / "a" / "0.png"), str(folder / "a" / "0.png")])
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(InvalidOption, match="no pictures found"):
        list_sources([str(tmp_path / "empty.txt")])
    (tmp_path / "bad.tar").write_bytes(b"no shard")
    with pytest.raises(OSError, match="give an uncompressed tar file"):
        list_sources([str(tmp_path / "bad.tar")])


def test_rows_are_written_in_parts_and_a_part_that_was_deleted_is_not_written_over(tmp_path: Path) -> None:
    store = RowStore(tmp_path / "rows", IDENTITY, NETWORKS)
    writer = RowWriter(store)
    for number in range(2 * ROWS_PER_PART + 3):
        writer.add({"file": f"{number}.png", "error": None, "problem": None})
    writer.flush()
    parts = sorted(path.name for path in (tmp_path / "rows").glob("*.parquet"))
    assert parts == ["part-000001.parquet", "part-000002.parquet", "part-000003.parquet"]
    (tmp_path / "rows" / "part-000002.parquet").unlink()
    store = RowStore(tmp_path / "rows", IDENTITY, NETWORKS)
    assert len(store.read_keys()) == ROWS_PER_PART + 3
    store.write([{"file": "another.png", "error": None, "problem": None}])
    assert len(store.read_keys()) == ROWS_PER_PART + 4
    (tmp_path / "rows" / "part-000001.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(OSError, match="delete it, and its pictures are compared again"):
        store.read_keys()


def test_map_cannot_be_written_elsewhere(tmp_path: Path) -> None:
    store = RowStore(tmp_path / "rows", IDENTITY, NETWORKS)
    with pytest.raises(InvalidOption, match="leads out of"):
        store.write_maps("../../elsewhere", b"")


@pytest.mark.slow(rare=True)
def test_run_that_is_killed_goes_on_and_ends_with_each_picture_once(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number:03d}.png").write_bytes(encode(make_picture(64, 64, seed=number)))
    rows = tmp_path / "rows"
    options = ["compare", str(folder), "--rows", str(rows), "--resolution", "160"]
    command = [sys.executable, "-c", "from app.cli import main; main()", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
        deadline = time.monotonic() + 120
        while not list(rows.glob("part-*.parquet")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    kept = len(read(rows))
    assert kept >= ROWS_PER_PART
    result = runner.invoke(app, options)
    assert f"{400 - kept} rows written, {kept} existed already" in result.stdout
    assert set(read(rows)) == {f"many/{number:03d}.png" for number in range(400)}
