"""Options and results of a checkpoint's examination. Nothing here imports torch."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from models.calibration import NOT_CALIBRATED, NetworkCalibration
from models.errors import LineupError
from models.names import Attention, StridePlacement

MAX_BYTES = 4_000_000_000
"""With the optimiser's state, VGG-16 takes 1.7 GB and ResNet-101 with CBAM 0.6 GB."""


class CheckpointError(LineupError):
    """A file does not hold weights of a known network; the message names the file, the fault and the remedy."""


class Layout(StrEnum):
    """The project whose tensor names a file uses."""

    OWN = "own"
    """Our own: the authors' names, and metadata that names the network."""
    AUTHORS = "authors"
    PYTORCHCV = "pytorchcv"
    TIMM = "timm"
    LUUUYI = "luuuyi"
    ELBUCO1 = "elbuco1"
    EFFICIENTNET = "efficientnet"
    """lukemelas/EfficientNet-PyTorch, no attention."""
    TRANSFORMERS = "transformers"
    """Hugging Face's `ResNetForImageClassification`, no attention."""
    PLAIN = "plain"
    """No attention, torchvision's names."""


class Container(StrEnum):
    """The file format of the tensors."""

    SAFETENSORS = "safetensors"
    TORCH_ZIP = "torch zip"
    """`torch.save` since torch 1.6."""
    TORCH_LEGACY = "torch legacy"
    """`torch.save` before torch 1.6: several pickles in a row, then the values."""


class GateState(StrEnum):
    """The state of the gates, which says whether their maps have a meaning."""

    TRAINED = "trained"
    UNTRAINED = "untrained"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ExaminationOptions:
    """Facts that the file does not state, and requirements for it.

    Attributes:
        max_bytes: the largest size of the file, and of all its tensors together.
        use_ema: take the averaged weights (EMA) if the file has both these and plain ones.
        class_count: the number of classes that the file must have; None for any.
        architecture: the only name of `models.networks.zoo.ARCHITECTURES` to try, or `torchvision:` and torchvision's
            name; None to try the whole zoo.
        attention: the attention, if several have the same tensors; None for the usual one.
        stride_placement: the convolution of a bottleneck that has the stride; None for what the layout tells,
            most often v1.5.
    """

    max_bytes: int = MAX_BYTES
    use_ema: bool = False
    class_count: int | None = None
    architecture: str | None = None
    attention: Attention | None = None
    stride_placement: StridePlacement | None = None


DEFAULT_OPTIONS = ExaminationOptions()


class Diagnosis(BaseModel):
    """The diagnosis of a file of weights, and the changes that fit it to our network.

    Attributes:
        path: the file.
        sha256: its checksum.
        container: the file format.
        layout: the project whose tensor names it uses.
        architecture: a key of `models.networks.zoo.ARCHITECTURES`.
        attention: the attention at the end of each block.
        class_count: the number of classes, which is the number of rows of the last layer.
        stride_placement: the convolution of a bottleneck that has the stride; assumed unless the file or an option
            says it.
        unwrapped: keys and prefixes that were removed, outermost first.
        renamed: the file's names, without prefixes, each with our name.
        swapped: our names of the kernels whose two input planes were swapped.
        reshaped: our names of the 1x1 convolutions that became linear layers.
        added: our names of tensors that the file lacks and that do not change the network's function.
        dropped: names of the file's other content, which is not loaded.
        is_trained: False if every BatchNorm is in its initial state, or if the file says so.
        gates: the state of the gates.
        spatial_scale: the smallest and largest scale (gamma) of the spatial gates' BatchNorms; None without such gates.
        recipe: the training recipe, if a file of ours names it.
        calibration: the calibration that a file of ours carries.
        warnings: warnings for the user, in sentences.
        output: the file that was written from it, if any.
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
    calibration: NetworkCalibration = NOT_CALIBRATED
    warnings: tuple[str, ...] = ()
    output: Path | None = None
    output_sha256: str | None = None
