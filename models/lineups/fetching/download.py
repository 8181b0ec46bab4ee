"""From an address into a file, however often the connection breaks: each attempt goes on where the last one ended."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, InvalidURL
from pathlib import Path
from urllib.error import HTTPError, URLError

from models.errors import make_printable
from models.lineups.fetching.connection import open_url

CHUNK_BYTES = 256 * 1024

NUMBER = "[0-9]{1,18}"
"""A number of bytes. Python refuses to read a number of thousands of digits."""

LONGEST_REASON = 200

RETRIED = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        500,
        HTTPStatus.BAD_GATEWAY,
        503,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Answers of a server that may be another one in a moment."""


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """How files are fetched.

    Attributes:
        mirror: replaces the scheme and host of every address; None for none.
        offline: fetch nothing.
        timeout_seconds: how long a server may be silent.
        attempts: connections for one file before it is given up.
        pause_seconds: before the second attempt; each further pause is twice as long.
    """

    mirror: str | None = None
    offline: bool = False
    timeout_seconds: float = 30.0
    attempts: int = 5
    pause_seconds: float = 1.0


class TransferError(Exception):
    """A file could not be fetched, with the reason alone."""


class _BrokenOffError(Exception):
    """The transfer ended early and may succeed if it is tried again."""


@dataclass(frozen=True, slots=True)
class Download:
    """One file on its way.

    Attributes:
        url: its address.
        part: where its bytes are collected; what is there already is not asked for again.
        most_bytes: a longer answer is cut off.
        options: see there.
        report: told how many bytes are there, and how many there will be, where the server says so.
    """

    url: str
    part: Path
    most_bytes: int
    options: FetchOptions
    report: Callable[[int, int | None], None]

    def run(self) -> None:
        """Collect all bytes.

        Raises:
            TransferError: with the reason alone; what has arrived stays, for the next time.
            OSError: where the file cannot be written.
        """
        has_connected = False
        for attempt in range(1, self.options.attempts + 1):
            try:
                self._receive()
            except URLError as error:
                # The network is not there at all; in the middle of a transfer it may come back.
                if not has_connected or attempt == self.options.attempts:
                    raise TransferError(_explain(error.reason)) from error
            except _BrokenOffError as error:
                has_connected = True
                if attempt == self.options.attempts:
                    kept = "; what has arrived is kept for the next time" if self._count_kept() else ""
                    raise TransferError(f"{error}, {attempt} times{kept}") from error
            else:
                return
            time.sleep(self.options.pause_seconds * 2 ** (attempt - 1))

    def _receive(self) -> None:
        start = self._count_kept()
        try:
            response = open_url(self.url, start=start, timeout_seconds=self.options.timeout_seconds)
        except HTTPError as error:
            with error:
                self._judge(error, start)
            return
        except URLError:
            raise
        except (InvalidURL, ValueError) as error:
            # UnicodeError, of a host's name that is none, is a ValueError.
            raise TransferError(f"its address, or the one it redirects to, is none ({_explain(error)})") from error
        except (HTTPException, OSError) as error:
            raise _BrokenOffError(f"the connection broke off ({_explain(error)})") from error
        with response:
            self._collect(response, start)

    def _count_kept(self) -> int:
        """The bytes that are there already."""
        return self.part.stat().st_size if self.part.exists() else 0

    def _judge(self, error: HTTPError, start: int) -> None:
        """Whether an answer that is an error ends the transfer; returns where all bytes are there already."""
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            if error.headers.get("Content-Range", "") == f"bytes */{start}":
                return
            self.part.unlink()
            raise _BrokenOffError("the server has another file than before")
        answer = f"the server answered {error.code} {_explain(error.reason)}"
        if error.code in RETRIED:
            raise _BrokenOffError(answer) from error
        raise TransferError(answer) from error

    def _collect(self, response: HTTPResponse, start: int) -> None:
        received, total = self._read_range(response, start)
        with self.part.open("ab" if received else "wb") as file:
            while chunk := self._read(response):
                received += len(chunk)
                if received > self.most_bytes:
                    self.part.unlink()
                    raise TransferError(f"it is longer than {self.most_bytes:,} bytes, which this network cannot be")
                file.write(chunk)
                self.report(received, total)
        if total is not None and received < total:
            raise _BrokenOffError(f"the transfer broke off after {received:,} of {total:,} bytes")

    def _read_range(self, response: HTTPResponse, start: int) -> tuple[int, int | None]:
        """How many bytes are there before this answer, and how many there are in all."""
        length = response.headers.get("Content-Length", "")
        rest = int(length) if re.fullmatch(NUMBER, length) else None
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            # The server does not know ranges, or nothing was there: all of it comes.
            return 0, rest
        found = re.fullmatch(rf"bytes ({NUMBER})-{NUMBER}/({NUMBER}|\*)", response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != start:
            self.part.unlink(missing_ok=True)
            raise _BrokenOffError("the server sent another part than it was asked for")
        if found[2] != "*":
            return start, int(found[2])
        return start, None if rest is None else start + rest

    @staticmethod
    def _read(response: HTTPResponse) -> bytes:
        try:
            return response.read(CHUNK_BYTES)
        except (HTTPException, OSError) as error:
            raise _BrokenOffError(f"the connection broke off ({_explain(error)})") from error


def _explain(reason: object) -> str:
    """`Connection refused`, without its number; others' words as one short line."""
    return make_printable(
        getattr(reason, "strerror", None) or str(reason) or type(reason).__name__, most=LONGEST_REASON
    )
