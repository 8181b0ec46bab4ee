"""`cbam-lens train --lineup none,eca,simam --seeds 2` from a user's side: trained, stopped, measured and shown."""

import html
import re
from pathlib import Path

import pytest
import typer
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from app.cli import app
from app.commands.training import choose_attentions, put_attentions
from app.evaluation.results.trial_records import read_trial
from app.main import create_app
from app.settings import Settings
from models.lineups.lineup import load_lineup
from models.names import Attention
from models.training.records.toml_text import format_toml
from tests.models.training.conftest import make_recipe, write_pictures

runner = CliRunner()

NETWORKS = ["baseline", "eca", "simam"]


def run(directory: Path, *arguments: str, output: str = "mine") -> Result:
    fixed = ["train", "--lineup", "none,eca,simam", "--seeds", "2", "--recipe", str(directory / "recipe.toml")]
    data = ["--data", str(directory / "data"), "--device", "cpu", "-o", str(directory / output)]
    return runner.invoke(app, [*fixed, *data, *arguments], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures and a recipe of two steps."""
    directory = tmp_path_factory.mktemp("trial")
    write_pictures(directory / "data", count=8)
    write_pictures(directory / "other", count=2, folders=("blue", "red", "unicorn"), start=20)
    recipe = make_recipe(
        epochs=1,
        batch_size=9,
        mixing={},
        averaging=0.5,
        statistics_batches=2,
        phases=[{"start": 0, "shapes": [[32, 32]]}],
    )
    (directory / "recipe.toml").write_text(format_toml(recipe.model_dump(mode="json")))
    return directory


@pytest.fixture(scope="module")
def trial(place: Path) -> Path:
    """The output of a trial that was stopped once and resumed."""
    first = run(place, "--minutes", "0")
    assert first.exit_code == 0, first.output
    assert "seed 1 of 2: stopped after step 1 of 2 of resnet18_baseline_3" in first.stdout
    assert not (place / "mine" / "evidence").exists()
    second = run(place, "--resume")
    assert second.exit_code == 0, second.output
    assert "6 held-out pictures of data, 2 seeds:" in second.stdout
    assert re.search(r"eca: top-1 [\d.]+ %, [+-][\d.]+ points \(.* to .*\) against the baseline", second.stdout)
    return place / "mine"


@pytest.mark.slow
def test_every_seed_has_its_networks_by_one_recipe_on_the_same_pictures(trial: Path) -> None:
    cards = [load_lineup(folder / "lineup.toml").card for folder in (trial, trial / "seed-2")]
    assert [list(card.networks) for card in cards] == [NETWORKS] * 2
    recipes = [{network.recipe for network in card.networks.values()} for card in cards]
    assert [len(names) for names in recipes] == [1, 1]
    assert "seed 5" in str(recipes[0])
    assert "seed 6" in str(recipes[1])
    held_out = (trial / "held_out.txt").read_text().splitlines()
    assert len(held_out) == 6
    assert not (trial / "seed-2" / "held_out.txt").exists()


@pytest.mark.slow
def test_every_seed_is_measured_with_its_own_weights_on_the_held_out_pictures(trial: Path) -> None:
    evaluations = read_trial(trial)
    assert len(evaluations) == 2
    for evaluation, folder in zip(evaluations, (trial, trial / "seed-2"), strict=True):
        networks = load_lineup(folder / "lineup.toml").card.networks
        assert evaluation.sha256 == {name: network.sha256 for name, network in networks.items()}
        assert (evaluation.pictures, evaluation.listing) == (6, "held_out.txt")
        assert list(evaluation.top1_differences) == NETWORKS[1:]
    assert evaluations[0].sha256 != evaluations[1].sha256


@pytest.mark.slow
def test_finished_trial_is_not_measured_again_and_not_trained_over(place: Path, trial: Path) -> None:
    times = [path.stat().st_mtime_ns for path in sorted((trial / "evidence").iterdir())]
    again = run(place, "--resume")
    assert again.exit_code == 0, again.output
    assert [path.stat().st_mtime_ns for path in sorted((trial / "evidence").iterdir())] == times
    over = run(place)
    assert over.exit_code == 2
    assert "already has a training" in over.stderr


@pytest.mark.slow
def test_given_pictures_are_measured_in_place_of_held_out_ones(place: Path) -> None:
    """A folder of no class among them is skipped, not refused when everything is trained."""
    options = ["--seeds", "1", "--validation", str(place / "other")]
    result = run(place, *options, output="given")
    assert result.exit_code == 0, result.output
    (evaluation,) = read_trial(place / "given")
    assert (evaluation.data, evaluation.pictures) == ("other", 4)
    assert (place / "given" / "held_out.txt").read_text().split() == [
        "blue/020.png", "blue/021.png", "red/020.png", "red/021.png",
    ]  # fmt: skip
    card = (place / "given" / "resnet18_eca_3.md").read_text()
    assert "24 pictures" in card


@pytest.mark.slow
def test_evidence_page_of_the_lineup_shows_the_trial(trial: Path) -> None:
    settings = Settings(lineups=(str(trial / "lineup.toml"),))
    with TestClient(create_app(settings)) as client:
        page = html.unescape(client.get("/evidence").raise_for_status().text)
    section = page[page.index("Does attention help?") :]
    section = section[: section.index("</section>")]
    assert section.count('<th scope="row">') == 2 + 3
    for words in ("ECA", "SimAM", "Seed 1", "Seed 2", "95 % over pictures", "95 % over seeds", "6 held-out pictures"):
        assert words in section, words
    assert "Where the networks of this lineup look was not measured." in page


@pytest.mark.slow
def test_evidence_page_of_other_weights_does_not_show_the_trial(trial: Path, tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    for path in (trial / "evidence").iterdir():
        (tmp_path / "evidence" / path.name).write_bytes(path.read_bytes())
    for path in [*(trial / "seed-2").glob("*.safetensors"), trial / "seed-2" / "lineup.toml"]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "labels.json").write_bytes((trial / "labels.json").read_bytes())
    (tmp_path / "evidence" / "seed-2.json").unlink()
    settings = Settings(lineups=(str(tmp_path / "lineup.toml"),))
    with TestClient(create_app(settings)) as client:
        assert "Does attention help?" not in client.get("/evidence").raise_for_status().text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--seeds", "2"], "add --lineup none,se,cbam"),
        (["--lineup", "none,se", "--hold-out", "0.2"], "--hold-out is for --seeds"),
        (["--lineup", "se,cbam"], "begin with the baseline"),
        (["--lineup", "none"], "begin with the baseline"),
        (["--lineup", "none,cabm"], "--lineup names 'cabm'; choose from none, se"),
        (["--lineup", "none,se", "--attention", "cbam"], "leave out --attention"),
        (["--lineup", "none,se", "--seeds", "2", "--data", "."], "give the pictures to measure with --validation DIR"),
        (["--lineup", "none,se", "--seeds", "2", "--hold-out", "2"], "choose a share between 0 and 1"),
    ],
)
def test_options_that_do_not_go_together_are_refused(place: Path, arguments: list[str], sentence: str) -> None:
    data = ["--data", str(place / "data"), "--device", "cpu", "-o", str(place / "refused")]
    result = runner.invoke(app, ["train", *data, *arguments], env={"COLUMNS": "300"})
    assert result.exit_code == 2, result.output
    assert sentence in " ".join(re.sub(r"[│╭╰─╮╯]", " ", result.stderr).split())


def test_several_processes_are_told_to_take_one_seed_at_a_time(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    result = run(place, output="refused")
    assert result.exit_code == 2
    assert "give torchrun one seed at a time" in result.stderr


@pytest.mark.parametrize(
    ("lineup", "attention", "expected"),
    [
        (None, None, (Attention.CBAM,)),
        ("", [Attention.SE, Attention.ECA], (Attention.SE, Attention.ECA)),
        ("", None, (Attention.CBAM,)),
        ("none, se,cbam", None, (Attention.SE, Attention.CBAM)),
    ],
)
def test_networks_are_those_of_the_lineup_or_of_the_attentions(
    lineup: str | None, attention: list[Attention] | None, expected: tuple[Attention, ...]
) -> None:
    assert choose_attentions(lineup, attention) == expected


def test_places_make_a_network_of_each_attention_at_each_place() -> None:
    placed = put_attentions((Attention.SE, Attention.CBAM), "every-block, last-stage")
    assert placed == (Attention.SE, Attention.SE_LAST_STAGE, Attention.CBAM, Attention.CBAM_LAST_STAGE)
    assert put_attentions((Attention.BAM,), "every-block") == (Attention.BAM,)


@pytest.mark.parametrize(
    ("attention", "places", "sentence"),
    [
        (Attention.CBAM, "first-stage", "--places names 'first-stage'; choose from every-block, last-stage"),
        (Attention.BAM, "last-stage", "bam has no form in the last stage alone"),
    ],
)
def test_places_that_are_not_known_are_refused(attention: Attention, places: str, sentence: str) -> None:
    with pytest.raises(typer.BadParameter, match=sentence):
        put_attentions((attention,), places)
