"""Tables of many pictures over lineups of two, three and five networks."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.analysis.options import GeometryOptions, TargetOptions
from app.cli import app
from app.survey.run import SurveyOptions
from app.survey.store import CONTRAST_COLUMNS, NETWORK_COLUMNS, PICTURE_COLUMNS, RowStore, list_columns
from models.lineups.card import read_card
from tests.conftest import encode, make_picture
from tests.lineups import COUNTS, NAMES, RESNET18_110, write_option

pytestmark = pytest.mark.slow

pytest.importorskip("pyarrow", reason="pyarrow is not installed: uv sync --extra survey")

runner = CliRunner()


@pytest.mark.parametrize("count", COUNTS)
def test_row_has_every_networks_numbers_of_the_picture_alone(tmp_path: Path, count: int) -> None:
    picture = tmp_path / "p.png"
    picture.write_bytes(encode(make_picture(80, 64)))
    options = [str(picture), "--lineup", write_option(count), "--target", "3", "--resolution", "160"]
    alone = json.loads(runner.invoke(app, ["compare", *options, "--json"]).stdout)
    result = runner.invoke(app, ["compare", *options, "--rows", str(tmp_path / "rows"), "--maps"])
    assert result.exit_code == 0, result.output
    identity = json.loads((tmp_path / "rows" / "identity.json").read_text())
    assert set(identity["weights"]) == set(NAMES[count])
    (row,) = RowStore(tmp_path / "rows", identity, NAMES[count]).read_rows()
    baseline, *others = NAMES[count]
    for name in NAMES[count]:
        network = alone["networks"][name]
        assert row[f"{name}_target_probability"] == pytest.approx(network["target_probability"], abs=1e-5)
        assert row[f"{name}_map_max"] == pytest.approx(network["heat_map"]["max"], rel=1e-3)
        assert row[f"{name}_classes"] == [entry["class_index"] for entry in network["predictions"]]
    for name in others:
        for column in CONTRAST_COLUMNS:
            expected = alone["comparisons"][name][column]
            assert row[f"{name}_{column}"] == pytest.approx(expected, abs=1e-3), (name, column)
    assert f"{baseline}_correlation" not in row


@pytest.mark.parametrize("count", COUNTS)
def test_columns_are_the_pictures_each_networks_and_each_contrasts(count: int) -> None:
    columns = list_columns(NAMES[count])
    expected = len(PICTURE_COLUMNS) + count * len(NETWORK_COLUMNS) + (count - 1) * len(CONTRAST_COLUMNS)
    assert len(columns) == expected


def test_rows_of_one_lineup_are_not_taken_for_anothers(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    picture.write_bytes(encode(make_picture(40, 40)))
    arguments = ["compare", str(picture), "--rows", str(tmp_path / "rows"), "--lineup"]
    assert runner.invoke(app, [*arguments, write_option(2)]).exit_code == 0
    result = runner.invoke(app, [*arguments, write_option(3)])
    assert result.exit_code == 2
    assert "has the rows of other options (" in result.stderr
    assert "weights was {'gated': None, 'plain': None}" in result.stderr


def test_rows_of_other_temperatures_are_not_the_same_table(tmp_path: Path) -> None:
    card = read_card(RESNET18_110)
    calibrated = {name: network.model_copy(update={"temperature": 0.7}) for name, network in card.networks.items()}
    options = SurveyOptions(target=TargetOptions(), geometry=GeometryOptions(), directory=tmp_path)
    identities = [options.identify(each) for each in (card, card.model_copy(update={"networks": calibrated}))]
    assert [identity.pop("temperatures") for identity in identities] == [
        {"baseline": 1.0, "cbam": 1.0},
        {"baseline": 0.7, "cbam": 0.7},
    ]
    assert identities[0] == identities[1]
