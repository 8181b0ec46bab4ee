"""The program's own style sheets, scripts and pictures, under addresses that change with their content."""

import hashlib
from pathlib import Path

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_FILES = "/static"

DIGEST_CHARACTERS = 12

FOR_EVER = "public, max-age=31536000, immutable"
"""A browser need not ask again: another content has another address."""

ASK_AGAIN = "no-cache"
"""A browser may keep the file, but has to ask whether it is still the same."""

SMALLEST_BYTES = 500
"""Smaller files are sent as they are."""


def mount_own_files(app: FastAPI, directory: Path) -> None:
    """Serve a directory's files twice, compressed: for ever under an address with its digest, and under a plain one.

    All files have the digest of all, so that scripts and style sheets find each other by relative addresses. Templates
    find the first kind by the name `static`.
    """
    files = StaticFiles(directory=directory)
    for path, name, caching in (
        (f"{OWN_FILES}/{compute_digest(directory)}", "static", FOR_EVER),
        (OWN_FILES, "plain-static", ASK_AGAIN),
    ):
        app.mount(path, GZipMiddleware(_Caching(files, caching), minimum_size=SMALLEST_BYTES), name=name)


def compute_digest(directory: Path) -> str:
    """Compute the digest of a directory's files, their names and contents: 12 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(directory).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:DIGEST_CHARACTERS]


class _Caching:
    """Adds how long a file may be kept to answers that have one."""

    def __init__(self, app: ASGIApp, caching: str) -> None:
        self._app = app
        self._caching = caching

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_caching(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:  # errors begin there
                MutableHeaders(scope=message)["Cache-Control"] = self._caching
            await send(message)

        await self._app(scope, receive, send_with_caching)
