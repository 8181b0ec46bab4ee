"""Teachers: networks that classify the same batch as the network in training."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models.lineups.card import read_bytes
from models.networks.staged import StagedNetwork
from models.training.running.errors import TrainingError

TFLITE = ".tflite"

GRID = 32
"""The sides of an enlarged batch are multiples of this, in pixels."""

THREADS = 2


class Teacher(Protocol):
    """A network to learn from.

    Attributes:
        provenance: the origin of its weights.
        digest: its file's sha256, if it has a file.
    """

    @property
    def provenance(self) -> str: ...

    @property
    def digest(self) -> str | None: ...

    def judge(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits or log-probabilities, (N, K), for a normalised batch, (N, 3, H, W)."""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkTeacher:
    """A teacher of the zoo, with the same classes.

    Attributes:
        network: the network, on the training's device and in evaluation mode.
        side: the shorter side in pixels to which smaller batches are enlarged; None not to enlarge.
    """

    network: StagedNetwork
    provenance: str
    digest: str | None
    side: int | None = None

    def judge(self, pictures: torch.Tensor) -> torch.Tensor:
        """See `Teacher.judge`."""
        return self.network(enlarge(pictures, self.side))  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, eq=False)
class TfliteTeacher:
    """An int8 network of TensorFlow Lite, run by LiteRT; a batch is stretched to its fixed input size.

    Its output is read before the softmax, because 8-bit probabilities cannot go below half a percent.

    Attributes:
        interpreters: one interpreter per thread.
        logits: the index of the tensor with the last layer's output.
    """

    interpreters: Sequence[Any]
    logits: int
    provenance: str
    digest: str
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS))

    @classmethod
    def read(cls, path: Path, *, class_count: int) -> "TfliteTeacher":
        """Read a network from a file; raises `TrainingError` if it has other classes or LiteRT is not installed."""
        content = read_bytes(path)
        interpreters = [_open_interpreter(content) for _ in range(THREADS)]
        answers = {detail["index"] for detail in interpreters[0].get_output_details()}
        layers = [
            detail["index"]
            for detail in interpreters[0].get_tensor_details()
            if list(detail["shape"]) == [1, class_count] and detail["index"] not in answers
        ]
        if not layers:
            raise TrainingError(f"the teacher {path} has no layer of {class_count:,} classes before its output")
        return cls(interpreters, layers[0], f"{path.name} (TensorFlow Lite)", hashlib.sha256(content).hexdigest())

    def judge(self, pictures: torch.Tensor) -> torch.Tensor:
        """See `Teacher.judge`."""
        _, height, width, _ = self.interpreters[0].get_input_details()[0]["shape"]
        resized = functional.interpolate(pictures.cpu(), (int(height), int(width)), mode="bilinear", antialias=True)
        values = resized.permute(0, 2, 3, 1).float().numpy()  # (N, H, W, 3)
        parts = self.pool.map(self._judge_part, self.interpreters, np.array_split(values, THREADS))
        return torch.from_numpy(np.concatenate(list(parts))).to(pictures.device)

    def _judge_part(self, interpreter: Any, pictures: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: ANN401
        given = interpreter.get_input_details()[0]
        scale, zero = given["quantization"]
        bounds = np.iinfo(given["dtype"])
        steps = np.clip(np.rint(pictures / scale + zero), bounds.min, bounds.max).astype(given["dtype"])
        scale, zero = next(
            entry["quantization"] for entry in interpreter.get_tensor_details() if entry["index"] == self.logits
        )
        answers = np.empty((len(pictures), interpreter.get_tensor(self.logits).shape[1]), dtype=np.float32)
        for place, picture in enumerate(steps):
            interpreter.set_tensor(given["index"], picture[None])
            interpreter.invoke()
            answers[place] = (interpreter.get_tensor(self.logits)[0].astype(np.float32) - zero) * scale
        return answers


@dataclass(frozen=True, slots=True, eq=False)
class MeanTeacher:
    """The mean of several teachers' probabilities.

    Attributes:
        members: the teachers, at least one.
    """

    members: Sequence[Teacher]

    @property
    def provenance(self) -> str:
        """The origin of all weights."""
        return "the mean of " + " and ".join(member.provenance for member in self.members)

    @property
    def digest(self) -> str:
        """One of all."""
        texts = [member.digest or member.provenance for member in self.members]
        return hashlib.sha256("\n".join(texts).encode()).hexdigest()

    def judge(self, pictures: torch.Tensor) -> torch.Tensor:
        """See `Teacher.judge`."""
        logs = [functional.log_softmax(member.judge(pictures).float(), dim=1) for member in self.members]
        return torch.logsumexp(torch.stack(logs), dim=0) - float(np.log(len(logs)))


def enlarge(pictures: torch.Tensor, side: int | None) -> torch.Tensor:
    """Enlarge a batch, (N, 3, H, W), to a shorter side of at least `side` pixels, both sides rounded to the grid."""
    height, width = pictures.shape[2:]
    if side is None or min(height, width) >= side:
        return pictures
    ratio = side / min(height, width)
    size = tuple(max(side, round(length * ratio / GRID) * GRID) for length in (height, width))
    larger = functional.interpolate(pictures, size, mode="bilinear", align_corners=False)
    return larger.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True, slots=True, eq=False)
class AnswerBook:
    """A teacher's answers at every step, stored on disk for other networks that are trained by the same recipe.

    Attributes:
        pages: log-probabilities, (S, N, K) float16, mapped from a file; a step of zeros has no answers yet.
    """

    pages: NDArray[np.float16]

    @classmethod
    def open(cls, path: Path, *, steps: int, batch_size: int, class_count: int) -> "AnswerBook":
        """Open the file of answers, or make it if there is none; raises `TrainingError`."""
        shape = (steps, batch_size, class_count)
        try:
            if not path.exists():
                draft = path.with_name(f".{path.name}.draft")
                np.lib.format.open_memmap(draft, mode="w+", dtype=np.float16, shape=shape)
                draft.replace(path)
            pages = np.load(path, mmap_mode="r+")
        except (OSError, ValueError) as error:
            raise TrainingError(f"{path} cannot be used: {error}; delete it and it will be made again") from error
        if pages.shape != shape or pages.dtype != np.float16:
            raise TrainingError(f"{path} has the answers of another training; delete it and it will be made again")
        return cls(pages)

    def read(self, step: int, part: slice) -> torch.Tensor | None:
        """Read the log-probabilities, (N, K), of a part of a step's batch; None if they are not stored yet."""
        page = self.pages[step, part]
        return torch.from_numpy(page.astype(np.float32)) if page.any() else None

    def write(self, step: int, part: slice, answers: torch.Tensor) -> torch.Tensor:
        """Store log-probabilities; returns them as `read` will return them."""
        page = answers.float().cpu().numpy().astype(np.float16)
        self.pages[step, part] = page
        return torch.from_numpy(page.astype(np.float32)).to(answers.device)


def _open_interpreter(content: bytes) -> Any:  # noqa: ANN401  # LiteRT has no types
    try:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415  # optional
    except ImportError as error:
        raise TrainingError("a .tflite teacher needs ai-edge-litert, which is not installed: use pip") from error
    try:
        # Required for reading the last layer's output.
        interpreter = Interpreter(model_content=content, num_threads=1, experimental_preserve_all_tensors=True)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise TrainingError(f"the .tflite teacher cannot be read: {error}") from error
    return interpreter
