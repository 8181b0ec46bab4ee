"""One training: it stops, continues exactly, and refuses the state of another."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.names import Attention, Geometry
from models.training.learning.lesson import Lesson
from models.training.learning.log import read_log
from models.training.learning.state import TrainingIdentity, read_state, write_state
from models.training.learning.trainee import TraineeShape
from models.training.learning.trainer import Trainer, TrainingOutput
from models.training.learning.validation import ValidationBatch, ValidationSet
from models.training.recipes.recipe import Recipe
from models.training.running.errors import TrainingError
from models.training.running.processes import Processes, join_processes
from models.training.running.stopping import watch
from tests.models.training.conftest import make_recipe, make_sampler, make_store

pytestmark = pytest.mark.slow(rare=True)

CPU = torch.device("cpu")
SHAPE = TraineeShape("resnet18", Attention.CBAM, 3)


def make_trainer(directory: Path, recipe: Recipe | None = None, *, shape: TraineeShape = SHAPE) -> Trainer:
    recipe = recipe or make_recipe()
    lesson = Lesson(recipe=recipe, sampler=make_sampler(recipe, make_store()))
    directory.mkdir(exist_ok=True)
    return Trainer(lesson, shape, processes=Processes(CPU), output=TrainingOutput(directory))


def flatten(state: object, name: str = "") -> dict[str, Any]:
    """Every tensor and value of a state by its path."""
    if isinstance(state, dict | list | tuple):
        items = state.items() if isinstance(state, dict) else enumerate(state)
        return {path: value for key, part in items for path, value in flatten(part, f"{name}/{key}").items()}
    return {name: state}


@pytest.mark.parametrize("attention", [Attention.NONE, pytest.param(Attention.CBAM, marks=pytest.mark.slow)])
def test_stopped_and_resumed_training_is_the_uninterrupted_one_to_the_bit(tmp_path: Path, attention: Attention) -> None:
    shape = TraineeShape("resnet18", attention, 3)
    whole = make_trainer(tmp_path / "whole", shape=shape)
    assert whole.run(lambda _: False)
    assert not make_trainer(tmp_path / "parts", shape=shape).run(lambda step: step == 2)
    assert not make_trainer(tmp_path / "parts", shape=shape).run(lambda step: step == 5)
    resumed = make_trainer(tmp_path / "parts", shape=shape)
    assert resumed.learner.step == 5
    assert resumed.run(lambda _: False)
    expected, found = flatten(whole.learner.state), flatten(resumed.learner.state)
    assert expected.keys() == found.keys()
    assert any("running_mean" in name for name in expected)
    assert any(name.startswith("/average/module") for name in expected)
    assert any("momentum_buffer" in name for name in expected)
    for name, value in expected.items():
        same = value.equal(found[name]) if isinstance(value, torch.Tensor) else value == found[name]
        assert same, name
    logs = [read_log(tmp_path / part / f"{shape.stem}.csv") for part in ("whole", "parts")]
    for row in (*logs[0], *logs[1]):
        del row["pictures_per_second"]
    assert logs[0] == logs[1]
    assert [row["epoch"] for row in logs[0]] == ["1.0", "2.0"]


def test_killed_training_repeats_the_rows_of_what_it_repeats(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    trainer.run(lambda step: step == 5)
    log = tmp_path / f"{SHAPE.stem}.csv"
    before = log.read_text()
    log.write_text(f"{before}7,1.75,0.1,9,32,32,1.0\n")
    assert make_trainer(tmp_path).run(lambda _: False)
    assert [row["step"] for row in read_log(log)] == ["4", "8"]


def test_random_numbers_of_others_stay_as_they_were(tmp_path: Path) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    make_trainer(tmp_path, make_recipe(epochs=1)).run(lambda _: False)
    assert torch.rand(3).equal(expected)


def test_statistics_are_taken_anew_of_the_kept_weights(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, make_recipe(epochs=1, statistics_batches=2))
    trainer.run(lambda _: False)
    network = trainer.learner.result
    before = {name: value.clone() for name, value in network.state_dict().items()}
    trainer.finish()
    changed = {name for name, value in network.state_dict().items() if not value.equal(before[name])}
    assert changed
    assert all("running" in name or "num_batches" in name for name in changed)
    assert not network.training


def test_state_of_another_recipe_is_refused_with_what_differs(tmp_path: Path) -> None:
    make_trainer(tmp_path).run(lambda step: step == 1)
    other = make_recipe(seed=6, optimiser={"learning_rate": 0.2})
    with pytest.raises(TrainingError, match=r"learning_rate was 0.05, is 0.2; recipe.seed was 5, is 6"):
        make_trainer(tmp_path, other)


def test_state_of_other_pictures_is_refused() -> None:
    recipe = make_recipe()
    first, second = (Lesson(recipe, make_sampler(recipe, make_store(counts))) for counts in ((9, 9, 9), (9, 9, 8)))
    assert [text.split()[0] for text in TrainingIdentity(first.identify()).compare(second.identify())] == ["pictures"]


@pytest.mark.parametrize("content", [b"", b"PK nothing", b"\x80\x02N."])
def test_damaged_state_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.state.pt"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"x.state.pt is not the state of a training"):
        read_state(path, TrainingIdentity({}), device=CPU)


def test_state_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.state.pt"
    torch.save({"identity": TrainingIdentity({})}, path)
    with pytest.raises(TrainingError, match=r"x.state.pt is not the state of a training"):
        read_state(path, TrainingIdentity({}), device=CPU)


def test_state_on_a_full_disk_says_what_to_do() -> None:
    with pytest.raises(TrainingError, match=r"make room or choose another place, then --resume"):
        write_state(Path("/proc/x.state.pt"), TrainingIdentity({}), {})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_after_the_step_and_the_next_one_does_what_it_did(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with watch() as should_stop:
        assert not should_stop(1)
        os.kill(os.getpid(), number)
        assert should_stop(1)
        assert signal.getsignal(number) is before
    assert signal.getsignal(number) is before


def test_time_stops_too() -> None:
    with watch(minutes=0) as should_stop:
        assert should_stop(1)
    with watch(minutes=60) as should_stop:
        assert not should_stop(1)


@pytest.mark.parametrize(
    ("device", "reason"), [("gpu", "choose auto, cpu"), ("cuda:99", "there is no device 'cuda:99'"), ("meta", "auto")]
)
def test_device_that_is_not_there_is_refused(device: str, reason: str) -> None:
    with pytest.raises(TrainingError, match=reason), join_processes(device):
        pass


def test_machines_with_different_states_do_not_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Processes, "add", lambda self, values: values + 3)
    with pytest.raises(TrainingError, match="give an --output that all machines share"):
        make_trainer(tmp_path)


def test_batch_that_processes_cannot_share_is_refused() -> None:
    with pytest.raises(TrainingError, match="a batch of 8 cannot be shared evenly by 3 processes"):
        Processes(CPU, rank=0, count=3).part_of(8)
    assert [Processes(CPU, rank=rank, count=2).part_of(8) for rank in (0, 1)] == [slice(0, 4), slice(4, 8)]


def test_frozen_statistics_stay_as_they_were_and_the_gates_own_move(tmp_path: Path) -> None:
    recipe = make_recipe(
        freeze_statistics=True, averaging=0, gates={"learning_rate": 0.01}, optimiser={"name": "adamw"}
    )
    trainer = make_trainer(tmp_path, recipe)
    before = {name: value.clone() for name, value in trainer.learner.result.state_dict().items()}
    assert trainer.run(lambda _: False)
    trainer.finish()
    after = trainer.learner.result.state_dict()
    moved = {name for name, value in before.items() if "running" in name and not value.equal(after[name])}
    assert moved
    assert all("SpatialGate" in name for name in moved)
    assert not before["layer1.0.bn1.weight"].equal(after["layer1.0.bn1.weight"])


def test_spatial_gates_statistics_stay_too_where_the_recipe_says_so(tmp_path: Path) -> None:
    recipe = make_recipe(
        averaging=0,
        gates={"learning_rate": 0.01},
        optimiser={"name": "adamw"},
        spatial_gate={"freeze_statistics": True},
    )
    trainer = make_trainer(tmp_path, recipe)
    before = {name: value.clone() for name, value in trainer.learner.result.state_dict().items()}
    assert trainer.run(lambda _: False)
    after = trainer.learner.result.state_dict()
    moved = {name for name, value in before.items() if "running" in name and not value.equal(after[name])}
    assert moved
    assert not any("SpatialGate" in name for name in moved)
    kernel = "layer1.0.cbam.SpatialGate.spatial.conv.weight"
    assert not before[kernel].equal(after[kernel])


def test_measuring_in_between_leaves_frozen_statistics_frozen(tmp_path: Path) -> None:
    recipe = make_recipe(freeze_statistics=True, averaging=0)
    trainer = make_trainer(tmp_path, recipe)
    network = trainer.learner.result
    modes = [module.training for module in network.modules()]
    assert any(modes)
    assert not all(modes)
    batch = ValidationBatch(torch.zeros(2, 3, 64, 64, dtype=torch.uint8), torch.tensor([0, 1]))
    validation = ValidationSet("zeros", {Geometry.CENTER_CROP: [batch]})
    trainer._lesson = replace(trainer._lesson, validation=validation)
    assert trainer._validate()[Geometry.CENTER_CROP].pictures == 2
    assert [module.training for module in network.modules()] == modes
