"""`cbam-lens train` from a user's side: a lineup from a folder of pictures, and every message."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from huggingface_hub import ModelCard
from safetensors import safe_open
from safetensors.torch import load_file
from typer.testing import CliRunner, Result

from app.cli import app as program
from app.commands.training import TrainCommand, train
from models.checkpoints.diagnosis import GateState
from models.lineups.card import read_card
from models.lineups.label_files import read_labels
from models.lineups.lineup import load_lineup
from models.lineups.sources import open_source
from models.training.learning.log import read_log
from models.training.records.toml_text import format_toml
from tests.conftest import ROOT
from tests.models.training.conftest import make_recipe, write_pictures

# Trains networks.
pytestmark = pytest.mark.slow

runner = CliRunner()
app = typer.Typer(pretty_exceptions_enable=False)
app.command(cls=TrainCommand)(train)


@dataclass(frozen=True)
class Place:
    """A directory with pictures, a list of held-out pictures, and a recipe."""

    directory: Path
    pictures: Path

    def train(self, *arguments: str, output: str = "out") -> Result:
        """Run the command on these pictures."""
        fixed = ["--data", str(self.pictures), "--recipe", str(self.directory / "recipe.toml"), "--device", "cpu"]
        return runner.invoke(app, [*fixed, "-o", str(self.directory / output), *arguments])

    @property
    def held_out(self) -> list[str]:
        """Options that hold out a quarter of the pictures and validate on them."""
        listing = str(self.directory / "test.txt")
        return ["--exclude", listing, "--validation", str(self.pictures), "--validation-list", listing]


def make_place(directory: Path, pictures: Path, **changes: object) -> Place:
    fields: dict[str, object] = {
        "mixing": {},
        "averaging": 0.5,
        "statistics_batches": 3,
        "batch_size": 6,
        "optimiser": {"learning_rate": 0.01},
        "validation_epochs": 4,
        "phases": [{"start": 0, "shapes": [[64, 64], [64, 96], [96, 64]]}],
    }
    fields |= changes
    (directory / "recipe.toml").write_text(format_toml(make_recipe(**fields).model_dump(mode="json")))
    names = [f"{folder.name}/{number:03}.png" for folder in sorted(pictures.iterdir()) for number in range(0, 16, 4)]
    (directory / "test.txt").write_text("\n".join(names))
    return Place(directory, pictures)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """The output directory of a lineup that was stopped once and resumed."""
    place = make_place(tmp_path_factory.mktemp("lineup"), pictures, epochs=4)
    arguments = ["--lineup", *place.held_out, "--cache"]
    first = place.train(*arguments, "--minutes", "0")
    assert first.exit_code == 0, first.output
    assert "stopped after step 1 of 24 of resnet18_baseline_3" in first.stdout
    assert "--resume" in first.stdout
    second = place.train(*arguments, "--resume")
    assert second.exit_code == 0, second.output
    assert "resnet18_cbam_3.safetensors: center_crop top-1" in second.stdout
    return place.directory / "out"


def test_lineup_is_written_whole(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    stems = ("resnet18_baseline_3", "resnet18_cbam_3")
    assert names == {
        "lineup.toml", "labels.json", "recipe.toml", "pictures.safetensors",
        *(f"{stem}{suffix}" for stem in stems for suffix in (".safetensors", ".md", ".csv", ".state.pt")),
    }  # fmt: skip


def test_lineup_loads_and_is_one_recipe(trained: Path) -> None:
    lineup = load_lineup(trained / "lineup.toml")
    assert lineup.card.trained
    assert lineup.card.warnings == ()
    recipes = {network.recipe for network in lineup.card.networks.values()}
    assert len(recipes) == 1
    assert "tiny, seed 5" in str(recipes)
    assert [label.id for label in lineup.labels] == ["blue", "green", "red"]
    assert read_labels(trained / "labels.json") == lineup.labels
    assert open_source(str(trained / "resnet18_cbam_3.safetensors")).gates is GateState.TRAINED


def test_lineup_is_stored_in_half_precision_where_that_costs_little(trained: Path) -> None:
    with safe_open(trained / "resnet18_cbam_3.safetensors", framework="pt") as file:
        metadata = file.metadata()
        types = {name: file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118
    assert metadata["format"] == "cbam-lens"
    assert metadata["recipe"].startswith("tiny, seed 5")
    assert types["conv1.weight"] == types["fc.weight"] == torch.float16
    assert types["bn1.weight"] == types["bn1.running_var"] == types["fc.bias"] == torch.float32
    assert not [name for name in types if "auxiliary" in name]


@pytest.mark.parametrize("member", ["baseline", "cbam"])
def test_lineup_has_learnt_its_easy_classes(trained: Path, member: str) -> None:
    rows = [row for row in read_log(trained / f"resnet18_{member}_3.csv") if float(row["epoch"]).is_integer()]
    assert float(rows[-1]["loss"]) < 0.8 * float(rows[0]["loss"])
    accuracy = load_lineup(trained / "lineup.toml").card.networks[member].accuracy
    assert [(row.dataset, row.pictures) for row in accuracy] == [("colours, test.txt", 12)]
    assert accuracy[0].top1 > 0.6


def test_lineup_saw_the_same_shapes_in_the_same_order(trained: Path) -> None:
    logs = [read_log(trained / f"resnet18_{member}_3.csv") for member in ("baseline", "cbam")]
    columns = ("step", "learning_rate", "height", "width")
    first, second = ([[row[name] for name in columns] for row in log] for log in logs)
    assert first == second
    assert len({(row["height"], row["width"]) for row in logs[0]}) > 1


def test_model_card_tells_what_is_known_and_where_nothing_lies(trained: Path) -> None:
    card = (trained / "resnet18_cbam_3.md").read_text()
    for words in ("ResNet-18+CBAM, 3 classes", "36 pictures", "| loss |", "torch ", "learning_rate = 0.01", "tiny"):
        assert words in card, words
    assert "test.txt" in card
    assert "held out: test.txt" in card
    for text in (card, (trained / "lineup.toml").read_text()):
        assert str(trained.parent) not in text
        assert str(Path.home()) not in text


def test_model_card_has_a_header_for_the_hub(trained: Path) -> None:
    header = ModelCard.load(trained / "resnet18_cbam_3.md").data
    accuracy = read_card(trained / "lineup.toml").networks["cbam"].accuracy
    assert (header.license, header.model_name) == ("unknown", "ResNet-18+CBAM")
    assert accuracy
    assert [row.metric_value for row in header.eval_results or ()] == [
        value for row in accuracy for value in (row.top1, row.top5)
    ]


def test_lineup_can_be_pushed(trained: Path) -> None:
    result = runner.invoke(program, ["push", str(trained / "lineup.toml"), "somebody/mine", "--dry-run"])
    assert result.exit_code == 0, result.output
    sent = {line.partition(":")[0] for line in result.stdout.splitlines()}
    networks = {f"resnet18_{name}_3{suffix}" for name in ("baseline", "cbam") for suffix in (".safetensors", ".md")}
    assert sent == networks | {"README.md", "lineup.toml", "labels.json"}
    assert "licence of the weights: unknown" in result.stderr


def test_lineup_answers_compare(trained: Path, pictures: Path) -> None:
    picture = str(pictures / "red" / "000.png")
    result = runner.invoke(program, ["compare", picture, "--lineup", str(trained / "lineup.toml"), "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["lineup"] == "resnet18-3"
    assert answer["trained"]


def test_training_is_not_begun_over_another(trained: Path, pictures: Path) -> None:
    place = Place(trained.parent, pictures)
    result = place.train("--lineup", *place.held_out)
    assert result.exit_code == 2
    assert "already has a training, resnet18_baseline_3.state.pt; continue it with --resume" in result.stderr


def test_training_is_not_gone_on_with_by_another_recipe(trained: Path, pictures: Path) -> None:
    place = Place(trained.parent, pictures)
    result = place.train("--lineup", *place.held_out, "--resume", "--learning-rate", "0.3")
    assert result.exit_code == 2
    assert "recipe.optimiser.learning_rate was 0.01, is 0.3" in result.stderr


@pytest.mark.slow(rare=True)
def test_single_network_learns_from_a_teacher_and_soft_labels(tmp_path: Path, trained: Path, pictures: Path) -> None:
    place = make_place(tmp_path, pictures, epochs=1)
    keys = [f"colours/{path.parent.name}/{path.name}" for path in pictures.glob("*/*.png")]
    count = len(keys)
    np.savez(
        tmp_path / "soft.npz",
        picture=np.array(keys),
        class_index=np.tile(np.array([[2, 5]], dtype=np.int16), (count, 1)),
        probability=np.tile(np.array([[0.75, 0.25]], dtype=np.float16), (count, 1)),
    )
    teacher = ["--teacher", str(trained / "resnet18_cbam_3.safetensors")]
    arguments = ["--attention", "none", "--weights", "fp32", "--batch-size", "24"]
    result = place.train(*arguments, "--soft-labels", str(tmp_path / "soft.npz"), *teacher, output="taught")
    assert result.exit_code == 0, result.output
    plain = place.train(*arguments, output="plain")
    assert plain.exit_code == 0, plain.output
    losses = [read_log(tmp_path / name / "resnet18_baseline_3.csv")[0]["loss"] for name in ("taught", "plain")]
    assert float(losses[0]) > float(losses[1]) + 1
    card = (tmp_path / "taught" / "resnet18_baseline_3.md").read_text()
    assert "known for 48 of the pictures" in card
    assert "teacher: resnet18_cbam_3.safetensors" in card
    assert "Not measured" in card


@pytest.mark.slow(rare=True)
def test_training_goes_on_from_weights_and_says_so(tmp_path: Path, trained: Path, pictures: Path) -> None:
    place = make_place(tmp_path, pictures, epochs=1, batch_size=24)
    result = place.train("--start-from", str(trained / "resnet18_cbam_3.safetensors"), output="on")
    assert result.exit_code == 0, result.output
    assert place.train(output="scratch").exit_code == 0
    losses = [read_log(tmp_path / name / "resnet18_cbam_3.csv")[0]["loss"] for name in ("on", "scratch")]
    assert float(losses[0]) < 0.8 * float(losses[1])
    card = (tmp_path / "on" / "resnet18_cbam_3.md").read_text()
    assert "On from earlier weights (resnet18_cbam_3.safetensors" in card
    assert "From scratch" not in card
    other = place.train("--resume", output="on")
    assert other.exit_code == 2
    assert "start from.cbam was" in other.stderr


@pytest.mark.slow(rare=True)
def test_lineup_goes_on_from_a_lineup(tmp_path: Path, trained: Path, pictures: Path) -> None:
    place = make_place(tmp_path, pictures, epochs=1, batch_size=48)
    result = place.train("--lineup", "--start-from", str(trained / "lineup.toml"))
    assert result.exit_code == 0, result.output
    assert (
        "trained on from earlier weights of each (resnet18_baseline_3"
        in load_lineup(tmp_path / "out" / "lineup.toml").card.provenance
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--network", "resnet19"], "architecture 'resnet19' is not known"),
        (["--lineup", "--attention", "none"], "choose --attention"),
        (["--weights", "bf16"], "weights are not stored as bf16; choose fp16 or fp32"),
        (["--name", "a b"], "name is 'a b'"),
        (["--set", "epochs=0"], "epochs: Input should be greater"),
        (["--alias", "violet"], "write FOLDER=CLASS"),
        (["--alias", "red=violet"], "alias red=violet names no class"),
        (["--labels", "nowhere.json"], "nowhere.json cannot be read"),
        (["--exclude", "nowhere.txt"], "nowhere.txt cannot be read"),
        (["--data", "nowhere"], "nowhere is not a directory"),
        (["--shards", "x.tar"], "give their list with --labels"),
        (["--soft-labels", "nowhere.npz"], "nowhere.npz cannot be read"),
        (["--set", "auxiliary.weight=0", "--soft-labels", "x.npz"], "leave them out"),
        (["--set", "teacher.weight=0", "--teacher", "x"], "leave --teacher out"),
        (["--teacher", "nowhere.pt"], "nowhere.pt"),
        (["--validation-list", "x.txt"], "give it with --validation"),
        (["--start-from", "nowhere.pth"], "nowhere.pth"),
        (["--lineup", "--start-from", "nowhere.pth"], "--start-from of several networks is a lineup"),
        (["--set", 'spatial_gate.renewed=["layer4"]'], "which needs weights from --start-from"),
        (["--device", "gpu"], "choose auto, cpu"),
        (["--batch-size", "49"], "48 pictures do not fill a batch of 49"),
    ],
)
def test_command_refuses_in_one_line(tmp_path: Path, pictures: Path, arguments: list[str], reason: str) -> None:
    result = make_place(tmp_path, pictures).train(*arguments)
    assert result.exit_code == 2, result.output
    assert reason in result.stderr
    assert result.stderr.splitlines()[-1].startswith("cbam-lens: ")
    assert not list(tmp_path.glob("out/*.safetensors"))


def test_command_wants_something_to_train_on(tmp_path: Path) -> None:
    result = runner.invoke(app, ["-o", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "give a directory with --data, or --shards" in result.stderr


def test_labels_that_are_no_list_are_refused(tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "labels.json").write_text('{"red": 0.5}')
    result = make_place(tmp_path, pictures).train("--labels", str(tmp_path / "labels.json"))
    assert result.exit_code == 2
    assert "labels.json is not a list of classes" in result.stderr


def test_resuming_nothing_says_so_and_begins(tmp_path: Path, pictures: Path) -> None:
    result = make_place(tmp_path, pictures, epochs=1).train("--resume", "--minutes", "0")
    assert result.exit_code == 0
    assert "; this one starts at the beginning" in result.stderr


@pytest.mark.slow(rare=True)
def test_sigterm_saves_and_says_how_to_go_on(tmp_path: Path, one_thread_environment: dict[str, str]) -> None:
    place = make_place(tmp_path, write_pictures(tmp_path / "colours", count=16))
    (place.pictures / "notes").mkdir()
    (tmp_path / "labels.txt").write_text("blue\ngreen\nred\n")
    options = ["--data", str(place.pictures), "--recipe", str(tmp_path / "recipe.toml"), "-o", str(tmp_path / "out")]
    command = [sys.executable, "-m", "app.commands.training", *options, "--labels", str(tmp_path / "labels.txt")]
    pipe, environment = subprocess.PIPE, one_thread_environment
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, env=environment)  # noqa: S603
    assert process.stderr is not None
    # The note about the skipped folder comes when signals are watched and training has not started.
    assert any("1 folders are not in the list of classes" in line for line in process.stderr)
    process.terminate()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "stopped after step 1 of 16 of resnet18_cbam_3; give the same command with --resume" in output
    assert (tmp_path / "out" / "resnet18_cbam_3.state.pt").exists()


@pytest.mark.slow(rare=True)
def test_network_with_fresh_gates_learns_from_two_teachers_and_goes_on_to_the_bit(
    tmp_path: Path, trained: Path, pictures: Path
) -> None:
    place = make_place(
        tmp_path, pictures, epochs=1, batch_size=12, statistics_batches=0, freeze_statistics=True,
        gates={"learning_rate": 0.001}, channel_gate={"loss_weight": 1.0}, class_weight=0.3,
        mean=[0.5, 0.5, 0.5], standard_deviation=[0.5, 0.5, 0.5],
    )  # fmt: skip
    others = write_pictures(tmp_path / "others", count=4, folders=("cups",))
    baseline = trained / "resnet18_baseline_3.safetensors"
    arguments = [
        "--start-from", f"{baseline}+cbam", "--unlabelled", str(others), "--keep-answers", "--weights", "fp32",
        "--teacher", str(baseline), "--teacher", str(trained / "resnet18_cbam_3.safetensors"),
    ]  # fmt: skip
    for output, minutes in (("whole", []), ("parts", ["--minutes", "0"]), ("parts", ["--resume"])):
        result = place.train(*arguments, *minutes, output=output)
        assert result.exit_code == 0, result.output
    name = "resnet18_cbam_3.safetensors"
    whole, parts = (load_file(tmp_path / output / name) for output in ("whole", "parts"))
    assert all(value.equal(parts[key]) for key, value in whole.items())
    assert len(list((tmp_path / "whole").glob("answers-*.npy"))) == 1
    card = (tmp_path / "whole" / "resnet18_cbam_3.md").read_text()
    assert "the mean of resnet18_baseline_3.safetensors" in card
    assert "mean 0.5, 0.5, 0.5 and deviation 0.5, 0.5, 0.5" in card
    assert "with new gates that do not change the network's output" in card
    assert "Pictures of colours, others" in card
