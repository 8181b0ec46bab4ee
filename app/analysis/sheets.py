"""Sheets of several pictures, kept as the ids of their analyses."""

import re
import secrets
import threading
import unicodedata
from dataclasses import dataclass, field

from cachetools import TTLCache

from app.errors import SheetGone, TooManyPictures

NAME_CHARACTERS = 120
SLUG_CHARACTERS = 40

MOST_ROWS = 200
"""The most pictures of one sheet, whatever the settings say."""

KEPT_ROWS = 20_000
"""The number of rows that are kept, of all sheets together; a row is a name and an id, at most a kilobyte."""


SHEET_GONE = "no sheet has this id, or it is no longer on the server; send the pictures again"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One picture of a sheet.

    Attributes:
        name: the file's name for people, see `clean_name`.
        analysis_id: the id of its analysis; None for a picture that could not be analysed.
        problem: the reason why it could not be analysed; None if it was analysed.
    """

    name: str
    analysis_id: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows in the order of the upload, under an unguessable id."""

    rows: tuple[SheetRow, ...]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))


class SheetStore:
    """Sheets by id, limited in rows and in time; the least recently used leaves first.

    Args:
        seconds: the time that a sheet is kept.
        max_rows: the limit of rows of all sheets together.
    """

    def __init__(self, *, seconds: float, max_rows: int = KEPT_ROWS) -> None:
        self._sheets: TTLCache[str, Sheet] = TTLCache(max_rows, seconds, getsizeof=lambda sheet: len(sheet.rows))
        self._lock = threading.Lock()

    def add(self, sheet: Sheet) -> None:
        """Keep a sheet."""
        with self._lock:
            self._sheets[sheet.id] = sheet

    def get(self, sheet_id: str) -> Sheet:
        """The sheet of an id; raises `SheetGone`."""
        with self._lock:
            sheet = self._sheets.get(sheet_id)
        if sheet is None:
            raise SheetGone(SHEET_GONE)
        return sheet


def refuse_count(count: int, limit: int) -> TooManyPictures:
    """The error for `count` pictures where at most `limit` are allowed."""
    return TooManyPictures(f"{count} pictures; the limit is {limit} at once; send fewer")


def clean_name(name: str | None, *, position: int) -> str:
    """Strip folders and invisible characters from a file's name; `Picture 3` where nothing is left.

    Args:
        name: the client's name for it, perhaps with a Windows or POSIX path.
        position: the picture's number, from 1.
    """
    last = re.split(r"[/\\]", name or "")[-1]
    # Cc, Cf, Co, Cs and Cn include control characters and those that reverse the direction of writing.
    seen = "".join(" " if unicodedata.category(character)[0] == "C" else character for character in last)
    return " ".join(seen.split())[:NAME_CHARACTERS].strip(". ") or f"Picture {position}"


def make_slug(name: str, *, position: int) -> str:
    """Make a safe folder name that is the same in every run: `03-my-cat`.

    Args:
        name: the name from `clean_name`.
        position: the picture's number, from 1, which makes the folder name unique.
    """
    return f"{position:02d}-{slug_file_name(name) or 'picture'}"


def slug_file_name(name: str) -> str:
    """The plain letters and digits of a file's name without its ending: `my-cat`; empty where it has none."""
    return slug_words(name.rpartition(".")[0] if "." in name else name)


def slug_words(words: str) -> str:
    """The plain letters and digits of any words, joined by hyphens."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:SLUG_CHARACTERS].strip("-")
