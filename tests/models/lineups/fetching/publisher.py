"""A server on this machine that publishes files, breaks off, ignores ranges, and remembers what it was asked."""

import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from models.lineups.fetching.download import FetchOptions
from models.lineups.fetching.published import PublishedFile
from models.lineups.fetching.store import WeightStore

WEIGHTS = np.random.default_rng(0).bytes(300_000)

PATH = "/somebody/zoo/releases/download/v1/net-0505-01234567.pth.zip"


def make_file(content: bytes = WEIGHTS, *, name: str = "net-0505-01234567.pth") -> PublishedFile:
    """What is published of a file."""
    return PublishedFile(
        file=name,
        url=f"https://publisher.example{PATH.rpartition('/')[0]}/{name}.zip",
        sha1=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        parameters=len(WEIGHTS) // 4,
    )


def make_zip(members: dict[str, bytes] | None = None, *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with these members; by default with the published file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in (members or {make_file().file: WEIGHTS}).items():
            archive.writestr(name, content)
    return buffer.getvalue()


@dataclass(frozen=True)
class Asked:
    """One request: as it stands in its first line, and its Range."""

    line: str
    range: str | None


@dataclass
class Publisher:
    """What the server has and does.

    Attributes:
        address: scheme, host and port.
        files: by path.
        breaks: after how many bytes each of the next answers breaks off.
        statuses: of the next answers, in place of a file.
        knows_ranges: whether it answers a Range with 206.
        redirects: from one path to an address.
        asked: every request.
        sent_bytes: of all answers together.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=lambda: {PATH: make_zip()})
    breaks: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    sent_bytes: int = 0

    def open_store(self, directory: Path, **options: object) -> WeightStore:
        """A cache directory that is filled from here."""
        return WeightStore(directory, options=FetchOptions(self.address, pause_seconds=0, **options))  # type: ignore[arg-type]


@contextmanager
def publish() -> Iterator[Publisher]:
    """A running publisher."""
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.asked.append(Asked(self.requestline, self.headers.get("Range")))
            # A proxy is asked for a whole address.
            path = re.sub(r"^http://[^/]+", "", self.path)
            if publisher.statuses:
                self.send_error(publisher.statuses.pop(0))
            elif path in publisher.redirects:
                self.send_response(302)
                self.send_header("Location", publisher.redirects[path])
                self.end_headers()
            elif path not in publisher.files:
                self.send_error(404)
            else:
                self.send_file(publisher.files[path])

        def send_file(self, content: bytes) -> None:
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(found[1]) if found and publisher.knows_ranges else 0
            if found and start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if start:
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            count = publisher.breaks.pop(0) if publisher.breaks else len(content)
            self.wfile.write(content[start : start + count])
            publisher.sent_bytes += len(content[start : start + count])

        def do_CONNECT(self) -> None:
            publisher.asked.append(Asked(self.requestline, None))
            self.send_error(502)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        publisher.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield publisher
        finally:
            server.shutdown()
            thread.join()
