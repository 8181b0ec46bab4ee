"""The examination of a file: its diagnosis, and tensors that our network loads strictly."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from models.calibration import NOT_CALIBRATED
from models.checkpoints.architectures import COUNTER, build_shapes
from models.checkpoints.checking import find_problems, read_shapes
from models.checkpoints.diagnosis import (
    DEFAULT_OPTIONS,
    CheckpointError,
    Diagnosis,
    ExaminationOptions,
    GateState,
    Layout,
)
from models.checkpoints.files import read_file
from models.checkpoints.gates import has_learnt, judge_gates, measure_scales
from models.checkpoints.hints import read_hints
from models.checkpoints.identity import NetworkIdentity, identify
from models.checkpoints.layouts import RULES, recognise_layout
from models.checkpoints.metadata import OwnMetadata, parse_metadata
from models.checkpoints.translation import Translation, translate
from models.checkpoints.wrapping import unwrap
from models.errors import make_printable

MAX_REASON_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file's weights in our names.

    Attributes:
        diagnosis: the network, and the changes that were made.
        tensors: in the file's own dtypes, on the CPU, in their own memory; a network loads them strictly.
    """

    diagnosis: Diagnosis
    tensors: dict[str, torch.Tensor]


def examine(path: Path, options: ExaminationOptions = DEFAULT_OPTIONS) -> Checkpoint:
    """Read a file of weights and find their network.

    Args:
        path: a file of `torch.save` or safetensors.
        options: facts that the file does not state, and requirements for it.

    Raises:
        CheckpointError: the file cannot be read, or is not for a known network; the message is one line that names it.
    """
    try:
        return examine_content(path, options)
    except CheckpointError as error:
        # Names and texts come from the file and may be long.
        reason = make_printable(str(error)[:MAX_REASON_LENGTH])
        raise CheckpointError(f"{path}: {reason}") from error


def examine_content(path: Path, options: ExaminationOptions) -> Checkpoint:
    """Examine a file; the errors do not name it yet."""
    content = read_file(path, max_bytes=options.max_bytes)
    stated = parse_metadata(content.metadata)
    unwrapped = unwrap(content.root, use_ema=options.use_ema)
    layout = Layout.OWN if stated is not None else recognise_layout(unwrapped.tensors)
    translation = translate(unwrapped.tensors, RULES[layout])
    shapes = read_shapes(translation.tensors)
    hints = read_hints(layout, unwrapped.tensors, path.name)
    identity = identify(shapes, origins=translation.origins, stated=stated, options=options, hints=hints)
    complete(translation, identity)
    is_trained = judge_training(translation, stated)
    gates = judge_gates(translation.tensors, is_trained=is_trained, attention=identity.attention)
    diagnosis = Diagnosis(
        path=path,
        sha256=content.sha256,
        container=content.container,
        layout=layout,
        architecture=identity.architecture,
        attention=identity.attention,
        class_count=identity.class_count,
        stride_placement=identity.stride_placement,
        unwrapped=unwrapped.keys,
        renamed=tuple((old, new) for new, old in translation.origins.items()),
        swapped=tuple(translation.swapped),
        reshaped=tuple(translation.reshaped),
        added=tuple(translation.added),
        dropped=unwrapped.dropped,
        is_trained=is_trained,
        gates=gates,
        spatial_scale=measure_scales(translation.tensors),
        recipe=None if stated is None else stated.recipe,
        calibration=NOT_CALIBRATED if stated is None else stated.network_calibration,
        warnings=(
            *unwrapped.warnings,
            *identity.warnings,
            *warn_of_state(gates, is_trained=is_trained),
        ),
    )
    # Copies: mapped tensors would change with the file.
    copies = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in translation.tensors.items()}
    return Checkpoint(diagnosis=diagnosis, tensors=copies)


def complete(translation: Translation, identity: NetworkIdentity) -> None:
    """Add the counters that old files lack, then compare all tensors with the network; raises `CheckpointError`."""
    expected = build_shapes(identity.architecture, identity.attention, identity.class_count)
    for name in expected:
        if name.endswith(COUNTER):
            translation.add(name, torch.tensor(0))
    if problems := find_problems(expected, translation.tensors, origins=translation.origins):
        raise CheckpointError(f"it does not fit {identity.architecture}: {problems}")


def judge_training(translation: Translation, stated: OwnMetadata | None) -> bool:
    """Whether the network is trained, by its metadata and its BatchNorms.

    Raises:
        CheckpointError: the metadata says trained, but no BatchNorm has seen a batch.
    """
    is_learnt = has_learnt(translation.tensors)
    if stated is not None and stated.trained and not is_learnt:
        raise CheckpointError("its metadata says trained, but no BatchNorm has seen a batch; convert its source again")
    return is_learnt and (stated is None or stated.trained is not False)


def warn_of_state(gates: GateState, *, is_trained: bool) -> Iterable[str]:
    """A warning if the network or its gates are not trained."""
    if not is_trained:
        yield "The network is not trained: its answers and maps mean nothing."
    elif gates is GateState.UNTRAINED:
        yield "The gates are not trained: they are the same everywhere, and their maps mean nothing."
