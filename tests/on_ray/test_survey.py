"""Many pictures on Ray: the plain run's rows, each picture once, even if the run is killed."""

import json
import signal
import subprocess
import tarfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

pytest.importorskip("ray", reason="Ray is not installed: uv sync --extra ray")

from app.evaluation.results.report import Evaluation
from app.survey.run import ROWS_PER_PART
from app.survey.store import RowStore
from tests.conftest import ROOT, encode, make_picture
from tests.lineups import NAMES, write_option
from tests.on_ray.site import PROGRAM, make_environment

PICTURES = ROWS_PER_PART + 64

SECONDS = 400

pytestmark = pytest.mark.slow(rare=True)


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return make_environment(
        CBAM_LENS_RAY_MIN_REPLICAS="2", CBAM_LENS_RAY_MAX_REPLICAS="2", CBAM_LENS_RAY_REPLICA_CPUS="0.5"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of two shapes, and a file that is not a picture."""
    folder = tmp_path_factory.mktemp("data") / "many"
    folder.mkdir()
    for number in range(PICTURES - 1):
        (folder / f"{number:03d}.png").write_bytes(encode(make_picture(48 + number % 2 * 16, 40, seed=number)))
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


def start(environment: dict[str, str], *arguments: str | Path, command: str = "compare") -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  # our own command
        [*PROGRAM, command, *map(str, arguments)],
        cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def finish(environment: dict[str, str], *arguments: str | Path, command: str = "compare") -> tuple[int, str]:
    with start(environment, *arguments, command=command) as process:
        try:
            output, _ = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    return process.returncode, output


def find_workers(process_id: int) -> list[psutil.Process]:
    """The processes with networks that a run started."""
    found = psutil.Process(process_id).children(recursive=True)
    return [process for process in found if "SurveyWorker" in " ".join(process.cmdline())]


def read(directory: Path, networks: tuple[str, ...] = ("baseline", "cbam")) -> dict[str, dict[str, Any]]:
    """The rows by their picture."""
    identity = json.loads((directory / "identity.json").read_text())
    rows = RowStore(directory, identity, networks).read_rows()
    found = {str(row["file"]): row for row in rows}
    assert len(found) == len(rows), "each picture once"
    return found


def check_alike(row: dict[str, Any], expected: dict[str, Any]) -> None:
    """Check that numbers agree up to the order of sums, which differs between batches."""
    assert row.keys() == expected.keys()
    for name, value in row.items():
        if name.endswith("_classes"):
            # Either of two classes with equal probability may come first.
            assert (value is None) == (expected[name] is None)
            assert value is None or value[0] == expected[name][0]
        elif isinstance(value, float | list):
            assert value == pytest.approx(expected[name], rel=1e-3, abs=1e-4), (row["file"], name)
        else:
            assert value == expected[name], (row["file"], name)


def test_list_and_shard_have_the_plain_runs_rows_of_three_networks(
    tmp_path: Path, folder: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "list.txt").write_text("".join(f"{folder}/{number:03d}.png\n" for number in range(6)))
    with tarfile.open(tmp_path / "shard-0.tar", "w") as shard:
        for name in ("010.png", "011.png", "broken.jpg"):
            shard.add(folder / name, name)
    inputs = (
        tmp_path / "list.txt",
        tmp_path / "shard-{0..0}.tar",
        "--lineup",
        write_option(3),
        "--target",
        "3",
        "--rows",
    )
    code, output = finish(environment, *inputs, tmp_path / "rows", "--on", "ray")
    assert code == 0, output
    assert "9 rows written, 1 of them with an error" in output
    assert finish(environment, *inputs, tmp_path / "plain")[0] == 0
    found, expected = (read(tmp_path / directory, NAMES[3]) for directory in ("rows", "plain"))
    assert found.keys() == expected.keys()
    for key, row in found.items():
        check_alike(row, expected[key])
        assert {"se_correlation", "cbam_correlation"} <= row.keys()
        if row["error"] is None:
            # Each network has answered by itself.
            assert len({row[f"{name}_target_probability"] for name in NAMES[3]}) == 3


@pytest.mark.slow(rare=True)
def test_run_that_is_killed_goes_on_and_ends_with_the_plain_runs_rows(
    tmp_path: Path, folder: Path, environment: dict[str, str]
) -> None:
    rows = tmp_path / "rows"
    with start(environment, folder, "--rows", rows, "--maps", "--on", "ray") as process:
        until = time.monotonic() + SECONDS
        while not list(rows.glob("part-*.parquet")) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        workers = find_workers(process.pid)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    kept = len(read(rows))
    # A part is written when it is large or old; on a slow machine the first one is old.
    assert 0 < kept < PICTURES
    # They end with the process that started them; one may have finished before the other started.
    assert workers
    assert psutil.wait_procs(workers, timeout=60)[1] == []
    code, output = finish(environment, folder, "--rows", rows, "--maps", "--on", "ray")
    assert code == 0, output
    assert f"{PICTURES - kept} rows written" in output
    assert f"{kept} existed already" in output
    code, output = finish(environment, folder, "--rows", tmp_path / "plain")
    assert code == 0, output
    found, expected = read(rows), read(tmp_path / "plain")
    assert found.keys() == expected.keys() == {f"many/{path.name}" for path in folder.iterdir()}
    for key, row in found.items():
        check_alike(row, expected[key])
    assert found["many/broken.jpg"]["error"] == "InvalidPicture"
    with np.load(rows / "maps" / "many" / "000.png.npz") as maps:
        assert maps["baseline_heat_map"].max() == pytest.approx(found["many/000.png"]["baseline_map_max"], rel=1e-3)


@pytest.mark.slow(rare=True)
def test_question_that_cannot_be_asked_is_one_line(tmp_path: Path, folder: Path, environment: dict[str, str]) -> None:
    arguments = (folder / "000.png", "--rows", tmp_path / "rows", "--on", "ray", "--target", "no such class")
    code, output = finish(environment, *arguments)
    assert code == 2
    assert output.splitlines()[-1].startswith("cbam-lens: ")
    assert "no such class" in output.splitlines()[-1]
    assert not list((tmp_path / "rows").glob("*.parquet"))


@pytest.mark.slow(rare=True)
def test_evaluation_counts_what_the_plain_one_counts(tmp_path: Path, environment: dict[str, str]) -> None:
    data = tmp_path / "data"
    for number in range(12):
        path = data / ("Motorbikes", "pagoda", "accordion")[number % 3] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(make_picture(160, 130, seed=number)))
    (data / "pagoda" / "broken.jpg").write_bytes(b"no picture")
    measured = []
    for options in (("--on", "ray"), ()):
        rows = tmp_path / ("rows" + "".join(options))
        code, output = finish(environment, data, "--answers", rows, "--json", *options, command="evaluate")
        assert code == 0, output
        # Ray may print lines before.
        measured.append(Evaluation.model_validate_json(output[f"\n{output}".index("\n{\n") :]))
        assert read(rows)["pagoda/broken.jpg"]["error"] == "InvalidPicture"
    found, expected = measured
    assert found.pictures == expected.pictures == 12
    assert found.unreadable == expected.unreadable
    assert len(found.unreadable) == 1
    for name, network in expected.networks.items():
        assert found.networks[name].top5_count == network.top5_count
        assert found.networks[name].calibration.error == pytest.approx(network.calibration.error, abs=1e-4)
