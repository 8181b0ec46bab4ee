"""Files with false claims: pickles, zip files and legacy files around them, and safetensors headers."""

import io
import json
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from models.checkpoints.torch_files import LEGACY_START


@dataclass(frozen=True)
class Call:
    """Pickles as a call of a function, which the unpickler runs."""

    function: Any
    arguments: tuple[Any, ...]

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.function, self.arguments


@dataclass(frozen=True)
class Filled(Call):
    """Pickles as a call of a function, whose result gets a state."""

    state: Any

    def __reduce__(self) -> Any:
        return self.function, self.arguments, self.state


@dataclass(frozen=True)
class Storage:
    """Pickles as a claim on a storage of the file."""

    element_count: int
    key: str = "0"
    kind: Any = torch.FloatStorage


def describe_tensor(
    storage: Storage, shape: tuple[int, ...], strides: tuple[int, ...], *, offset: int = 0, version: str = "_v2"
) -> Call:
    """A tensor as torch.save describes it, for a storage of any size."""
    rebuild = getattr(torch._utils, f"_rebuild_tensor{version}")
    rest: tuple[Any, ...] = (False, OrderedDict()) if version else ()
    return Call(rebuild, (storage, offset, shape, strides, *rest))


class ClaimPickler(pickle.Pickler):
    """Writes storages as torch does."""

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, Storage):
            return ("storage", value.kind, value.key, "cuda:0", value.element_count)
        return None


class LegacyClaimPickler(ClaimPickler):
    """Writes storages as torch before 1.6 does."""

    def persistent_id(self, value: Any) -> Any:
        claim = super().persistent_id(value)
        return claim and (*claim, None)


def dump(value: Any, *, pickler: type[pickle.Pickler] = ClaimPickler, protocol: int = 2) -> bytes:
    buffer = io.BytesIO()
    pickler(buffer, protocol=protocol).dump(value)
    return buffer.getvalue()


def write_zip(
    path: Path, pickled: bytes, storages: dict[str, bytes] | None = None, *, compression: int = zipfile.ZIP_STORED
) -> Path:
    """A zip file as torch.save writes it."""
    with zipfile.ZipFile(path, "w", compression=compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", b"3\n")
        for key, content in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", content)
    return path


def write_legacy(path: Path, pickled: bytes, storages: dict[str, bytes], *, element_bytes: int = 4) -> Path:
    """A file as torch before 1.6 writes it."""
    sizes = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    content = LEGACY_START + dump(1001) + dump(sizes) + pickled + dump(sorted(storages))
    for key in sorted(storages):
        content += struct.pack("<q", len(storages[key]) // element_bytes) + storages[key]
    path.write_bytes(content)
    return path


def speak_python_2(pickled: bytes) -> bytes:
    """The same pickle with byte strings in place of texts, as Python 2 writes them."""
    written, ends = b"", [*(position for _, _, position in pickletools.genops(pickled)), len(pickled)]
    for (opcode, argument, start), end in zip(pickletools.genops(pickled), ends[1:], strict=True):
        if opcode.name == "BINUNICODE":
            text = str(argument).encode()
            written += b"U" + bytes([len(text)]) + text
        else:
            written += pickled[start:end]
    return written


def write_safetensors(path: Path, header: dict[str, Any] | str, values: bytes, *, header_bytes: int = -1) -> Path:
    """A safetensors file with any header."""
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    path.write_bytes(struct.pack("<Q", len(text) if header_bytes < 0 else header_bytes) + text + values)
    return path


def describe_floats(start: int, end: int, *, shape: tuple[int, ...] | None = None, kind: str = "F32") -> dict[str, Any]:
    """A tensor in a safetensors header."""
    return {"dtype": kind, "shape": list(shape or ((end - start) // 4,)), "data_offsets": [start, end]}
