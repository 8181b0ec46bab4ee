"""A zip file's directory, checked as `torch.save` writes it: uncompressed entries that fit into the file."""

import mmap
import re
import struct
import zipfile
from typing import IO

from models.checkpoints.diagnosis import CheckpointError

ZIP_START = b"PK\x03\x04"

MAX_ENTRIES = 20_000
"""The file of ResNet-101 with CBAM and its optimiser's state has 1,600 entries."""

MAX_DIRECTORY_BYTES = 8 * 1024**2
"""Python's zipfile reads the whole directory at once, at the size that the file claims."""

HEADER_BYTES = 30
END_BYTES = 22
LOCATOR_BYTES = 20
ZIP64_END_BYTES = 56


SCRIPT_CODE = re.compile(r"[^/]+/code/")
"""The folder of a TorchScript archive's code."""


def read_entries(file: IO[bytes]) -> dict[str, zipfile.ZipInfo]:
    """Read the archive's entries, by name.

    Raises:
        CheckpointError: the file is truncated, an entry is compressed, encrypted or repeated, there are too many
            entries, or they are together larger than the file.
    """
    check_directory_size(file)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise CheckpointError(f"a damaged zip file ({error}); get it again") from error
    for entry in entries:
        check_entry(entry)
    by_name = {entry.filename: entry for entry in entries}
    if len(entries) > MAX_ENTRIES or len(by_name) < len(entries):
        raise CheckpointError(f"its zip has {len(entries):,} entries, some repeated or more than {MAX_ENTRIES:,}")
    total, size = sum(entry.file_size for entry in entries if not SCRIPT_CODE.match(entry.filename)), file.seek(0, 2)
    if total > size:
        raise CheckpointError(f"its zip claims {total:,} bytes of content in a file of {size:,}; get it again")
    return by_name


def check_entry(entry: zipfile.ZipInfo) -> None:
    """Refuse an encrypted or compressed entry, which `torch.save` never writes; it could be a zip bomb."""
    if entry.flag_bits & 1:
        raise CheckpointError(f"its zip entry {entry.filename} is encrypted; torch.save never encrypts")
    if SCRIPT_CODE.match(entry.filename):
        # TorchScript compresses its code, which nothing here reads.
        return
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise CheckpointError(
            f"its zip entry {entry.filename} is compressed, {entry.file_size:,} bytes in {entry.compress_size:,}; "
            "torch.save compresses nothing; unpack an archive around the file first"
        )


def read_content(file: IO[bytes], entry: zipfile.ZipInfo, *, max_bytes: int) -> bytes:
    """Read an entry's bytes and check their checksum."""
    if entry.file_size > max_bytes:
        raise CheckpointError(f"its {entry.filename} has {entry.file_size:,} bytes; the limit is {max_bytes:,}")
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.read(entry)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
        raise CheckpointError(f"a damaged zip file ({error}); get it again") from error


def locate_content(mapped: mmap.mmap, entry: zipfile.ZipInfo) -> int:
    """Find the offset of an entry's bytes: after its own header, a name and an extra field of any length."""
    header = mapped[entry.header_offset : entry.header_offset + HEADER_BYTES].ljust(HEADER_BYTES, b"\0")
    name_bytes, extra_bytes = struct.unpack_from("<HH", header, 26)
    return entry.header_offset + HEADER_BYTES + int(name_bytes) + int(extra_bytes)


def check_directory_size(file: IO[bytes]) -> None:
    """Refuse a zip file without its end record, with bytes after it, or with a directory that is too large."""
    size = file.seek(0, 2)
    wanted = END_BYTES + LOCATOR_BYTES + ZIP64_END_BYTES
    file.seek(max(0, size - wanted))
    tail = file.read(wanted)
    zip64_end, locator, end = tail[:ZIP64_END_BYTES], tail[ZIP64_END_BYTES:-END_BYTES], tail[-END_BYTES:]
    if not end.startswith(b"PK\x05\x06"):
        raise CheckpointError("truncated: the zip file has no end record; get it again")
    (directory_bytes,) = struct.unpack_from("<I", end, 12)
    if locator.startswith(b"PK\x06\x07"):
        (directory_bytes,) = struct.unpack_from("<Q", zip64_end, 40)
    if directory_bytes > MAX_DIRECTORY_BYTES:
        raise CheckpointError(
            f"it claims a zip directory of {directory_bytes:,} bytes in a file of {size:,}; "
            f"the limit is {MAX_DIRECTORY_BYTES:,}"
        )
