"""Networks to learn from: each says what it makes of the very batch that the learner sees."""

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
"""What the sides of an enlarged batch are multiples of."""

THREADS = 2


class Teacher(Protocol):
    """Something to learn from.

    Attributes:
        provenance: where its weights are from.
        digest: its file's sha256, where it has one.
    """

    @property
    def provenance(self) -> str: ...

    @property
    def digest(self) -> str | None: ...

    def judge(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits, or logarithms of probabilities, (N, K), of a normalised batch, (N, 3, H, W)."""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkTeacher:
    """A network of the same classes.

    Attributes:
        network: on the device of the training, in evaluation mode.
        side: the shorter side in pixels to which smaller batches are enlarged for it; None for none.
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
    """An int8 network of TensorFlow Lite, read by LiteRT; it has one size, to which a batch is stretched.

    Its last layer's output is read before the softmax, which in 8 bits knows nothing under half a percent.

    Attributes:
        interpreters: one a thread.
        logits: the index of the last layer's output.
    """

    interpreters: Sequence[Any]
    logits: int
    provenance: str
    digest: str
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS))

    @classmethod
    def read(cls, path: Path, *, class_count: int) -> "TfliteTeacher":
        """The network in a file; raises `TrainingError` for one of other classes, and without LiteRT."""
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
        members: at least one.
    """

    members: Sequence[Teacher]

    @property
    def provenance(self) -> str:
        """Where all weights are from."""
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
    """A batch, (N, 3, H, W), with a shorter side of at least `side` pixels, aspect kept but for a grid of 32."""
    height, width = pictures.shape[2:]
    if side is None or min(height, width) >= side:
        return pictures
    ratio = side / min(height, width)
    size = tuple(max(side, round(length * ratio / GRID) * GRID) for length in (height, width))
    larger = functional.interpolate(pictures, size, mode="bilinear", align_corners=False)
    return larger.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True, slots=True, eq=False)
class AnswerBook:
    """A teacher's answers to every step, kept on the disk for the other networks that learn by the same recipe.

    Attributes:
        pages: (S, N, K) float16, mapped from a file; a step of zeros alone has not been answered yet.
    """

    pages: NDArray[np.float16]

    @classmethod
    def open(cls, path: Path, *, steps: int, batch_size: int, class_count: int) -> "AnswerBook":
        """The book in a file, which is made where it is not there; raises `TrainingError`."""
        shape = (steps, batch_size, class_count)
        try:
            if not path.exists():
                draft = path.with_name(f".{path.name}.draft")
                np.lib.format.open_memmap(draft, mode="w+", dtype=np.float16, shape=shape)
                draft.replace(path)
            pages = np.load(path, mmap_mode="r+")
        except (OSError, ValueError) as error:
            raise TrainingError(f"{path} cannot be used: {error}; delete it, it will be made again") from error
        if pages.shape != shape or pages.dtype != np.float16:
            raise TrainingError(f"{path} has the answers to another training; delete it, it will be made again")
        return cls(pages)

    def read(self, step: int, part: slice) -> torch.Tensor | None:
        """The logarithms of probabilities, (N, K), of a part of a step's batch; None where they are not known yet."""
        page = self.pages[step, part]
        return torch.from_numpy(page.astype(np.float32)) if page.any() else None

    def write(self, step: int, part: slice, answers: torch.Tensor) -> torch.Tensor:
        """Keep the logarithms of probabilities; returns them as they will be read again."""
        page = answers.float().cpu().numpy().astype(np.float16)
        self.pages[step, part] = page
        return torch.from_numpy(page.astype(np.float32)).to(answers.device)


def _open_interpreter(content: bytes) -> Any:  # noqa: ANN401  # LiteRT has no types
    try:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415  # optional
    except ImportError as error:
        raise TrainingError("a .tflite teacher needs ai-edge-litert, which is not here: install it with pip") from error
    try:
        # Only so can the last layer's output be read.
        interpreter = Interpreter(model_content=content, num_threads=1, experimental_preserve_all_tensors=True)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise TrainingError(f"the .tflite teacher cannot be read: {error}") from error
    return interpreter
