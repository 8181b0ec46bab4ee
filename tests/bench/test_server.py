"""The server as a process: ready, measured, ended; and one that never becomes ready."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from app.bench.contestants.pictures import write_jpegs
from app.bench.servers.server import ServerProcess, read_rss_megabytes, serve_command
from app.bench.servers.startup import RUNS, list_weights, measure_startup
from app.bench.service import CLIENTS, SWEEPS, Service, measure_memory, measure_throughput
from app.settings import Settings
from tests.bench import fake_server
from tests.lineups import RESNET18_110

pytestmark = pytest.mark.slow

FAKE = [sys.executable, fake_server.__file__]


def test_server_process_is_ready_inside_and_gone_after() -> None:
    others = set(psutil.Process().children())
    with ServerProcess(FAKE) as server:
        assert server.address.startswith("127.0.0.1:")
        assert 0 < server.ready_seconds < 30
        children = set(psutil.Process().children()) - others
        assert children
        assert server.read_rss_megabytes() > 1
    assert not any(child.is_running() for child in children)


def test_server_process_that_ends_early_says_why() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such lineup')"]
    with (
        pytest.raises(ChildProcessError, match="did not become ready; it said: no such lineup"),
        ServerProcess(command),
    ):
        pytest.fail("it is not ready")


def test_rss_is_what_the_process_holds() -> None:
    held = 64_000_000
    code = f"held = b'x' * {held}; print(flush=True); input()"
    # A process of its own, because other tests change the memory of this one.
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None
        process.stdout.readline()
        megabytes = read_rss_megabytes(process.pid)
        process.communicate(b"\n")
    assert held / 1e6 < megabytes < held / 1e6 + 40


def test_memory_and_throughput_have_every_figure(tmp_path: Path) -> None:
    write_jpegs(tmp_path, 2)
    steps: list[None] = []
    with ServerProcess(FAKE) as server:
        service = Service(server, tmp_path)
        samples = measure_memory(service, 9, lambda: steps.append(None))
        samples |= measure_throughput(service, None, 0.15, lambda: steps.append(None))
    assert samples["memory.errors"] == [3.0]
    assert samples["memory.growth"][0] == pytest.approx(samples["memory.late"][0] - samples["memory.early"][0])
    for clients in CLIENTS:
        assert len(samples[f"http.{clients}.throughput"]) == SWEEPS
        assert samples[f"http.{clients}.p50"] <= samples[f"http.{clients}.p95"] <= samples[f"http.{clients}.p99"]
        assert samples[f"http.{clients}.errors"][0] > 0
    assert "loop.beside" not in samples
    assert len(steps) == 2 + SWEEPS * (1 + len(CLIENTS))


def test_startup_takes_both_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.bench.servers.startup.IMPORTS", "import sys")
    samples = measure_startup(FAKE, [], lambda: None)
    assert {key: len(values) for key, values in samples.items()} == {"startup.imports": RUNS, "startup.ready": RUNS}


def test_weights_are_the_lineups_own() -> None:
    directory = RESNET18_110.parent
    assert sorted(list_weights(RESNET18_110)) == sorted(directory.glob("resnet18_*.safetensors"))


def test_serve_command_is_the_command_line_itself() -> None:
    command = serve_command(Settings(device="cpu"))
    assert command[3:6] == ["serve", "--port", "0"]
    assert command[-2:] == ["--device", "cpu"]
