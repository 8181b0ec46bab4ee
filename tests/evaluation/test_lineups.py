"""Evaluations over lineups of two, three and five networks."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.evaluation.results.plot import COLOURS
from app.evaluation.results.report import Evaluation
from app.evaluation.results.rows import read_rows
from app.evaluation.results.summary import summarise_maps
from models.lineups.card import MOST_NETWORKS
from tests.conftest import decode
from tests.lineups import COUNTS, NAMES, write_option

pytestmark = pytest.mark.slow(rare=True)

runner = CliRunner()


def evaluate(masked_data: Path, count: int, *options: str | Path) -> Result:
    arguments = ["evaluate", str(masked_data), "--lineup", write_option(count), *map(str, options)]
    return runner.invoke(app, arguments, env={"COLUMNS": "200"})


@pytest.mark.parametrize("count", COUNTS)
def test_every_network_has_its_accuracy_and_its_difference_from_the_baseline(
    masked_data: Path, tmp_path: Path, count: int
) -> None:
    rows, plot = tmp_path / "rows.csv", tmp_path / "plot.png"
    options = ("--focus", "--masks", masked_data, "--no-curves", "--resolution", "160", "--rows", rows, "--plot", plot)
    result = evaluate(masked_data, count, *options, "--json")
    assert result.exit_code == 0, result.output
    evaluation = Evaluation.model_validate_json(result.stdout)
    baseline, *others = NAMES[count]
    assert tuple(evaluation.networks) == tuple(evaluation.sha256) == NAMES[count]
    assert evaluation.focus is not None
    # Every other network has gates, and is compared with the baseline.
    assert list(evaluation.focus.gates) == others
    (found,) = evaluation.focus.maps
    assert list(found.contrasts) == others
    for name, contrast in found.contrasts.items():
        assert contrast.all.pictures == 3
        assert list(contrast.all.silent) == [baseline, name]
        for measured in contrast.all.metrics.values():
            assert measured.difference.mean == pytest.approx(measured.other - measured.baseline, abs=2e-5)
            assert measured.difference.low is not None
            assert measured.difference.low <= measured.difference.mean + 1e-5
    table = read_rows(rows)
    assert [tuple(row.networks) for row in table] == [NAMES[count]] * 3
    assert list(summarise_maps(table)[0].contrasts) == others
    # The reliability, and the differences of each other network beside it.
    width = decode(plot.read_bytes()).width
    assert width == 150 * (5 + 7 * (count - 1))


def test_table_names_every_network_and_the_gates_that_it_has(masked_data: Path) -> None:
    result = evaluate(masked_data, 3, "--focus", "--masks", masked_data, "--no-curves", "--resolution", "160")
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    for name in ("se", "cbam"):
        assert f"stage 4, {name}: all 3 pictures" in text
        assert f"{name} - baseline (95 %)" in text
        assert f"channel gates of {name}" in text
    assert "spatial gates of cbam" in text
    assert "spatial gates of se" not in text


@pytest.mark.parametrize("count", COUNTS)
def test_answers_of_every_network_are_counted_from_rows(masked_data: Path, tmp_path: Path, count: int) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: uv sync --extra survey")
    options = ("--resolution", "160", "--json")
    plain = Evaluation.model_validate_json(evaluate(masked_data, count, *options).stdout)
    result = evaluate(masked_data, count, *options, "--answers", tmp_path / "rows")
    assert result.exit_code == 0, result.output
    by_rows = Evaluation.model_validate_json(result.stdout)
    assert tuple(by_rows.networks) == NAMES[count]
    for name, network in plain.networks.items():
        assert (by_rows.networks[name].top1_count, by_rows.networks[name].top5_count) == (
            network.top1_count,
            network.top5_count,
        )


def test_precision_is_measured_for_every_network(masked_data: Path) -> None:
    arguments = ["precision", str(masked_data / "class 1"), "--lineup", write_option(3), "--json"]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    for name in NAMES[3]:
        assert result.stdout.count(f'"{name}"') == 2


def test_plot_has_a_colour_for_every_network_of_the_longest_lineup() -> None:
    assert len(set(COLOURS)) >= MOST_NETWORKS
