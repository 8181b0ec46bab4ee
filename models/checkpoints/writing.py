"""Our own files: safetensors with metadata that says which network it is, written whole or not at all."""

import hashlib
import json
import struct
from pathlib import Path

from safetensors.torch import save_file

from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.examination import Checkpoint
from models.checkpoints.metadata import OwnMetadata, format_metadata
from models.checkpoints.safetensors_files import LENGTH_BYTES
from models.whole_files import draft_beside

SUFFIX = ".safetensors"


def write_checkpoint(checkpoint: Checkpoint, output: Path) -> str:
    """Write weights as a file of ours.

    Args:
        checkpoint: the weights.
        output: where to; a file that is there already is replaced, unless the weights are from it.

    Returns:
        The file's sha256.

    Raises:
        CheckpointError: for a name that does not end in .safetensors, for the file that the weights are from, and
            where it cannot be written.
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
    )
    try:
        with draft_beside(output) as draft:
            save_file(checkpoint.tensors, draft, metadata=format_metadata(metadata))
            order_header(draft)
            # safetensors lets nobody but the owner read what it writes; the umask is to decide that.
            probe = draft.with_name("probe")
            probe.touch()
            draft.chmod(probe.stat().st_mode)
            with draft.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"{output} cannot be written: {error.strerror}; choose another place") from error
    return digest


def order_header(path: Path) -> None:
    """Put a file's metadata into one order; safetensors writes it in any, and every writing had its own checksum."""
    with path.open("r+b") as file:
        (header_bytes,) = struct.unpack("<Q", file.read(LENGTH_BYTES))
        header = json.loads(file.read(header_bytes))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(text) <= header_bytes:  # behind the header the values begin
            file.seek(LENGTH_BYTES)
            file.write(text.ljust(header_bytes))


def check_output(source: Path, output: Path) -> None:
    """Refuse an output that is no safetensors file by its name, or that is the source itself.

    Raises:
        CheckpointError: for both.
    """
    if output.suffix != SUFFIX:
        raise CheckpointError(f"{output}: weights are written as {SUFFIX}; choose such a name")
    if output.exists() and source.exists() and output.samefile(source):
        raise CheckpointError(f"{output} is the file that the weights are from; choose another name")
