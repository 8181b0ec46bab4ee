"""Pictures are decoded in other processes as in this one, and those end whenever they should."""

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import psutil
import pytest
from PIL import Image

from app.decoding import child, wire
from app.decoding.parts import DECODER, DecodedParts, DecodingRequest, Input, Order, decode_parts
from app.decoding.processes import ARE_POSSIBLE, LARGE_PAGES, DecodingProcesses
from app.decoding.threads import WorkThreads
from app.errors import DeadlinePassed, PictureTooLarge
from models.names import Geometry, Resolution
from models.pictures.errors import InvalidPicture, PictureError
from tests.conftest import ROOT, encode, make_picture
from tests.decoding.pictures import MAX_PIXELS, make_large_webp, make_slow_jpeg

pytestmark = pytest.mark.skipif(not ARE_POSSIBLE, reason="decoding processes need Linux")

SECONDS = 60.0
"""More than any of these pictures takes."""

WHOLE = DecodingRequest(MAX_PIXELS)

SMALL = encode(make_picture(80, 60))


@pytest.fixture(scope="module")
def processes() -> Iterator[DecodingProcesses]:
    found = DecodingProcesses()
    found.start()
    yield found
    found.close()


@pytest.fixture
def decode(processes: DecodingProcesses) -> Callable[..., DecodedParts]:
    return partial(processes.decode, seconds=SECONDS)


def find_children(processes: DecodingProcesses) -> list[psutil.Process]:
    """The decoding processes that have not ended."""
    assert processes._host is not None
    return psutil.Process(processes._host.pid).children()


def wait_until(holds: Callable[[], bool], *, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.005)


REQUESTS = {
    "whole": WHOLE,
    "small": DecodingRequest(MAX_PIXELS, longer_side=50),
    "for a network": DecodingRequest(
        MAX_PIXELS, shorter_side=100, longer_side=1024, input=Input(Geometry.WHOLE, Resolution.PIXELS_224, 0.875)
    ),
}


@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_decode_gives_what_it_gives_in_this_process(
    decode: Callable[..., DecodedParts], form: str, request_name: str
) -> None:
    data, request = encode(make_picture(900, 700), form), REQUESTS[request_name]
    ours, theirs = decode_parts(data, request), decode(data, request)
    assert (theirs.width, theirs.height, theirs.pages, theirs.values) == (ours.width, ours.height, 1, None)
    assert (theirs.picture and theirs.picture.tobytes()) == (ours.picture and ours.picture.tobytes())
    if ours.seen is None:
        assert theirs.seen is None
    else:
        assert theirs.seen is not None
        assert np.array_equal(theirs.seen, ours.seen)


def test_decode_gives_the_values_of_deep_pictures(decode: Callable[..., DecodedParts]) -> None:
    data = encode(Image.fromarray(np.linspace(0, 9, 600, dtype=np.float32).reshape(20, 30)), "TIFF")
    assert decode(data, WHOLE).values == decode_parts(data, WHOLE).values is not None


@pytest.mark.parametrize("data", [b"", b"no picture", SMALL[:200], b"<svg></svg>", make_large_webp()])
def test_decode_raises_the_error_of_the_picture(decode: Callable[..., DecodedParts], data: bytes) -> None:
    request = DecodingRequest(1_000_000)
    with pytest.raises(PictureError) as ours:
        decode_parts(data, request)
    with pytest.raises(ours.type) as theirs:
        decode(data, request)
    assert str(theirs.value) == str(ours.value)


def test_process_is_kept_for_the_next_small_picture_and_ends_after_a_large_one(
    processes: DecodingProcesses, decode: Callable[..., DecodedParts]
) -> None:
    decode(SMALL, WHOLE)
    (kept,) = find_children(processes)
    decode(SMALL, WHOLE)
    assert find_children(processes) == [kept]
    decode(make_large_webp(), DecodingRequest(MAX_PIXELS, longer_side=64))
    wait_until(lambda: not find_children(processes))


@pytest.mark.parametrize("own", [None, "glibc.malloc.check=0"])
def test_system_is_asked_for_large_pages_unless_the_user_has_other_settings(
    monkeypatch: pytest.MonkeyPatch, own: str | None
) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if own is not None:
        monkeypatch.setenv("GLIBC_TUNABLES", own)
    processes = DecodingProcesses()
    processes.decode(SMALL, WHOLE, seconds=SECONDS)
    (found,) = find_children(processes)
    assert found.environ()["GLIBC_TUNABLES"] == (own or LARGE_PAGES)
    processes.close()


def test_deadline_kills_the_process(processes: DecodingProcesses) -> None:
    begin = time.monotonic()
    with pytest.raises(DeadlinePassed, match=r"not decoded within 0\.3 s"):
        processes.decode(make_slow_jpeg(), WHOLE, seconds=0.3)
    assert not find_children(processes)
    assert time.monotonic() - begin < 3


def test_killed_process_is_gone_at_once_beside_one_that_is_kept(processes: DecodingProcesses) -> None:
    def decode_slowly() -> None:
        with pytest.raises(DeadlinePassed):
            processes.decode(make_slow_jpeg(), WHOLE, seconds=0.7)

    slow = threading.Thread(target=decode_slowly)
    begin = time.monotonic()
    slow.start()
    wait_until(lambda: len(find_children(processes)) == 1)
    # Forked later, it could hold the other one's connection open.
    processes.decode(SMALL, WHOLE, seconds=SECONDS)
    slow.join()
    assert len(find_children(processes)) == 1
    assert time.monotonic() - begin < 5


def test_picture_that_ends_its_process_is_refused_and_the_next_one_is_read(
    processes: DecodingProcesses, decode: Callable[..., DecodedParts]
) -> None:
    def kill() -> None:
        wait_until(lambda: bool(find_children(processes)))
        for found in find_children(processes):
            found.kill()

    def decode_once() -> None:
        killer = threading.Thread(target=kill)
        killer.start()
        try:
            decode(make_slow_jpeg(), WHOLE)
        finally:
            killer.join()

    def decode_often() -> None:
        # On a busy machine the process can be killed before it has the picture, which costs nothing.
        for _ in range(5):
            decode_once()

    with pytest.raises(InvalidPicture, match="ended the process that decoded it"):
        decode_often()
    assert decode(SMALL, WHOLE).width == 80


def test_process_that_ends_while_it_is_idle_costs_no_picture(
    processes: DecodingProcesses, decode: Callable[..., DecodedParts]
) -> None:
    decode(SMALL, WHOLE)
    for found in find_children(processes):
        found.kill()
    wait_until(lambda: not find_children(processes))
    assert decode(SMALL, WHOLE).width == 80


def test_host_that_ends_is_replaced_and_takes_its_children_with_it() -> None:
    processes = DecodingProcesses()
    processes.decode(SMALL, WHOLE, seconds=SECONDS)
    children = find_children(processes)
    assert processes._host is not None
    processes._host.kill()
    processes._host.wait()
    wait_until(lambda: not any(found.is_running() for found in children))
    assert processes.decode(SMALL, WHOLE, seconds=SECONDS).width == 80
    processes.close()


def test_cancelled_work_frees_its_core_and_no_more_run_than_there_are_places(processes: DecodingProcesses) -> None:
    places = 2
    seen: list[int] = []

    async def hang_up(threads: WorkThreads) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await threads.run(lambda: DECODER.get()(make_large_webp(), WHOLE))

    async def watch() -> None:
        while True:
            seen.append(len(find_children(processes)))
            await asyncio.sleep(0.005)

    async def leave_all() -> float:
        threads = WorkThreads(partial(processes.decode, seconds=SECONDS), limit=places)
        watching = asyncio.create_task(watch())
        await asyncio.gather(*(hang_up(threads) for _ in range(10)))
        begin = time.monotonic()
        parts = await threads.run(lambda: DECODER.get()(SMALL, WHOLE))
        assert parts.width == 80
        watching.cancel()
        return time.monotonic() - begin

    assert asyncio.run(leave_all()) < 1
    assert 1 <= max(seen) <= places


def run_in_fork(act: Callable[[], bool]) -> bool:
    """What `act` returns in a forked process, whose limits are its own; False if it does not return."""
    pid = os.fork()
    if pid == 0:
        result = False
        try:
            result = act()
        finally:
            os._exit(0 if result else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


DECODE_WITH_LITTLE = """
import sys

from app.decoding import child
from app.decoding.parts import DecodingRequest, Order

data = sys.stdin.buffer.read()
child.Limits().set(Order(size_bytes=0, seconds=60.0, request=DecodingRequest(1)))
answer = child._decode(data, Order(size_bytes=len(data), seconds=60.0, request=DecodingRequest(50_000_000)))
print(answer.error, answer.message)
"""


def test_picture_that_takes_too_much_memory_is_refused() -> None:
    data = encode(Image.new("RGB", (8_000, 6_000)))
    # In a process of its own: a test's process may hold more than the limit already.
    ran = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-c", DECODE_WITH_LITTLE], input=data, cwd=ROOT, check=True, capture_output=True
    )
    said = ran.stdout.decode()
    assert said.startswith(PictureTooLarge.__name__)
    assert "MB of memory, the limit" in said


def test_process_without_a_server_ends_after_its_time_on_a_core() -> None:
    def spin() -> bool:
        child.Limits().set(Order(size_bytes=0, seconds=-2.0, request=WHOLE))
        while True:
            pass

    begin = time.monotonic()
    assert not run_in_fork(spin)
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize(
    "message",
    [
        b"{",
        b'{"width": 1}',
        b'{"width":9,"height":9,"pages":1,"values":null,"picture":[60000,60000],"seen":null,"is_last":false}',
        b'{"width":9,"height":9,"pages":1,"values":null,"picture":[900,900],"seen":null,"is_last":false}',
    ],
    ids=["no JSON", "too little", "too large", "without its pixels"],
)
def test_answer_that_no_decoding_gives_is_refused(message: bytes) -> None:
    processes = DecodingProcesses()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    processes._idle.append(ours)

    def answer() -> None:
        with theirs, wire.Channel(theirs).receive():
            theirs.send(message)

    answering = threading.Thread(target=answer)
    answering.start()
    with pytest.raises(InvalidPicture, match="ended the process"):
        processes.decode(SMALL, WHOLE, seconds=SECONDS)
    answering.join()


SERVER = """
import sys, threading, time
from app.decoding.parts import DecodingRequest
from app.decoding.processes import PROCESSES
from tests.decoding.pictures import MAX_PIXELS, make_slow_jpeg

data = make_slow_jpeg()
decode = lambda: PROCESSES.decode(data, DecodingRequest(MAX_PIXELS), seconds=60)
threading.Thread(target=decode, daemon=True).start()
while PROCESSES._host is None:
    time.sleep(0.01)
print(PROCESSES._host.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_processes_end_with_their_server_however_it_ends(number: signal.Signals) -> None:
    server = subprocess.Popen(  # noqa: S603  # this test's own program
        [sys.executable, "-c", SERVER], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert server.stdout is not None
    host = psutil.Process(int(server.stdout.readline()))
    wait_until(lambda: bool(host.children()))
    (decoding,) = host.children()
    server.send_signal(number)
    server.wait()
    server.stdout.close()
    wait_until(lambda: not any(found.is_running() and found.status() != "zombie" for found in (host, decoding)))


def test_picture_is_read_whole_from_its_bands() -> None:
    picture = make_picture(1000, 1500)

    def send(pipe: io.FileIO) -> None:
        with pipe:
            wire.write_picture(pipe.fileno(), picture)

    with socket.socket() as connection, wire.open_pipe() as (reading, writing):
        channel = wire.Channel(connection, SECONDS)
        sending = threading.Thread(target=send, args=(writing,))
        sending.start()
        assert channel.read_picture(reading, 1000, 1500) == picture
        sending.join()
        with pytest.raises(wire.ChannelEnded):
            channel.read_pipe(reading, 1)


def test_process_that_sends_too_few_pixels_is_left_at_the_deadline() -> None:
    processes = DecodingProcesses()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    processes._idle.append(ours)
    message = b'{"width":9,"height":9,"pages":1,"values":null,"picture":[9,9],"seen":null,"is_last":false}'

    def answer() -> None:
        with theirs, wire.Channel(theirs).receive() as (_, descriptors):
            theirs.send(message)
            # Too few of them, and then nothing until the server leaves.
            wire.write(descriptors[1], bytes(100))
            assert theirs.recv(1) == b""

    answering = threading.Thread(target=answer)
    answering.start()
    begin = time.monotonic()
    with pytest.raises(DeadlinePassed):
        processes.decode(SMALL, WHOLE, seconds=0.3)
    assert time.monotonic() - begin < 5
    answering.join()


def test_server_that_reads_no_more_ends_the_process(processes: DecodingProcesses) -> None:
    connection = processes._fork()
    channel = wire.Channel(connection, SECONDS)
    data = encode(make_picture(900, 700))
    order = Order(size_bytes=len(data), seconds=SECONDS, request=WHOLE)
    with wire.open_pipe() as (_, writing), wire.open_file() as file:
        wire.write(file, data)
        channel.send(order.model_dump_json(), file, writing.fileno())
        writing.close()
        with channel.receive() as (message, _):
            assert b'"error"' not in message
    with connection, pytest.raises(wire.ChannelEnded), channel.receive():
        pass
