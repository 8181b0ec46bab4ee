"""A published zip and the one file in it: unpacked, checked, and only then put where anything reads it."""

import hashlib
import struct
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from typing import IO

from models.errors import make_printable
from models.lineups.fetching.published import PublishedFile
from models.whole_files import draft_beside

CHUNK_BYTES = 1024**2

MOST_DIRECTORY_BYTES = 64 * 1024
"""Python's zipfile reads the directory in one piece; that of one file has about a hundred bytes."""

END = b"PK\x05\x06"

END_BYTES = 22

LOCATOR = b"PK\x06\x07"
"""It leads to zip64's own end, which counts in place of the usual one."""

LOCATOR_BYTES = 20

MOST_COMMENT_BYTES = 2**16


DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""Python's zipfile raises each of these for some damage."""


class BadFileError(Exception):
    """A file is not the published one, with the reason alone."""


def unpack(archive: Path, file: PublishedFile, target: Path) -> None:
    """Put the file of an archive at its place, if it is the one that was published.

    Its name is compared and never used as a path; nothing else in the archive is unpacked.

    Raises:
        BadFileError: for an archive without it, a file that is too large, and one with another hash; nothing is left.
        OSError: where it cannot be written.
    """
    try:
        with archive.open("rb") as raw:
            _check_directory(raw)
            with (
                zipfile.ZipFile(raw) as content,
                _open_entry(content, file) as packed,
                draft_beside(target) as draft,
                draft.open("xb") as unpacked,
            ):
                _check_hash(_copy(packed, unpacked, file), file)
    except DAMAGES as error:
        raise BadFileError(f"a damaged zip file ({make_printable(str(error), most=200)})") from error


def check_file(path: Path, file: PublishedFile) -> None:
    """Raise `BadFileError` for a file whose hash is not the published one."""
    if file.sha1 is None:
        return
    status = path.stat()
    _check_hash(_digest(path, status.st_size, status.st_mtime_ns), file)


def _check_directory(archive: IO[bytes]) -> None:
    size = archive.seek(0, 2)
    archive.seek(max(0, size - END_BYTES - MOST_COMMENT_BYTES))
    tail = archive.read()
    start = tail.rfind(END)
    if start < 0 or len(tail) < start + END_BYTES:
        raise zipfile.BadZipFile("it does not end as one")
    archive.seek(max(0, size - len(tail) + start - LOCATOR_BYTES))
    if archive.read(len(LOCATOR)) == LOCATOR:
        raise zipfile.BadZipFile("it is a zip64 file, which is for more than 4 GB")
    (directory_bytes,) = struct.unpack_from("<I", tail, start + 12)
    if directory_bytes > MOST_DIRECTORY_BYTES:
        raise zipfile.BadZipFile(
            f"its directory has {directory_bytes:,} bytes; at most {MOST_DIRECTORY_BYTES:,} are read"
        )
    if directory_bytes > start + size - len(tail):
        raise zipfile.BadZipFile("its directory begins before the file")


def _open_entry(content: zipfile.ZipFile, file: PublishedFile) -> IO[bytes]:
    entry = _find_entry(content, file)
    if entry.header_offset < 0:
        # It would be an OSError, as if the disk were at fault.
        raise zipfile.BadZipFile(f"{file.file} begins before the file")
    return content.open(entry)


def _find_entry(content: zipfile.ZipFile, file: PublishedFile) -> zipfile.ZipInfo:
    entries = [entry for entry in content.infolist() if entry.filename == file.file]
    if len(entries) != 1:
        names = ", ".join(repr(entry.filename) for entry in content.infolist()[:3]) or "nothing"
        raise BadFileError(
            f"{file.archive} is to have {file.file} in it once and has it {len(entries)} times; it has {names}"
        )
    (entry,) = entries
    if entry.flag_bits & 1:
        raise BadFileError(f"{file.file} is encrypted in {file.archive}")
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise BadFileError(f"{file.file} is neither stored nor deflated in {file.archive}")
    if entry.file_size > file.most_bytes:
        raise BadFileError(
            f"{file.file} is {entry.file_size:,} bytes in {file.archive}; at most {file.most_bytes:,} fit"
        )
    return entry


def _copy(packed: IO[bytes], unpacked: IO[bytes], file: PublishedFile) -> str:
    """The sha1 of what is copied; an entry may unpack to more than its header says."""
    digest = hashlib.sha1(usedforsecurity=False)
    copied = 0
    while chunk := packed.read(CHUNK_BYTES):
        copied += len(chunk)
        if copied > file.most_bytes:
            raise BadFileError(f"{file.file} unpacks to more than {file.most_bytes:,} bytes")
        digest.update(chunk)
        unpacked.write(chunk)
    return digest.hexdigest()


@lru_cache
def _digest(path: Path, size: int, changed: int) -> str:  # noqa: ARG001  # size and time tell one file from its successor
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()


def _check_hash(digest: str, file: PublishedFile) -> None:
    # The publisher gives sha1, which nobody can hit from outside with another file; what is inside is never run either.
    if digest != file.sha1:
        raise BadFileError(
            f"the sha1 of {file.file} is {digest}, published is {file.sha1}; it is damaged or another file"
        )
