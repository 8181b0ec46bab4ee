"""Writing our own files: safetensors with metadata that names the network, written completely or not at all."""

import hashlib
import json
import shutil
import struct
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from models.calibration import NetworkCalibration
from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.examination import Checkpoint
from models.checkpoints.metadata import OwnMetadata, format_metadata, format_values, parse_metadata
from models.checkpoints.safetensors_files import LENGTH_BYTES, check_header
from models.whole_files import draft_beside

SUFFIX = ".safetensors"


def write_checkpoint(checkpoint: Checkpoint, output: Path) -> str:
    """Write weights in our own layout.

    Args:
        checkpoint: the weights.
        output: the new file; an existing one is replaced, unless it is the source of the weights.

    Returns:
        The file's sha256.

    Raises:
        CheckpointError: the name does not end in .safetensors, the output is the source of the weights, or the file
            cannot be written.
    """
    diagnosis = checkpoint.diagnosis
    check_output(diagnosis.path, output)
    metadata = OwnMetadata(
        architecture=diagnosis.architecture,
        attention=diagnosis.attention,
        class_count=diagnosis.class_count,
        stride_placement=diagnosis.stride_placement,
        trained=diagnosis.is_trained,
        recipe=diagnosis.recipe,
        source=f"layout {diagnosis.layout}, file {diagnosis.path.name}",
        **dict(diagnosis.calibration),
    )
    try:
        with draft_beside(output) as draft:
            save_file(checkpoint.tensors, draft, metadata=format_metadata(metadata))
            order_header(draft)
            # safetensors makes its files readable by the owner alone; the umask should decide that.
            probe = draft.with_name("probe")
            probe.touch()
            draft.chmod(probe.stat().st_mode)
            digest = hash_file(draft)
    except OSError as error:
        raise CheckpointError(f"{output} cannot be written: {error.strerror}; choose another place") from error
    return digest


def write_calibration(path: Path, calibration: NetworkCalibration) -> str:
    """Replace the calibration in the metadata of a file of ours; every tensor keeps its bytes.

    Args:
        path: the file; it is written anew and replaced in one step.
        calibration: the new calibration. What it lacks is removed from the file.

    Returns:
        The new file's sha256.

    Raises:
        CheckpointError: the file is not of ours, or cannot be written.
    """
    header, header_bytes = read_own_header(path)
    try:
        with path.open("rb") as source, draft_beside(path) as draft:
            metadata: dict[str, str] = header["__metadata__"]
            kept = {name: text for name, text in metadata.items() if name not in NetworkCalibration.model_fields}
            header["__metadata__"] = dict(sorted((kept | format_values(calibration)).items()))
            text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
            source.seek(LENGTH_BYTES + header_bytes)
            text += b" " * (-len(text) % LENGTH_BYTES)  # the values begin at a multiple of 8 bytes
            with draft.open("wb") as target:
                target.write(struct.pack("<Q", len(text)) + text)
                shutil.copyfileobj(source, target)
            draft.chmod(path.stat().st_mode)
            digest = hash_file(draft)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be written: {error.strerror}; check its folder's rights") from error
    return digest


def check_own_file(path: Path) -> None:
    """Refuse a file that cannot carry a calibration.

    Raises:
        CheckpointError: the file is not of ours.
    """
    read_own_header(path)


def read_own_header(path: Path) -> tuple[dict[str, Any], int]:
    """Read the header of a file of ours, and the number of its bytes; raises `CheckpointError`."""
    if path.suffix != SUFFIX:
        raise CheckpointError(f"{path} has no place for a calibration; convert it with cbam-lens convert first")
    try:
        check_header(path)
        with path.open("rb") as source:
            (header_bytes,) = struct.unpack("<Q", source.read(LENGTH_BYTES))
            header: dict[str, Any] = json.loads(source.read(header_bytes))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}; check the path") from error
    metadata = header.get("__metadata__", {})
    # A wrong calibration is replaced, so it is not read.
    if parse_metadata({name: metadata[name] for name in metadata.keys() - NetworkCalibration.model_fields}) is None:
        raise CheckpointError(f"{path} is not a file of ours; convert it with cbam-lens convert first")
    return header, header_bytes


def hash_file(path: Path) -> str:
    """A file's sha256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def order_header(path: Path) -> None:
    """Sort a file's metadata: safetensors writes it in any order, which would change the checksum each time."""
    with path.open("r+b") as file:
        (header_bytes,) = struct.unpack("<Q", file.read(LENGTH_BYTES))
        header = json.loads(file.read(header_bytes))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(text) <= header_bytes:  # the values begin after the header
            file.seek(LENGTH_BYTES)
            file.write(text.ljust(header_bytes))


def check_output(source: Path, output: Path) -> None:
    """Refuse an output that is the source itself, or whose name does not end in .safetensors.

    Raises:
        CheckpointError: in both cases.
    """
    if output.suffix != SUFFIX:
        raise CheckpointError(f"{output} does not end in {SUFFIX}; choose a name that does")
    if output.exists() and source.exists() and output.samefile(source):
        raise CheckpointError(f"{output} is the source of the weights; choose another name")
