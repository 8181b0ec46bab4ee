"""(g), (h) The server under load: pictures per second, latencies, memory."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from app.bench.results.statistics import Samples, median, merge, percentile
from app.bench.servers.load import LoadResult
from app.bench.servers.server import ServerProcess, serve_command
from app.settings import Settings

CLIENTS = (1, 4, 16)
SWEEPS = 3
"""The seconds of every level are spread over the sweeps, so that other load affects all levels alike."""

PICTURES = 16

CACHE_BYTES = 512_000_000
"""The memory for analyses, unless the environment says otherwise: a hundred of the shipped lineup's."""

FIRST_REQUESTS = 300
"""After so many, the cache is full."""

MEMORY_CLIENTS = 4
READINGS = 9
READING_REQUESTS = 8
"""The requests between two readings of the memory."""

SHARES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Service:
    """A running server and the pictures to send to it.

    Attributes:
        server: the server.
        directory: the pictures' folder.
        problems: one message per kind of error that the clients had.
    """

    server: ServerProcess
    directory: Path
    problems: list[str] = field(default_factory=list)

    def ask(self, clients: int, *, seconds: float | None = None, requests: int | None = None) -> LoadResult:
        """Run the load client.

        Raises:
            ChildProcessError: when it fails.
        """
        command = [sys.executable, "-m", LoadResult.__module__, self.server.address, str(self.directory)]
        command += [f"--clients={clients}"]
        command += [] if seconds is None else [f"--seconds={seconds}"]
        command += [] if requests is None else [f"--requests={requests}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own command
        if done.returncode:
            raise ChildProcessError(f"the load client failed: {done.stderr.strip()}")
        result = TypeAdapter(LoadResult).validate_json(done.stdout)
        self.problems.extend(message for message in result.messages if message not in self.problems)
        return result


def start(settings: Settings) -> ServerProcess:
    """A server whose cache is full after the first requests, as it is in a server that has run for a while."""
    environment = {"CBAM_LENS_CACHE_BYTES": str(CACHE_BYTES), **os.environ}
    return ServerProcess(serve_command(settings), environment)


def measure_memory(service: Service, requests: int, advance: Callable[[], None]) -> Samples:
    """Measure megabytes at start, after the first requests and after all of them, and the growth between the last two.

    Args:
        service: a server that has had no requests.
        requests: the number of requests in all.
        advance: called after each step.
    """
    first = min(FIRST_REQUESTS, requests // 2)
    start = service.server.read_rss_megabytes()
    early, early_errors = _ask_and_read_memory(service, first)
    advance()
    late, late_errors = _ask_and_read_memory(service, requests - first)
    advance()
    errors = early_errors + late_errors
    values = {"start": start, "early": early, "late": late, "growth": late - early, "errors": errors}
    return {f"memory.{name}": [value] for name, value in values.items()}


def _ask_and_read_memory(service: Service, requests: int) -> tuple[float, int]:
    """Send requests; return the server's megabytes towards their end, and the number of failures.

    The megabytes are the median of several readings, which differ by tens of megabytes with the allocator's releases.
    """
    last = min(READINGS * READING_REQUESTS, requests)
    errors = service.ask(MEMORY_CLIENTS, requests=requests - last).errors if requests > last else 0
    readings = []
    for begun in range(0, last, READING_REQUESTS):
        errors += service.ask(MEMORY_CLIENTS, requests=min(READING_REQUESTS, last - begun)).errors
        readings.append(service.server.read_rss_megabytes())
    return median(readings), errors


def measure_throughput(
    service: Service, loop: Callable[[float], float] | None, seconds: float, advance: Callable[[], None]
) -> Samples:
    """Measure throughput, latencies and errors at each number of clients, and the bare loop between them.

    Args:
        service: the server.
        loop: runs the bare passes that the server is compared with for some seconds, and returns lineups per second;
            None to leave them out.
        seconds: the seconds of load at each level.
        advance: called after each level of each sweep.
    """
    samples: Samples = {}
    results: dict[int, list[LoadResult]] = {clients: [] for clients in CLIENTS}
    # The first requests fill memory and caches; they are not counted.
    service.ask(max(CLIENTS), requests=2 * max(CLIENTS))
    for _ in range(SWEEPS):
        if loop is not None:
            merge(samples, {"loop.beside": loop(seconds / SWEEPS)})
        advance()
        for clients in CLIENTS:
            results[clients].append(service.ask(clients, seconds=seconds / SWEEPS))
            advance()
    for clients, sweeps in results.items():
        samples |= summarise_load(f"http.{clients}", sweeps)
    return samples


def summarise_load(key: str, sweeps: list[LoadResult]) -> Samples:
    """Throughput, errors and latencies of one level of load, with keys that begin with `key`."""
    latencies = [value for sweep in sweeps for value in sweep.latencies_milliseconds]
    samples: Samples = {
        "throughput": [len(sweep.latencies_milliseconds) / sweep.seconds for sweep in sweeps],
        "errors": [float(sum(sweep.errors for sweep in sweeps))],
    }
    if latencies:
        samples |= {f"p{share}": [percentile(latencies, share)] for share in SHARES}
    return {f"{key}.{name}": values for name, values in samples.items()}
