"""Teachers: their mean, their sizes and the file of their answers."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from models.names import Attention
from models.networks.zoo import build_network
from models.training.learning.lesson import Lesson
from models.training.learning.teachers import AnswerBook, MeanTeacher, NetworkTeacher, TfliteTeacher, enlarge
from models.training.learning.trainee import TraineeShape
from models.training.learning.trainer import Trainer, TrainingOutput
from models.training.running.errors import TrainingError
from models.training.running.processes import Processes
from tests.models.training.conftest import make_recipe, make_sampler, make_store

pytestmark = pytest.mark.slow

PICTURES = torch.linspace(-1, 1, 2 * 3 * 32 * 64).reshape(2, 3, 32, 64)


class FixedTeacher:
    """A teacher that gives the same answer to every picture and counts its calls."""

    provenance = "fixed"
    digest = None

    def __init__(self, *logits: float) -> None:
        self.logits = torch.tensor([logits])
        self.asked = 0

    def judge(self, pictures: torch.Tensor) -> torch.Tensor:
        self.asked += 1
        return self.logits.expand(len(pictures), -1)


def make_network_teacher(side: int | None) -> NetworkTeacher:
    return NetworkTeacher(build_network("resnet18", class_count=3).eval(), "ours", "abc", side)


def test_mean_is_of_probabilities_and_not_of_logits() -> None:
    sure, unsure = FixedTeacher(10.0, 0.0, 0.0), FixedTeacher(0.0, 0.0, 0.0)
    found = MeanTeacher([sure, unsure]).judge(PICTURES).exp()
    assert found.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert found[0].tolist() == pytest.approx([(1 + 1 / 3) / 2, 1 / 6, 1 / 6], abs=1e-4)
    assert MeanTeacher([sure, unsure]).provenance == "the mean of fixed and fixed"


@pytest.mark.parametrize(
    ("side", "size"), [(None, (32, 64)), (32, (32, 64)), (64, (64, 128)), (40, (40, 64)), (16, (32, 64))]
)
def test_small_batches_are_enlarged_to_the_side_and_large_ones_left(side: int | None, size: tuple[int, int]) -> None:
    assert enlarge(PICTURES, side).shape[2:] == size


def test_network_teacher_sees_the_enlarged_batch() -> None:
    teacher = make_network_teacher(64)
    with torch.no_grad():
        expected = teacher.network(enlarge(PICTURES, 64))
        assert torch.equal(teacher.judge(PICTURES), expected)
        assert not torch.allclose(expected, teacher.network(PICTURES))


def test_book_answers_what_was_written_and_nothing_else(tmp_path: Path) -> None:
    book = AnswerBook.open(tmp_path / "a.npy", steps=3, batch_size=4, class_count=5)
    answers = torch.log_softmax(torch.arange(10.0).reshape(2, 5), dim=1)
    part = slice(2, 4)
    assert book.read(1, part) is None
    written = book.write(1, part, answers)
    again = AnswerBook.open(tmp_path / "a.npy", steps=3, batch_size=4, class_count=5)
    read = again.read(1, part)
    assert read is not None
    assert torch.equal(read, written)
    assert torch.allclose(read, answers, atol=5e-3)
    assert again.read(1, slice(0, 2)) is None
    assert again.read(2, part) is None


def test_book_of_another_training_is_refused(tmp_path: Path) -> None:
    AnswerBook.open(tmp_path / "a.npy", steps=3, batch_size=4, class_count=5)
    with pytest.raises(TrainingError, match=r"a\.npy has the answers of another training; delete it"):
        AnswerBook.open(tmp_path / "a.npy", steps=3, batch_size=8, class_count=5)
    (tmp_path / "b.npy").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match=r"b\.npy cannot be used"):
        AnswerBook.open(tmp_path / "b.npy", steps=3, batch_size=4, class_count=5)


def test_second_network_reads_the_answers_that_the_first_one_got(tmp_path: Path) -> None:
    recipe = make_recipe(epochs=1)
    teacher = FixedTeacher(2.0, 1.0, 0.0)
    lesson = Lesson(recipe=recipe, sampler=make_sampler(recipe, make_store()), teacher=teacher)
    steps = lesson.sampler.total_steps
    asked = []
    states: list[dict[str, Any]] = []
    for name, attention in (("first", Attention.CBAM), ("second", Attention.CBAM), ("third", Attention.NONE)):
        book = AnswerBook.open(tmp_path / "book.npy", steps=steps, batch_size=recipe.batch_size, class_count=3)
        (tmp_path / name).mkdir()
        trainer = Trainer(
            Lesson(recipe=recipe, sampler=lesson.sampler, teacher=teacher, answers=book),
            TraineeShape("resnet18", attention, 3),
            processes=Processes(torch.device("cpu")),
            output=TrainingOutput(tmp_path / name),
        )
        assert trainer.run(lambda _: False)
        asked.append(teacher.asked)
        states.append(trainer.learner.state["trainee"])
    assert asked == [steps, steps, steps]
    assert all(value.equal(states[1][name]) for name, value in states[0].items())


def test_answers_are_of_one_recipe_whatever_the_network_begins_with() -> None:
    recipes = make_recipe(), make_recipe(seed=9)
    first, second = (Lesson(recipe, make_sampler(recipe), teacher=FixedTeacher(1.0)) for recipe in recipes)
    assert first.answers_digest != second.answers_digest
    assert first.answers_digest != Lesson(recipes[0], make_sampler(recipes[0])).answers_digest


class FakeInterpreter:
    """LiteRT's interface, with a network whose logits are the picture's mean per channel, in steps of 0.1."""

    def __init__(self, *, model_content: bytes, num_threads: int, experimental_preserve_all_tensors: bool) -> None:
        assert num_threads == 1
        assert experimental_preserve_all_tensors
        if model_content == b"damaged":
            raise ValueError("no model")
        self.tensors = {1: np.zeros((1, 3), np.int8), 2: np.zeros((1, 3), np.uint8)}

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"index": 0, "shape": np.array([1, 8, 8, 3]), "dtype": np.uint8, "quantization": (0.01, 128)}]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [{"index": 2, "shape": np.array([1, 3])}]

    def get_tensor_details(self) -> list[dict[str, Any]]:
        return [
            {"index": 1, "shape": np.array([1, 3]), "quantization": (0.1, 0)},
            {"index": 2, "shape": np.array([1, 3]), "quantization": (0.004, 0)},
        ]

    def set_tensor(self, index: int, values: Any) -> None:
        assert index == 0
        assert values.shape == (1, 8, 8, 3)
        self.given = values

    def invoke(self) -> None:
        means = (self.given.astype(float).mean(axis=(0, 1, 2)) - 128) * 0.01
        self.tensors[1] = np.rint(means / 0.1).astype(np.int8)[None]

    def get_tensor(self, index: int) -> Any:
        return self.tensors[index]


@pytest.fixture
def litert(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("ai_edge_litert.interpreter")
    module.Interpreter = FakeInterpreter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ai_edge_litert", ModuleType("ai_edge_litert"))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", module)


@pytest.mark.usefixtures("litert")
def test_tflite_teacher_quantises_its_input_and_reads_the_logits(tmp_path: Path) -> None:
    (tmp_path / "x.tflite").write_bytes(b"model")
    teacher = TfliteTeacher.read(tmp_path / "x.tflite", class_count=3)
    pictures = torch.tensor([0.5, -0.3, 0.9])[None, :, None, None].expand(1, 3, 20, 30)
    batch = torch.cat([pictures, -pictures, 0 * pictures])
    expected = torch.tensor([[0.5, -0.3, 0.9], [-0.5, 0.3, -0.9], [0, 0, 0]])
    torch.testing.assert_close(teacher.judge(batch), expected, atol=0.02, rtol=0)
    assert "x.tflite" in teacher.provenance
    assert len(teacher.digest) == 64


@pytest.mark.usefixtures("litert")
@pytest.mark.parametrize(
    ("content", "class_count", "reason"),
    [(b"model", 7, "has no layer of 7 classes before its output"), (b"damaged", 3, "cannot be read: no model")],
)
def test_tflite_teacher_that_does_not_fit_is_refused(
    tmp_path: Path, content: bytes, class_count: int, reason: str
) -> None:
    (tmp_path / "x.tflite").write_bytes(content)
    with pytest.raises(TrainingError, match=reason):
        TfliteTeacher.read(tmp_path / "x.tflite", class_count=class_count)


def test_tflite_teacher_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    (tmp_path / "x.tflite").write_bytes(b"model")
    with pytest.raises(TrainingError, match="needs ai-edge-litert, which is not installed"):
        TfliteTeacher.read(tmp_path / "x.tflite", class_count=3)
