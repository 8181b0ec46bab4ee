"""The real server in its own process."""

import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType

import psutil

from app.settings import Settings

READY = re.compile(r"is ready: http://(\S+)")
READY_SECONDS = 300
END_SECONDS = 30


def serve_command(settings: Settings) -> list[str]:
    """The command for `cbam-lens serve` on a free port, with this Python."""
    # The same as the console script, which need not be on the path.
    script = [sys.executable, "-c", "from app.cli import main; main()"]
    lineups = [argument for lineup in settings.lineups for argument in ("--lineup", lineup)]
    labels = [argument for names in settings.labels for argument in ("--labels", names)]
    return [*script, "serve", "--port", "0", *lineups, *labels, "--device", settings.device]


class ServerProcess:
    """A server that runs, ready for requests, inside a `with` block.

    Args:
        command: starts the server, which prints its address on standard error once it is ready.
        environment: its environment variables; this process's by default.

    Attributes:
        address: host:port.
        ready_seconds: the time from the command until it was ready.

    Raises:
        ChildProcessError: when it does not become ready; the message has its last lines.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.address = ""
        self.ready_seconds = 0.0
        self._command = command
        self._environment = environment
        self._lines: deque[str] = deque(maxlen=5)
        self._has_spoken = threading.Event()

    def __enter__(self) -> "ServerProcess":
        self._start = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603  # our own command
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=self._environment
        )
        # Keep reading: a full pipe would stop the server.
        self._reader = threading.Thread(target=self._read, name="cbam-lens-bench-server", daemon=True)
        self._reader.start()
        self._has_spoken.wait(READY_SECONDS)
        if not self.address:
            self._end()
            raise ChildProcessError(f"the server did not become ready; it said: {' '.join(self._lines) or 'nothing'}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def read_rss_megabytes(self) -> float:
        """The memory of the server and its children (resident set size, 10^6 bytes)."""
        return read_rss_megabytes(self._process.pid)

    def read_cpu_seconds(self) -> float:
        """The processor time of the server and all its children since they began."""
        process = psutil.Process(self._process.pid)
        seconds = 0.0
        for one in (process, *process.children(recursive=True)):
            # A child may end meanwhile.
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                seconds += times.user + times.system
        return seconds

    def _read(self) -> None:
        assert self._process.stderr is not None  # noqa: S101  # asked for above
        for line in self._process.stderr:
            self._lines.append(line.strip())
            if not self.address and (found := READY.search(line)):
                self.ready_seconds = time.perf_counter() - self._start
                self.address = found[1]
                self._has_spoken.set()
        self._has_spoken.set()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(END_SECONDS)
        if self._process.stderr is not None:
            self._process.stderr.close()


def read_rss_megabytes(process_id: int) -> float:
    """Resident set size of a process and its children, in 10^6 bytes."""
    process = psutil.Process(process_id)
    return float(sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))) / 1e6
