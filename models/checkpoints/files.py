"""Reading a file of weights of any known format."""

import hashlib
import io
import json
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from models.checkpoints.calls import CODE_ROOTS, LOADERS, is_harmful, refuse_harmful
from models.checkpoints.diagnosis import CheckpointError, Container
from models.checkpoints.pickles import MAX_PICKLE_BYTES, Machine, find_nothing, read_opcodes
from models.checkpoints.safetensors_files import LENGTH_BYTES, read_safetensors
from models.checkpoints.torch_files import LEGACY_START, read_legacy, read_zip
from models.checkpoints.zip_directory import ZIP_START

HEAD_BYTES = 512

INDEX_ENDING = ".safetensors.index.json"

SHARD = re.compile(r"(.+)-\d{5}-of-(\d{5})\.safetensors")

MAX_INDEX_BYTES = 8 * 1024**2

PICKLE_START = b"\x80"

REMEDY = "save it again with torch.save"

PLAIN_PICKLE = (
    "a plain pickle, not a file of torch.save; reading one runs its code, so it is not read; if you trust it, write "
    "its weights anew: python -c \"import pickle, torch; old = pickle.load(open('OLD', 'rb')); "
    "torch.save({name: torch.as_tensor(value) for name, value in old.items()}, 'NEW.pth')\""
)

TENSOR_LOADER = "torch.storage._load_from_bytes"

KNOWN_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "it is a git-lfs pointer, not the file itself; fetch the file with: git lfs pull"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"\x89HDF", "an HDF5 file, as Keras writes; only files of torch.save and safetensors are read"),
)
"""First bytes of files that people mistake for weights, with an explanation and a remedy."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """The contents of a file.

    Attributes:
        container: the file format.
        root: the object that was saved; for safetensors the tensors by name.
        sha256: the file's checksum.
        metadata: the metadata of a safetensors file.
    """

    container: Container
    root: object
    sha256: str
    metadata: Mapping[str, str] = field(default_factory=dict)


def read_file(path: Path, *, max_bytes: int) -> FileContent:
    """Read a file of weights without running anything in it.

    Neither the file nor its tensors may be larger than `max_bytes`, which is checked before reading. Tensors are mapped
    from the file if its format allows it.

    Raises:
        CheckpointError: the file cannot be read; the message has the reason and the remedy.
    """
    try:
        check_size(path, max_bytes=max_bytes)
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if head.startswith(ZIP_START):
            return FileContent(Container.TORCH_ZIP, read_zip(path, max_bytes=max_bytes), digest)
        if head.startswith(LEGACY_START):
            return FileContent(Container.TORCH_LEGACY, read_legacy(path, max_bytes=max_bytes), digest)
        if path.name.endswith(INDEX_ENDING) and head.lstrip().startswith(b"{"):
            return read_shards(path, digest, max_bytes=max_bytes)
        if (part := SHARD.fullmatch(path.name)) and part[2] != "00001":
            raise CheckpointError(
                f"one of {int(part[2])} parts of a network; give {part[1]}{INDEX_ENDING}, which names them all"
            )
        if is_safetensors(path, head):
            tensors, metadata = read_safetensors(path)
            return FileContent(Container.SAFETENSORS, tensors, digest, metadata)
        if head.startswith(PICKLE_START) or is_text(head):
            refuse_pickle(path, is_certain=not is_text(head))
    except OSError as error:
        raise CheckpointError(f"cannot be read: {error.strerror}; check the path") from error
    raise CheckpointError(explain_kind(head) or f"its format is unknown; it begins with {head[:8].hex(' ')}; {REMEDY}")


def read_shards(index: Path, digest: str, *, max_bytes: int) -> FileContent:
    """Read the safetensors files that an index beside them names, as transformers and accelerate write them.

    Args:
        index: the index, a JSON object with `weight_map`, the file of each tensor.
        digest: the index's checksum.
        max_bytes: the limit of all files together.

    Raises:
        CheckpointError: the index is none, or a file is missing, elsewhere or without a tensor of the index.
    """
    if index.stat().st_size > MAX_INDEX_BYTES:
        raise CheckpointError(f"an index of more than {MAX_INDEX_BYTES:,} bytes; get it again")
    try:
        names = json.loads(index.read_bytes())["weight_map"]
        files = sorted(set(names.values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError("an index without a weight_map from tensors to files; get it again") from error
    tensors: dict[str, torch.Tensor] = {}
    metadata: dict[str, str] = {}
    checksum = hashlib.sha256(digest.encode())
    left = max_bytes
    for name in files:
        if not isinstance(name, str) or not name.isprintable() or Path(name).name != name or name in ("", ".", ".."):
            raise CheckpointError(f"its index names {name!r}, which is not beside it; put all files into one folder")
        shard = index.with_name(name)
        if not shard.exists():
            raise CheckpointError(f"its part {name} cannot be read: it is not beside it; put all files into one folder")
        check_size(shard, max_bytes=left)
        left -= shard.stat().st_size
        with shard.open("rb") as file:
            checksum.update(hashlib.file_digest(file, "sha256").digest())
        read, metadata = read_safetensors(shard)
        # A tensor that several parts have is of the one that the index says.
        tensors |= {tensor: values for tensor, values in read.items() if names.get(tensor) == name}
    if missing := [tensor for tensor in names if tensor not in tensors]:
        raise CheckpointError(f"its files have no {missing[0]}, which its index promises; get them again")
    return FileContent(Container.SAFETENSORS, tensors, checksum.hexdigest(), metadata)


def check_size(path: Path, *, max_bytes: int) -> None:
    """Refuse anything that is not a file, an empty file, and a file that is too large."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError(f"a {'directory' if stat.S_ISDIR(status.st_mode) else 'device'}, not a file of weights")
    if status.st_size == 0:
        raise CheckpointError("an empty file; get it again")
    if status.st_size > max_bytes:
        raise CheckpointError(
            f"{status.st_size:,} bytes; the limit is {max_bytes:,}; raise it for a file that you trust"
        )


def is_safetensors(path: Path, head: bytes) -> bool:
    """Whether to read a file as safetensors: by its first bytes, or by its name if these show no other format."""
    # The first eight bytes are a number; by chance they can look like another format, even a web page.
    if head[LENGTH_BYTES : LENGTH_BYTES + 1] == b"{" and not is_text(head):
        return True
    return path.suffix == ".safetensors" and explain_kind(head) is None and not head.startswith(PICKLE_START)


def explain_kind(head: bytes) -> str | None:
    """The real format of a file that is not weights, with a remedy; None if it may be weights."""
    kinds = [(head.startswith(start), sentence) for start, sentence in KNOWN_KINDS]
    kinds += [
        (
            head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"),
            "a web page, saved in place of the file; download the file itself",
        ),
        (is_text(head), f"a text file, begins with {head[:40].decode(errors='replace')!r}; download the file itself"),
        (head[257:262] == b"ustar", f"a tar file: an archive, or torch before 0.1.10; unpack it, or {REMEDY}"),
    ]
    return next((sentence for is_this, sentence in kinds if is_this), None)


def refuse_pickle(path: Path, *, is_certain: bool) -> None:
    """Refuse a pickle that torch.save did not write in its default form; the message names any code that it needs.

    Args:
        path: the file.
        is_certain: the file is certainly a pickle; a pickle of protocol 0 looks like text.

    Raises:
        CheckpointError: the file is a pickle, or looks like text and is a pickle that needs code.
    """
    with path.open("rb") as file:
        content = io.BytesIO(file.read(MAX_PICKLE_BYTES))
    machine = Machine(find_nothing)
    try:
        machine.play(content)
    except CheckpointError:
        is_plain = is_certain and has_tensors_alone(machine.names, content)
        if any(map(is_harmful, machine.names)) and not is_plain:
            raise
        if is_certain and machine.names:
            raise CheckpointError(PLAIN_PICKLE) from None
        if is_certain or machine.names:
            raise
        return
    refuse_harmful(machine.names)
    if is_certain:
        raise CheckpointError(PLAIN_PICKLE)


def has_tensors_alone(names: Sequence[str], content: io.BytesIO) -> bool:
    """Whether the only code that a plain pickle asks for is torch's own way to pickle a tensor.

    Args:
        names: what it asked for before it was stopped, at the first tensor.
        content: the pickle; what it asks for later must be named by some text in it.
    """
    if {name for name in names if is_harmful(name)} != {TENSOR_LOADER}:
        return False
    content.seek(0)
    texts = [argument for _, argument in read_opcodes(content) if isinstance(argument, str)]
    # A name is one text, `posix system`, or two.
    words = {word for text in texts for word in text.split(" ")} - {TENSOR_LOADER.rpartition(".")[2]}
    return not any(word.partition(".")[0] in CODE_ROOTS or word.rpartition(".")[2] in LOADERS for word in words)


def is_text(head: bytes) -> bool:
    """Whether a file begins with text; the last character may be cut off."""
    text = head.decode(errors="ignore")
    is_decoded = len(text.encode()) > len(head) - 4
    return is_decoded and all(character.isprintable() or character.isspace() for character in text)
