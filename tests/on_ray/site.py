"""The server on Ray as its own process, and a client with the interface of the one in this process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).parents[2]

ON_RAY = "on Ray"
"""The suffix in the names of tests that ask a server on Ray."""

QUEUE = 4
BATCH = 2
"""The settings of the contract's server."""

START_SECONDS = 400
"""Five processes import torch, on a machine with two cores that do other things too."""

PROGRAM = (sys.executable, "-c", "from app.cli import main; main()")
"""The command line's `cbam-lens`."""

STUDY_FILE = "studies.sqlite"
"""The contract's server has its studies in a file of this name, beside its log."""

NAME = "testserver"
"""The server's name in the tests, as in Starlette's client."""


def make_environment(**variables: str) -> dict[str, str]:
    """The environment of a program on Ray, with further variables."""
    # Otherwise each process of the cluster would compile everything again.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "OMP_NUM_THREADS": "1", **variables}


@dataclass(frozen=True, slots=True)
class Site:
    """A running server. Attributes:
    address: host:port.
    process_id: of the command.
    log: the file that it writes to.
    """

    address: str
    process_id: int
    log: Path

    def find_replicas(self, deployment: str) -> list[psutil.Process]:
        """The processes of a deployment of this server alone."""
        title = f"ray::ServeReplica:cbam-lens:{deployment}"
        found = []
        for process in psutil.Process(self.process_id).children(recursive=True):
            try:
                if title in " ".join(process.cmdline()):
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found


@contextmanager
def run_server(environment: Mapping[str, str], log: Path, *, program: Sequence[str] = PROGRAM) -> Iterator[Site]:
    """`cbam-lens serve --on ray` inside of a `with` block. Ends it as a user does."""
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603  # our own command
            [*program, "serve", "--on", "ray", "--port", "0"],
            cwd=ROOT, stdout=output, stderr=output, env=dict(environment),
        )  # fmt: skip
        try:
            yield Site(wait_for_address(process, log), process.pid, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(120)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def run_contract_server(log: Path) -> Iterator[Site]:
    """The server for the contract's tests: two replicas of the application and two with the networks."""
    environment = make_environment(
        CBAM_LENS_RAY_MIN_REPLICAS="2",
        CBAM_LENS_RAY_MAX_REPLICAS="2",
        CBAM_LENS_RAY_REPLICA_CPUS="0.5",
        CBAM_LENS_RAY_MIN_INGRESSES="2",
        CBAM_LENS_RAY_MAX_INGRESSES="2",
        CBAM_LENS_RAY_QUEUE_SIZE=str(QUEUE),
        CBAM_LENS_BATCH_SIZE=str(BATCH),
        CBAM_LENS_TRUSTED_HOSTS="testserver;127.0.0.1",
        CBAM_LENS_LOG_LEVEL="info",
        CBAM_LENS_STUDY_DATABASE=str(log.with_name(STUDY_FILE)),
    )
    with run_server(environment, log) as site:
        yield site


def wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address at which the server reports that it is ready."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        for line in log.read_text().splitlines():
            if "is ready: http://" in line:
                return line.partition("http://")[2].partition(" ")[0]
        time.sleep(0.2)
    raise AssertionError(f"the server did not become ready:\n{log.read_text()[-4000:]}")


class SiteClient(httpx2.Client):
    """A client of a running server, with the parts of Starlette's interface that the tests use."""

    def __init__(self, address: str) -> None:
        super().__init__(
            base_url=f"http://{address}", headers={"Host": NAME}, follow_redirects=True, timeout=120, trust_env=False
        )
        self._address = address

    @contextmanager
    def websocket_connect(self, path: str, headers: Mapping[str, str] | None = None) -> Iterator["SiteSession"]:
        """A WebSocket; raises `WebSocketDisconnect` if the server refuses it."""
        host, _, port = self._address.rpartition(":")
        # The address gives the Host header, the socket gives the destination.
        link = socket.create_connection((host, int(port)), timeout=60)
        try:
            connection = connect(
                f"ws://{NAME}{path}", sock=link, additional_headers=dict(headers or {}), open_timeout=60, proxy=None
            )
        except InvalidStatus as error:
            raise WebSocketDisconnect(1008, str(error)) from error
        with connection:
            yield SiteSession(connection)


class SiteSession:
    """A WebSocket with the methods of Starlette's."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def send_bytes(self, data: bytes) -> None:
        self._connection.send(data)

    def send_text(self, text: str) -> None:
        self._connection.send(text)

    def receive_json(self) -> Any:
        try:
            return json.loads(self._connection.recv(timeout=60))
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else 1006
            raise WebSocketDisconnect(code, error.rcvd.reason if error.rcvd else "") from error
