"""Files of `torch.save`, in both formats, read without running anything and without trusting a number in them.

`torch.load(weights_only=True)` is not used. With some small files it runs out of memory, crashes or never returns. A
check before it would not help: its own zip reader takes `DATA.PKL` for `data.pkl`, so it may read an entry that was not
checked.
"""

import io
import mmap
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np
import torch

from models.checkpoints.calls import Account, Passed
from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.pickles import MAX_PICKLE_BYTES, FindStorage, Machine, find_nothing
from models.checkpoints.zip_directory import locate_content, read_content, read_entries

LEGACY_START = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""The first pickle of the format before torch 1.6: a magic number."""

LEGACY_PICKLES = 5
"""The magic number, the format's version, the machine's sizes, the object, the keys of its storages."""

MAX_MODULES = 32
"""The depth of a TorchScript archive's modules."""

MAX_PATH_LENGTH = 1000
"""Of a tensor's name with those of all modules around it: a long one would be written again for each tensor in it."""

OTHER_ARCHIVE = "a zip file that torch.save did not write; unpack it first"

NUMPY_ARCHIVE = (
    "NumPy's arrays (.npz); write its weights anew: python -c \"import numpy, torch; "
    "torch.save({name: torch.as_tensor(value) for name, value in numpy.load('OLD').items()}, 'NEW.pth')\""
)

LEGACY_SIZE_BYTES = 8
"""The number of values, which precedes each storage's values."""


def read_zip(path: Path, *, max_bytes: int) -> object:
    """Read the value that `torch.save` wrote; its tensors are mapped from the file.

    Raises:
        CheckpointError: the file is damaged, needs code or claims more content than it has.
    """
    with path.open("rb") as file:
        entries = read_entries(file)
        # All entries are in one folder, which has the name of the original file.
        folder = next(iter(entries), "").partition("/")[0] + "/"
        if f"{folder}data.pkl" not in entries or not all(name.startswith(folder) for name in entries):
            is_numpy = bool(entries) and all(name.endswith(".npy") for name in entries)
            raise CheckpointError(NUMPY_ARCHIVE if is_numpy else OTHER_ARCHIVE)
        content = io.BytesIO(read_content(file, entries[f"{folder}data.pkl"], max_bytes=MAX_PICKLE_BYTES))
        order = entries.get(f"{folder}byteorder")
        is_big = order is not None and read_content(file, order, max_bytes=MAX_PICKLE_BYTES) == b"big"
        machine = Machine(map_storages(file, folder, entries, is_big=is_big))
        value = machine.play(content)
    if f"{folder}constants.pkl" in entries:
        value = list_script_tensors(value)
    machine.refuse_strange(value)
    check_total(machine.account, max_bytes=max_bytes)
    return value


def list_script_tensors(module: object) -> dict[str, torch.Tensor]:
    """List the tensors of a TorchScript archive's modules by their names; its code is not read.

    Raises:
        CheckpointError: for an archive without modules, and for modules inside each other too deeply.
    """
    tensors: dict[str, torch.Tensor] = {}
    waiting: list[tuple[str, object]] = [("", module)]
    # Modules that contain each other would lead in circles.
    seen: set[int] = set()
    while waiting:
        prefix, inner = waiting.pop()
        if id(inner) in seen:
            continue
        seen.add(id(inner))
        if not isinstance(inner, Passed) or not isinstance(inner.state, dict) or prefix.count(".") > MAX_MODULES:
            raise CheckpointError("a TorchScript archive without a module; save the module's state_dict() instead")
        for name, value in inner.state.items():
            if len(prefix) + len(str(name)) > MAX_PATH_LENGTH:
                raise CheckpointError("a TorchScript archive with names that no network has; save its state_dict()")
            if isinstance(value, torch.Tensor):
                tensors[f"{prefix}{name}"] = value
            elif isinstance(value, Passed) and isinstance(value.state, dict):
                waiting.append((f"{prefix}{name}.", value))
    return tensors


def map_storages(file: IO[bytes], folder: str, entries: Mapping[str, zipfile.ZipInfo], *, is_big: bool) -> FindStorage:
    """Make a function that finds a storage in a zip file; it reads values only to swap their byte order."""
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)  # private, and writable because torch requires it

    def find(key: str, dtype: torch.dtype, count: int) -> torch.Tensor:
        entry = entries.get(f"{folder}data/{key}")
        check_size(key, entry.file_size if entry else 0, count * dtype.itemsize)
        if entry is None or not count:
            return torch.empty(0, dtype=dtype)
        position = locate_content(mapped, entry)
        if not is_big:
            return torch.frombuffer(mapped, dtype=dtype, count=count, offset=position)
        integers = np.frombuffer(mapped, f">i{dtype.itemsize}", count, position)
        return torch.from_numpy(integers.astype(f"<i{dtype.itemsize}")).view(dtype)

    return find


def read_legacy(path: Path, *, max_bytes: int) -> object:
    """Read a file in the format before torch 1.6; its tensors are read into memory.

    The pickles are played twice, first with tensors without values, because the values come after the pickles.

    Raises:
        CheckpointError: as for `read_zip`.
    """
    with path.open("rb") as file:
        content = io.BytesIO(file.read(MAX_PICKLE_BYTES))
        machine = Machine(find_nothing)
        *_, value, keys = (machine.play(content) for _ in range(LEGACY_PICKLES))
        machine.refuse_strange(value)
        check_total(machine.account, max_bytes=max_bytes)
        # Other values than texts could be of any depth and size.
        texts = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []
        if not isinstance(keys, list) or len(texts) < len(keys) or sorted(texts) != sorted(machine.storages):
            raise CheckpointError("its list of storages does not match its tensors; get it again")
        wanted = {str(key): machine.storages[key].values for key in keys}
        values = read_storages(file, content.tell(), wanted)
    content.seek(0)
    machine = Machine(lambda key, _dtype, _count: values[key])
    *_, value, _ = (machine.play(content) for _ in range(LEGACY_PICKLES))
    return value


def read_storages(
    file: io.BufferedReader, position: int, wanted: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Read the values after the pickles, each storage with its number of elements first; all sizes are checked."""
    starts: dict[str, int] = {}
    for key, values in wanted.items():
        file.seek(position)
        header = file.read(LEGACY_SIZE_BYTES)
        if len(header) == LEGACY_SIZE_BYTES:
            check_size(key, struct.unpack("<q", header)[0] * values.itemsize, values.nbytes)
        starts[key] = position + LEGACY_SIZE_BYTES
        position = starts[key] + values.nbytes
    size = file.seek(0, 2)
    if position > size:
        raise CheckpointError(f"truncated: {size:,} bytes of {position:,}; get it again")
    found: dict[str, torch.Tensor] = {}
    for key, values in wanted.items():
        file.seek(starts[key])
        found[key] = torch.empty(len(values), dtype=values.dtype)
        # Through bytes: numpy does not know all of torch's types.
        file.readinto(found[key].view(torch.uint8).numpy().data)
    return found


def check_size(key: str, size_bytes: int, wanted_bytes: int) -> None:
    """Refuse a storage that is larger or smaller in the file than the pickle says.

    `torch.load` would map the bytes after the storage, or take fewer.
    """
    if size_bytes != wanted_bytes:
        raise CheckpointError(
            f"its storage {key} has {size_bytes:,} bytes, the pickle says {wanted_bytes:,}; get it again"
        )


def check_total(account: Account, *, max_bytes: int) -> None:
    """Refuse tensors that together exceed the limit; `torch.load` expands a few bytes to any size."""
    if account.tensor_bytes > max_bytes:
        raise CheckpointError(
            f"it describes tensors of {account.tensor_bytes:,} bytes; the limit is {max_bytes:,}; "
            "save only the tensors that are needed, or raise the limit"
        )
