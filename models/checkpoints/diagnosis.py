"""Options and results of a checkpoint's examination. Nothing here imports torch."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from models.errors import LineupError
from models.names import Attention, StridePlacement

MAX_BYTES = 4_000_000_000
"""VGG-16 with its optimiser's state is 1.7 GB, ResNet-101 with CBAM and its own 0.6 GB."""


class CheckpointError(LineupError):
    """A file is not weights of a network known here; the message says which file, what is wrong and what to do."""


def make_printable(text: str) -> str:
    """A text from a file as one line that does nothing to a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Layout(StrEnum):
    """Whose names the tensors carry."""

    OWN = "own"
    """Written here: the authors' names and metadata that say which network it is."""
    AUTHORS = "authors"
    PYTORCHCV = "pytorchcv"
    TIMM = "timm"
    LUUUYI = "luuuyi"
    ELBUCO1 = "elbuco1"
    EFFICIENTNET = "efficientnet"
    """lukemelas/EfficientNet-PyTorch, no attention."""
    PLAIN = "plain"
    """No attention, torchvision's names."""


class Container(StrEnum):
    """How the tensors lie in the file."""

    SAFETENSORS = "safetensors"
    TORCH_ZIP = "torch zip"
    """`torch.save` since torch 1.6."""
    TORCH_LEGACY = "torch legacy"
    """`torch.save` before: several pickles in a row, then the values."""


class GateState(StrEnum):
    """Whether the attention maps can mean something."""

    TRAINED = "trained"
    UNTRAINED = "untrained"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ExaminationOptions:
    """Facts that a file cannot state, and expectations of it.

    Attributes:
        max_bytes: largest size of the file, and of all tensors that it describes.
        use_ema: take the averaged weights (EMA) where the file has them beside the plain ones.
        class_count: the number of classes that the file must have; None for any.
        architecture: the one name of `models.networks.zoo.ARCHITECTURES` to try, or torchvision's behind
            `torchvision:`; None for all of the zoo.
        attention: which of the attentions that have the same tensors this one is; None for the usual one.
        stride_placement: where a bottleneck's stride lies; None for v1.5, which all known layouts use.
    """

    max_bytes: int = MAX_BYTES
    use_ema: bool = False
    class_count: int | None = None
    architecture: str | None = None
    attention: Attention | None = None
    stride_placement: StridePlacement | None = None


DEFAULT_OPTIONS = ExaminationOptions()


class Diagnosis(BaseModel):
    """The diagnosis of a file of weights, and the steps that make it ours.

    Attributes:
        path: the file.
        sha256: its checksum.
        container: how the tensors lie in it.
        layout: whose names they carry.
        architecture: a key of `models.networks.zoo.ARCHITECTURES`.
        attention: what stands at the end of each block.
        class_count: rows of the last layer.
        stride_placement: where a bottleneck's stride lies; assumed unless the file or an option says it.
        unwrapped: keys and prefixes that were taken off, from the outside in.
        renamed: the file's name, without its prefixes, and ours.
        swapped: our names of the kernels whose two input planes changed places.
        reshaped: our names of the 1x1 convolutions that became linear layers.
        added: our names of what the file does not have and what does not change the network's function.
        dropped: what lies beside the weights and stays behind.
        is_trained: False where every BatchNorm is as it was made or the file says so.
        gates: whether the attention is trained.
        spatial_scale: least and greatest scale (gamma) of the spatial gates' BatchNorms; None without such gates.
        recipe: how it was trained, where our own file says so.
        warnings: what to know before the file is used, in sentences.
        output: the file that was written from it, if one was.
        output_sha256: that file's checksum.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    sha256: str
    container: Container
    layout: Layout
    architecture: str
    attention: Attention
    class_count: int
    stride_placement: StridePlacement
    unwrapped: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    swapped: tuple[str, ...] = ()
    reshaped: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    is_trained: bool
    gates: GateState
    spatial_scale: tuple[float, float] | None = None
    recipe: str | None = None
    warnings: tuple[str, ...] = ()
    output: Path | None = None
    output_sha256: str | None = None
