"""Uploads on disk, so that a link outlives a restart; the analysis is computed anew when it is opened."""

import logging
import os
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from app.analysis.analyses import Analysis
from app.analysis.sheets import SHEET_GONE, Sheet, SheetRow
from app.analysis.store import GONE
from app.errors import AnalysisGone, SheetGone
from models.names import Geometry, Resolution

logger = logging.getLogger(__name__)

UPLOAD, SHEET = "upload", "sheet"
"""The suffixes of the files of an analysis and of a sheet."""

ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
"""The ids of analyses and sheets. Nothing else becomes part of a path."""

KEPT_SHARE = 0.9
"""The share of the bytes that is left when the folder was full: not every upload has to make room."""

LOOK_SECONDS = 600
"""The time after which the folder is searched again for what is too old."""


class KeptUpload(BaseModel):
    """How an upload was analysed; the first line of its file, as JSON. The uploaded bytes follow it."""

    model_config = ConfigDict(frozen=True)

    lineup: str
    geometry: Geometry
    resolution: Resolution
    name: str
    made_at: float


class KeptSheet(BaseModel):
    """A sheet's file, as JSON."""

    model_config = ConfigDict(frozen=True)

    rows: tuple[SheetRow, ...]


class UploadFolder:
    """A folder of uploads and sheets, limited in bytes and in days; the oldest leaves first.

    Several processes may use one folder. Its files can be read by their owner alone.

    Args:
        directory: the folder; it is made if it is missing, and what is too old in it is deleted.
        max_bytes: the limit of all files together.
        seconds: the time that a file is kept.

    Raises:
        OSError: if the folder cannot be made or written.
    """

    def __init__(self, directory: Path, *, max_bytes: int, seconds: float) -> None:
        self.directory = directory
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._lock = threading.Lock()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write(f"{secrets.token_hex(8)}.probe", b"").unlink()
        self.tidy()

    def add(self, analysis: Analysis) -> None:
        """Keep an analysis's upload. A full disk is logged, and costs nothing but this file."""
        kept = KeptUpload(
            lineup=analysis.card.name,
            geometry=analysis.geometry,
            resolution=analysis.resolution,
            name=analysis.name,
            made_at=analysis.made_at,
        )
        self._keep(f"{analysis.id}.{UPLOAD}", kept.model_dump_json().encode() + b"\n" + analysis.source.data)

    def add_sheet(self, sheet: Sheet) -> None:
        """Keep a sheet."""
        self._keep(f"{sheet.id}.{SHEET}", KeptSheet(rows=sheet.rows).model_dump_json().encode())

    def read(self, analysis_id: str) -> tuple[KeptUpload, bytes]:
        """How an upload was analysed, and its bytes; raises `AnalysisGone`."""
        content = self._read(analysis_id, UPLOAD)
        if content is None:
            raise AnalysisGone(GONE)
        head, _, data = content.partition(b"\n")
        try:
            return KeptUpload.model_validate_json(head), data
        except ValidationError as error:
            raise AnalysisGone("this picture's file on the server is damaged; send the picture again") from error

    def read_sheet(self, sheet_id: str) -> Sheet:
        """A sheet; raises `SheetGone`."""
        content = self._read(sheet_id, SHEET)
        if content is None:
            raise SheetGone(SHEET_GONE)
        try:
            return Sheet(KeptSheet.model_validate_json(content).rows, id=sheet_id)
        except ValidationError as error:
            raise SheetGone("this sheet's file on the server is damaged; send the pictures again") from error

    def has(self, analysis_id: str) -> bool:
        """Whether an analysis's upload is kept."""
        return self._find(analysis_id, UPLOAD) is not None

    def remove(self, analysis_id: str) -> bool:
        """Delete an analysis's upload; returns whether there was one."""
        path = self._find(analysis_id, UPLOAD)
        if path is None:
            return False
        path.unlink(missing_ok=True)
        return True

    def tidy(self) -> None:
        """Delete what is too old, then the oldest files until the others have room."""
        with self._lock:
            files = sorted(self._list_files())
            left = sum(size for _, size, _ in files)
            aim = self._max_bytes if left <= self._max_bytes else KEPT_SHARE * self._max_bytes
            for changed, size, path in files:
                if left <= aim and changed + self._seconds > time.time():
                    break
                path.unlink(missing_ok=True)
                left -= size
            self._used, self._looked_at = left, time.monotonic()

    def _keep(self, name: str, content: bytes) -> None:
        try:
            self._write(name, content)
        except OSError as error:
            logger.warning("an upload could not be kept in %s: %s", self.directory, error.strerror or error)
            return
        with self._lock:
            self._used += len(content)
            is_full = self._used > self._max_bytes
            is_due = time.monotonic() - self._looked_at > LOOK_SECONDS
        if is_full or is_due:
            self.tidy()

    def _write(self, name: str, content: bytes) -> Path:
        """Write a file whole or not at all, for its owner alone.

        `draft_beside` also waits for the disk, twice, and a request would wait with it.
        """
        part = self.directory / f".{name}.{secrets.token_hex(4)}"
        path = self.directory / name
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        return path

    def _read(self, own_id: str, suffix: str) -> bytes | None:
        path = self._find(own_id, suffix)
        try:
            return None if path is None else path.read_bytes()
        except FileNotFoundError:
            # Another request has just deleted it.
            return None

    def _find(self, own_id: str, suffix: str) -> Path | None:
        """The file of an id, unless there is none or it is too old."""
        if not ID.fullmatch(own_id):
            return None
        path = self.directory / f"{own_id}.{suffix}"
        try:
            changed = path.stat().st_mtime
        except OSError:
            return None
        return path if changed + self._seconds > time.time() else None

    def _list_files(self) -> Iterator[tuple[float, int, Path]]:
        """When each file was written, its bytes and its path; also of parts that a killed server left."""
        for path in self.directory.iterdir():
            own_id, _, rest = path.name.removeprefix(".").partition(".")
            if ID.fullmatch(own_id) and rest.partition(".")[0] in (UPLOAD, SHEET):
                with suppress(FileNotFoundError):
                    seen = path.stat()
                    yield seen.st_mtime, seen.st_size, path
