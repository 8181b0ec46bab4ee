"""Safetensors files: the header's length, a JSON header, then the values."""

import json
import struct
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from models.checkpoints.diagnosis import CheckpointError

LENGTH_BYTES = 8

MAX_HEADER_BYTES = 8 * 1024**2
"""The header of ResNet-101 with CBAM has 0.1 MB."""


def read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read the tensors, mapped from the file, and the metadata.

    The library checks that shapes, types and offsets agree, fill the file and do not overlap. It does not check that
    each name is in the header only once, so this is checked here.

    Raises:
        CheckpointError: the header is not valid.
    """
    check_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, TypeError) as error:
        # Torch appends a stack trace, line by line, to its own errors.
        reason = str(error).partition("\n")[0]
        raise CheckpointError(f"a damaged safetensors file: {reason}; get it again") from error


def check_header(path: Path) -> None:
    """Refuse a header that reaches beyond the file, is too large, is not JSON or names a tensor twice."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(LENGTH_BYTES)
        (header_bytes,) = struct.unpack("<Q", start.ljust(LENGTH_BYTES, b"\0"))
        if header_bytes > min(size - LENGTH_BYTES, MAX_HEADER_BYTES):
            raise CheckpointError(
                f"a damaged safetensors file: it claims a header of {header_bytes:,} bytes in a file of {size:,}; "
                f"the limit is {MAX_HEADER_BYTES:,}"
            )
        try:
            json.loads(file.read(header_bytes), object_pairs_hook=refuse_twins)
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f"a damaged safetensors file: {error}; get it again") from error


def refuse_twins(members: list[tuple[str, object]]) -> dict[str, object]:
    """Make a dict of a JSON object; raises `ValueError` for a name that is in it twice."""
    seen: set[str] = set()
    for name, _ in members:
        if name in seen:
            raise ValueError(f"its header names {name} twice")
        seen.add(name)
    return dict(members)
