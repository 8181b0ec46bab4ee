"""Faults while the server works: it reports them, loses nothing that it can keep, and continues."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient

from app.engine.device_engine import DeviceEngine
from app.engine.traces import LineupTrace
from app.engine.work import PictureWork, TracedPicture
from app.errors import EngineFailed
from app.main import create_app
from app.serving import prepare_server
from app.settings import Settings
from models.lineups.lineup import Lineup
from tests.conftest import ROOT, encode, make_picture
from tests.engine.holding import hold

SHAPE = (3, 64, 64)


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(1).standard_normal(SHAPE).astype(np.float32)


async def trace(engine: DeviceEngine, lineup: Lineup, values: np.ndarray) -> LineupTrace:
    return (await engine.submit(PictureWork(lineup, values))).traces


def test_another_worker_goes_on_when_one_dies_in_a_batch(
    lineup: Lineup, values: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = PictureWork.compute_together
    deaths = [1]

    def die_once(batch: Sequence[PictureWork]) -> Sequence[TracedPicture]:
        if deaths:
            deaths.pop()
            raise SystemExit("the thread ends")
        return compute(batch)

    monkeypatch.setattr(PictureWork, "compute_together", die_once)
    engine = DeviceEngine(queue_size=8)
    engine.start()

    async def ask() -> list[object]:
        # Two of one shape share the pass in which the worker dies; the third waits behind them.
        release = await hold(engine, lineup)
        shapes = (values, values, values[:, :, :32].copy())
        jobs = [asyncio.create_task(trace(engine, lineup, shape)) for shape in shapes]
        await asyncio.sleep(0)
        release()
        return list(await asyncio.gather(*jobs, return_exceptions=True))

    first = set(threading.enumerate())
    answers = asyncio.run(ask())
    assert [type(answer) for answer in answers] == [EngineFailed, EngineFailed, dict]
    assert "send the picture again" in str(answers[0])
    assert engine.is_ready
    assert len(asyncio.run(trace(engine, lineup, values))["cbam"].logits) == 110
    engine.close()
    # Threads, not their names: other tests' engines are called alike.
    assert set(threading.enumerate()) <= first


def test_memory_that_is_too_small_halves_the_batch(
    lineup: Lineup, values: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    compute = PictureWork.compute_together

    def need_memory(batch: Sequence[PictureWork]) -> Sequence[TracedPicture]:
        sizes.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory (simulated)")
        return compute(batch)

    monkeypatch.setattr(PictureWork, "compute_together", need_memory)
    engine = DeviceEngine(queue_size=32, batch_size=8)
    engine.start()

    async def ask() -> list[int]:
        release = await hold(engine, lineup)
        jobs = [asyncio.create_task(trace(engine, lineup, values)) for _ in range(16)]
        await asyncio.sleep(0)
        release()
        return [len((await job)["cbam"].logits) for job in jobs]

    assert asyncio.run(ask()) == [110] * 16
    engine.close()
    assert sizes[:4] == [8, 4, 2, 2]
    # A batch size that did not fit is not tried again.
    assert set(sizes[7:]) == {2}


def test_picture_for_which_the_memory_is_too_small_is_told_so(
    lineup: Lineup, values: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(batch: Sequence[PictureWork]) -> Sequence[TracedPicture]:
        raise torch.OutOfMemoryError("CUDA out of memory (simulated)")

    engine = DeviceEngine(queue_size=1)
    engine.start()
    with monkeypatch.context() as patch:
        patch.setattr(PictureWork, "compute_together", fail)
        with pytest.raises(EngineFailed, match="memory is too small for this picture"):
            asyncio.run(trace(engine, lineup, values))
    assert len(asyncio.run(trace(engine, lineup, values))["cbam"].logits) == 110
    engine.close()


def test_server_is_not_ready_when_a_lineup_cannot_answer(lineup: Lineup, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(batch: Sequence[PictureWork]) -> Sequence[TracedPicture]:
        raise RuntimeError("a broken network")

    monkeypatch.setattr(PictureWork, "compute_together", fail)
    with TestClient(create_app(Settings(), lineups=[lineup])) as client:
        deadline = time.monotonic() + 20
        while client.get("/readyz").json()["status"] == "starting" and time.monotonic() < deadline:
            time.sleep(0.01)
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "failed"})
        assert client.get("/healthz").status_code == 200


def test_server_is_ready_after_a_first_picture(lineup: Lineup, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    compute = PictureWork.compute_together

    def hold(batch: Sequence[PictureWork]) -> Sequence[TracedPicture]:
        release.wait(20)
        return compute(batch)

    monkeypatch.setattr(PictureWork, "compute_together", hold)
    with TestClient(create_app(Settings(), lineups=[lineup])) as client:
        before = client.get("/readyz")
        release.set()
        deadline = time.monotonic() + 20
        while client.get("/readyz").status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert (before.status_code, before.json()) == (503, {"status": "starting"})
        assert client.get("/readyz").json() == {"status": "ok"}
        client.app.state.readiness_check.is_draining = True  # type: ignore[attr-defined]
        ending = client.get("/readyz")
        assert (ending.status_code, ending.json()) == (503, {"status": "draining"})
        picture = {"image": encode(make_picture(40, 30))}
        assert client.post("/api/v1/heatmap", files=picture).status_code == 200


def test_networks_that_answer_nonsense_are_a_problem(lineup: Lineup, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = {"image": encode(make_picture(40, 30))}
    with TestClient(create_app(Settings(), lineups=[lineup])) as client:
        head = lineup.networks["cbam"].linear_head
        assert head is not None
        weights = head.weight
        kept = weights.detach().clone()
        try:
            weights.fill_(float("nan"))
            answer = client.post("/api/v1/heatmap", files=picture)
        finally:
            weights.copy_(kept)
        assert answer.status_code == 500
        assert "the cbam network computed values that are not finite; check its weights" in answer.text
        assert client.post("/api/v1/heatmap", files=picture).status_code == 200


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_clock_may_jump(lineup: Lineup, monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    picture = {"image": encode(make_picture(40, 30))}
    clock = time.time
    with TestClient(create_app(Settings(rate_limit="1000/minute"), lineups=[lineup])) as client:
        identifier = client.post("/api/v1/analyses", files=picture).json()["id"]
        monkeypatch.setattr(time, "time", lambda: clock() + jump)
        assert client.get(f"/api/v1/analyses/{identifier}").status_code == 200
        assert client.post("/api/v1/heatmap", files=picture).status_code == 200


def limit_files() -> None:
    """Let no file grow beyond 20 KB, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.slow(rare=True)
def test_disk_that_is_full_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(encode(make_picture(600, 400)))
    output = tmp_path / "out"
    command = [sys.executable, "-c", "from app.cli import main; main()", "compare", str(picture), "-o", str(output)]
    result = subprocess.run(  # noqa: S603  # our own command
        command, cwd=ROOT, capture_output=True, text=True, preexec_fn=limit_files, check=False, timeout=120
    )
    assert result.returncode == 2
    last = result.stderr.splitlines()[-1]
    assert last.startswith("cbam-lens: ")
    assert "cannot be written: File too large; free some space or choose another --output" in last
    assert list(output.iterdir()) == []


@contextmanager
def start_server(scratch: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A server started from the command line that may write only to one directory, and its address."""
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", "0"]
    environment = os.environ | {"TMPDIR": str(scratch), "HOME": str(scratch), "MPLCONFIGDIR": str(scratch)}
    with subprocess.Popen(  # noqa: S603  # our own command
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "is ready: http://" in line)
        yield process, next(word for word in line.split() if word.startswith("http://"))
        process.kill()


@pytest.mark.slow(rare=True)
def test_killed_server_leaves_nothing_of_a_picture_behind_and_starts_again(tmp_path: Path) -> None:
    # So large that a parser may write it to disk.
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), dtype=np.uint8)
    picture = {"image": ("p.png", encode(make_picture(40, 30)) + noise.tobytes())}

    def send(address: str) -> int:
        try:
            return httpx2.post(f"{address}/api/v1/analyses", files=picture, timeout=60).status_code
        except httpx2.HTTPError:
            return 0

    with start_server(tmp_path) as (process, address), ThreadPoolExecutor(4) as pool:
        assert send(address) == 201
        answers = [pool.submit(send, address) for _ in range(12)]
        answers[0].result()
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        assert {answer.result() for answer in answers} <= {0, 201}
    found = [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size > 100_000]
    assert found == []
    with start_server(tmp_path) as (_, address):
        assert send(address) == 201


def test_idle_connection_outlives_what_a_refusal_asks_to_wait_and_a_proxys_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A refused client waits for five seconds, uvicorn's default, so its next request met a closing connection."""
    server, listener = prepare_server(Settings(threads=1), host="127.0.0.1", port=0)

    async def idle_between_requests(minutes: int) -> list[bytes]:
        loop = asyncio.get_running_loop()
        clock, idle = loop.time, [0.0]
        monkeypatch.setattr(loop, "time", lambda: clock() + sum(idle))
        listener.listen()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        answers = []
        try:
            for _ in range(1 + minutes):
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                answers.append(await reader.readline())
                while (await reader.readline()).strip():
                    pass
                await reader.readexactly(len(b'{"status":"ok"}'))
                # Everything that is due within the next minute happens now.
                idle.append(61)
                await asyncio.sleep(0.01)
            idle.append(61)
            answers.append(await reader.read())
        finally:
            writer.close()
            server.should_exit = True
            await serving
        return answers

    with listener:
        assert asyncio.run(idle_between_requests(2)) == [b"HTTP/1.1 200 OK\r\n"] * 3 + [b""]
