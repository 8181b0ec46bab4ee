"""Writing a training's weights to a file that names its network and its recipe."""

from dataclasses import dataclass
from pathlib import Path

import torch

from models.checkpoints.diagnosis import Container, Diagnosis, Layout
from models.checkpoints.examination import Checkpoint
from models.checkpoints.gates import judge_gates
from models.checkpoints.writing import SUFFIX, hash_file, write_checkpoint
from models.names import Precision, StridePlacement
from models.networks.staged import StagedNetwork
from models.training.learning.trainee import TraineeShape

STORED_DTYPES = {Precision.FP32: torch.float32, Precision.FP16: torch.float16}


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A written file of weights.

    Attributes:
        path: the file.
        sha256: its checksum.
    """

    path: Path
    sha256: str


def write_weights(
    network: StagedNetwork, shape: TraineeShape, *, state: Path, recipe: str, precision: Precision
) -> WeightsFile:
    """Write a trained network beside its training's state.

    Args:
        network: the network.
        shape: its shape.
        state: the file with its training's last state.
        recipe: the recipe's name, equal for all networks of a lineup.
        precision: the precision of convolutions and linear layers; the rest stays float32, because rounding it would
            cost accuracy and save little.

    Raises:
        CheckpointError: the file cannot be written.
    """
    tensors = {
        name: convert(tensor, STORED_DTYPES[precision]).cpu().contiguous().clone()
        for name, tensor in network.state_dict().items()
    }
    diagnosis = Diagnosis(
        path=state,
        sha256=hash_file(state),
        container=Container.TORCH_ZIP,
        layout=Layout.OWN,
        architecture=shape.architecture,
        attention=shape.attention,
        class_count=shape.class_count,
        stride_placement=StridePlacement.V1_5,
        is_trained=True,
        gates=judge_gates(tensors, is_trained=True, attention=shape.attention),
        recipe=recipe,
    )
    path = state.with_name(f"{shape.stem}{SUFFIX}")
    return WeightsFile(path, write_checkpoint(Checkpoint(diagnosis, tensors), path))


def convert(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Convert a kernel or a matrix to the stored type; other tensors are not changed."""
    return tensor.to(dtype) if tensor.ndim > 1 and tensor.is_floating_point() else tensor
