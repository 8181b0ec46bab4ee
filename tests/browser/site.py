"""A real server on a free port and a real Chromium, for tests and screenshots."""

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import uvicorn
from playwright.sync_api import Browser, Playwright

from app.main import create_app
from app.server.guard.sub_path import ForwardedHeaders
from app.settings import Settings
from tests.patience import PATIENT

START_SECONDS = 60

LONGEST_HEAD_BYTES = 8_000_000

WIDTHS = (1280, 390)
"""Widths of a desktop's and a phone's window, in CSS pixels."""

HEIGHT = 900

CHROMIUM_VARIABLE = "CBAM_LENS_CHROMIUM"

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

FAKE_DEVICE = "--use-fake-device-for-media-stream"
"""The flag for a fake camera."""

ALLOWED = "--use-fake-ui-for-media-stream"
"""The flag that allows pages to use it."""


class _Server(uvicorn.Server):
    """A uvicorn server that tells another thread when it accepts requests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serve(settings: Settings | None = None) -> Iterator[str]:
    """The application on a free port, with the lineup of the tests; the address of its first page."""
    app = create_app(settings or PATIENT)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        # As in `app.serving`.
        behind: Any = ForwardedHeaders(cast("Any", app), trusted_hosts="127.0.0.1")
        server = _Server(
            uvicorn.Config(
                behind,
                log_level="warning",
                lifespan="on",
                http="h11",
                loop="asyncio",
                proxy_headers=False,
                # The fuzzer's addresses may have every character that an option may have.
                h11_max_incomplete_event_size=LONGEST_HEAD_BYTES,
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            if not server.ready.wait(START_SECONDS):
                raise TimeoutError(f"the server did not start within {START_SECONDS} s")
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def find_chromium() -> str | None:
    """The browser's path, from the environment or the search path; None if there is none.

    Chromium without its own windows comes first: it needs a fifth of the other's time for each new context.
    """
    return os.environ.get(CHROMIUM_VARIABLE) or shutil.which("chromium-headless-shell") or shutil.which("chromium")


def launch_chromium(playwright: Playwright, path: str, *arguments: str) -> Browser:
    """Start Chromium without a window and without requests of its own, with any further arguments."""
    return playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_ARGUMENTS, *arguments])
