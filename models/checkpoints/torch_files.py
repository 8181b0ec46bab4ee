"""Files of `torch.save`, in both of its formats, read without running anything or trusting a number in them.

Every pickle's names are checked, then the pickle is played on descriptions and its claims are held against the file;
only then `torch.load(weights_only=True)` reads it.
"""

import io
import struct
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from models.checkpoints.claims import Claims, StorageClaim
from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.pickles import MAX_PICKLE_BYTES, NUMPY_SCALARS, list_globals, refuse_globals
from models.checkpoints.rehearsal import Rehearsal
from models.checkpoints.zip_directory import read_entries

LEGACY_START = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""The first pickle of the format before torch 1.6: a magic number."""

LEGACY_PICKLES = 5
"""The magic number, the format's version, the machine's sizes, the object, the keys of its storages."""

LEGACY_SIZE_BYTES = 8
"""In front of each storage's values their number."""

NUMBER_TYPES = tuple(np.dtype(code) for code in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"))


def read_zip(path: Path, *, max_bytes: int) -> object:
    """What `torch.save` wrote, its tensors mapped from the file.

    Raises:
        CheckpointError: for a file that is damaged, wants code or claims more than it holds.
    """
    with path.open("rb") as file:
        entries = read_entries(file)
        # Every entry lies in one folder, named after the file as it was written; torch goes by the first.
        folder = next(iter(entries), "").partition("/")[0] + "/"
        if f"{folder}data.pkl" not in entries or not all(name.startswith(folder) for name in entries):
            raise CheckpointError("a zip file that torch.save did not write; unpack it first")
        if f"{folder}constants.pkl" in entries:
            raise CheckpointError("a TorchScript archive, which holds code; save the module's state_dict() instead")
        content = read_pickle(file, entries[f"{folder}data.pkl"])
    refuse_globals(list_globals(content))
    content.seek(0)
    machine = Rehearsal()
    machine.play(content)
    check_total(machine.claims, max_bytes=max_bytes)
    sizes = {name: entry.file_size for name, entry in entries.items()}
    for key, storage in machine.claims.storages.items():
        check_storage(storage, sizes.get(f"{folder}data/{key}", 0))
    if path.suffix == ".safetensors":  # torch.load goes by this name, not by the content
        raise CheckpointError("a file of torch.save under the name of another kind; rename it to .pth")
    return load(path, is_mapped=True)


def read_pickle(file: IO[bytes], entry: zipfile.ZipInfo) -> io.BytesIO:
    """A zip file's pickle, checked against its checksum."""
    if entry.file_size > MAX_PICKLE_BYTES:
        raise CheckpointError(f"its pickle has {entry.file_size:,} bytes; the limit is {MAX_PICKLE_BYTES:,}")
    try:
        with zipfile.ZipFile(file) as archive:
            return io.BytesIO(archive.read(entry))
    except (zipfile.BadZipFile, EOFError, ValueError, struct.error) as error:
        raise CheckpointError(f"a damaged zip file ({error}); get it again") from error


def read_legacy(path: Path, *, max_bytes: int) -> object:
    """The same of the format before torch 1.6; its tensors are read into memory.

    Raises:
        CheckpointError: as `read_zip`.
    """
    with path.open("rb") as file:
        content = io.BytesIO(file.read(MAX_PICKLE_BYTES))
        refuse_globals([name for _ in range(LEGACY_PICKLES) for name in list_globals(content)])
        content.seek(0)
        machine = Rehearsal()
        *_, keys = (machine.play(content) for _ in range(LEGACY_PICKLES))
        check_total(machine.claims, max_bytes=max_bytes)
        claims = machine.claims.storages
        if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(claims):
            raise CheckpointError("it lists other storages than its tensors lie in; get it again")
        check_legacy_storages(file, content.tell(), [claims[key] for key in keys])
    return load(path, is_mapped=False)


def check_legacy_storages(file: IO[bytes], position: int, claims: Sequence[StorageClaim]) -> None:
    """Hold the claims against what lies behind the pickles: each storage's size, then its values."""
    for claim in claims:
        file.seek(position)
        header = file.read(LEGACY_SIZE_BYTES)
        if len(header) == LEGACY_SIZE_BYTES:
            check_storage(claim, struct.unpack("<q", header)[0] * claim.element_bytes)
        position += LEGACY_SIZE_BYTES + claim.size_bytes
    size = file.seek(0, 2)
    if position > size:
        raise CheckpointError(f"truncated: {size:,} bytes of {position:,}; get it again")


def check_storage(claim: StorageClaim, size_bytes: int) -> None:
    """Refuse a storage that is larger or smaller in the file than the pickle says."""
    if size_bytes != claim.size_bytes:
        raise CheckpointError(
            f"its storage {claim.key} has {size_bytes:,} bytes, the pickle says {claim.size_bytes:,}; get it again"
        )


def check_total(claims: Claims, *, max_bytes: int) -> None:
    """Refuse tensors that are together larger than the limit: a few bytes can be expanded to any size."""
    if claims.tensor_bytes > max_bytes:
        raise CheckpointError(
            f"it describes tensors of {claims.tensor_bytes:,} bytes; the limit is {max_bytes:,}; "
            "save what is needed of them, or raise the limit"
        )


def load(path: Path, *, is_mapped: bool) -> object:
    """What `torch.load` makes of a checked file, on the CPU."""
    # numpy's function that rebuilds a number has no public name.
    scalar = np.float64(0).__reduce__()[0]
    harmless: list[Any] = [*((scalar, name) for name in NUMPY_SCALARS), np.dtype, *map(type, NUMBER_TYPES)]
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(harmless):
            warnings.simplefilter("ignore")
            if is_mapped:
                return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            with path.open("rb") as file:
                return torch.load(file, map_location="cpu", weights_only=True, mmap=False)
    except Exception as error:  # what torch raises for a damaged file is not documented
        reason = next(iter(str(error).splitlines()), type(error).__name__)  # the rest advises to read it unsafely
        raise CheckpointError(f"torch cannot read it: {reason}") from error
