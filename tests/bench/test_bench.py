"""The command from a user's side, with as little measuring as possible."""

import asyncio
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.bench.contestants.peers import TORCHCAM_IS_MISSING, find_torchcam
from app.bench.contestants.rounds import RUNS_PER_TURN, run_rounds
from app.bench.results.parts import Part, parse_parts
from app.bench.results.report import BenchReport
from app.bench.servers.server import ServerProcess
from app.bench.servers.ways import WAYS
from app.cli import app
from app.errors import InvalidOption
from tests.bench import fake_server
from tests.conftest import decode

pytestmark = pytest.mark.slow(rare=True)

runner = CliRunner()


@pytest.fixture(autouse=True)
def few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread: several that wait for each other are slow while other tests run."""
    monkeypatch.setenv("CBAM_LENS_THREADS", "1")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small values for everything that takes time."""
    monkeypatch.setattr("app.bench.contestants.forward.BATCH_SIZES", (1, 2))
    monkeypatch.setattr("app.bench.run.LARGE", (400, 300))


def bench(*arguments: str) -> Any:
    result = runner.invoke(app, ["bench", "--rounds", "1", "--json", *arguments])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.slow
def test_bench_in_process_has_the_right_shape(quick: None, tmp_path: Path) -> None:
    plot = tmp_path / "speed.png"
    answer = bench("--only", "a,b,c,d,f", "--plot", str(plot))
    report = BenchReport.model_validate(answer)
    figures = {figure.key: figure for figure in report.figures}
    assert {figure.part.value for figure in report.figures} == set("abcdf")
    assert figures.keys() >= {"forward", "loop", "small.values.core", "large.overlay.total", "gradcam", "other_class"}
    assert all(figure.value > 0 and figure.samples for figure in report.figures)
    assert figures["gradcam"].ratio == pytest.approx(figures["gradcam"].value / figures["small.values.total"].value)
    assert all((figure.target is None) == (figure.is_met is None) for figure in report.figures)
    assert report.setup.torch
    assert report.setup.threads == 1
    assert report.setup.cpu_count >= 1
    assert report.setup.forward_setting in ("contiguous, batch 1", "channels_last, batch 1")
    assert min(decode(plot.read_bytes()).size) > 300


@pytest.mark.slow
def test_bench_steps_add_up_to_the_whole(quick: None) -> None:
    values = {figure["key"]: figure["samples"] for figure in bench("--only", "b,c")["figures"]}
    for key in ("small.values", "small.overlay"):
        steps = [values[f"{key}.{step}"] for step in ("decode", "networks", "maps", "encode")]
        for total, *parts in zip(values[f"{key}.total"], *steps, strict=True):
            assert 0.8 * total < sum(parts) <= total


@pytest.mark.slow
def test_bench_over_http_compares_with_the_loop(quick: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("app.bench.run.serve_command", lambda settings: [sys.executable, fake_server.__file__])
    plot = tmp_path / "speed.png"
    answer = bench("--only", "a,g,h", "--seconds", "0.3", "--requests", "9", "--plot", str(plot))
    figures = {figure["key"]: figure for figure in answer["figures"]}
    loop = figures["loop.beside"]["value"]
    assert figures["http.16.throughput"]["ratio"] == pytest.approx(figures["http.16.throughput"]["value"] / loop)
    assert figures["memory.errors"]["value"] == 3
    assert answer["notes"] == ["the server answered with errors: status 503"]
    assert plot.exists()


@pytest.mark.slow(rare=True)
@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: uv sync --extra ray")
def test_bench_on_ray_compares_each_way_with_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, fake_server.__file__]
    monkeypatch.setattr("app.bench.servers.ways.Way.open", lambda way, settings: ServerProcess(command))
    answer = bench("--on", "ray", "--seconds", "0.3")
    figures = {figure["key"]: figure for figure in answer["figures"]}
    plain, first, second = (figures[f"{way.key}.16.throughput"] for way in WAYS)
    assert plain["ratio"] is None
    assert first["ratio"] == pytest.approx(first["value"] / plain["value"])
    assert second["ratio"] == pytest.approx(second["value"] / first["value"])
    assert {f"{way.key}.{clients}.cpu" for way in WAYS for clients in (1, 16)} <= figures.keys()
    # The fake server refuses every third request, and the report shows that.
    assert figures["ray1.16.errors"]["value"] > 0
    assert len(answer["notes"]) == len(WAYS)
    # docs/ray.md computes the number of machines from this.
    assert figures["capacity.rows"]["value"] > 0
    assert 0 < figures["capacity.sent"]["value"] < figures["capacity.kept"]["value"]


def test_bench_prints_a_table_with_verdicts(quick: None) -> None:
    result = runner.invoke(app, ["bench", "--rounds", "1", "--only", "d"])
    assert result.exit_code == 0, result.output
    assert "at least 5" in result.stdout
    assert "not measured" in result.stdout


def test_bench_leaves_torchcam_out_with_a_sentence(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchcam.methods", None)
    answer = bench("--only", "e")
    assert answer["notes"] == [TORCHCAM_IS_MISSING]
    assert answer["figures"] == []


@pytest.mark.skipif(find_torchcam() is None, reason="torchcam is not installed: uv sync --group bench")
def test_bench_measures_torchcam_where_it_is(quick: None) -> None:
    assert [figure["key"] for figure in bench("--only", "e")["figures"]] == ["torchcam"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "a,z"], "only names the part 'z'; choose from a, b, c"),
        (["--only", "e", "--plot", "/nowhere/speed.png"], "/nowhere is not a directory"),
    ],
)
def test_bench_refuses_bad_options_in_one_line(arguments: list[str], said: str) -> None:
    result = runner.invoke(app, ["bench", *arguments])
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_parse_parts_takes_all_for_none() -> None:
    # Only `--on ray` measures the cost of Ray.
    assert parse_parts("") == frozenset(Part) - {Part.CLUSTER}
    assert parse_parts(" a, c ") == {Part.FORWARD, Part.STEPS}
    with pytest.raises(InvalidOption):
        parse_parts("ab")


async def _count_turns(names: list[str], rounds: int) -> tuple[list[str], dict[str, list[float]]]:
    order: list[str] = []

    class Counter:
        def __init__(self, name: str) -> None:
            self.name = name

        async def measure(self) -> dict[str, float]:
            order.append(self.name)
            return {self.name: float(len(order))}

    samples = await run_rounds([Counter(name) for name in names], rounds, lambda: None)
    return order, samples


def test_rounds_interleave_and_do_not_count_first_runs() -> None:
    order, samples = asyncio.run(_count_turns(["x", "y"], 2))
    turn = RUNS_PER_TURN + 1
    assert order == ["x"] * turn + ["y"] * 2 * turn + ["x"] * turn
    assert samples["x"] == [2.0, 3.0, 4.0, 14.0, 15.0, 16.0]
