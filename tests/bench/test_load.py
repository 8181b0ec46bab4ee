"""The load client: its requests, its counts, and its own cost."""

import io
from pathlib import Path

import pytest
from PIL import Image

from app.bench.contestants.pictures import SMALL, make_jpeg
from app.bench.servers.load import LoadClients, stamp_jpeg
from app.bench.servers.server import ServerProcess
from app.bench.service import Service
from tests.bench.fake_server import run_fake_server
from tests.conftest import decode
from tests.test_layers import reach


@pytest.mark.parametrize("clients", [1, 4])
def test_load_counts_every_third_request_as_error(clients: int) -> None:
    with run_fake_server() as server:
        result = LoadClients(server.address, [b"\xff\xd8jpeg"], requests=30).run(clients)
    assert (len(result.latencies_milliseconds), result.errors) == (20, 10)
    assert result.messages == ["status 503"]
    assert result.seconds > 0


def test_load_ends_when_its_time_is_over() -> None:
    with run_fake_server() as server:
        result = LoadClients(server.address, [b"\xff\xd8jpeg"], seconds=0.2).run(2)
    assert 0.2 <= result.seconds < 5
    assert result.latencies_milliseconds


def test_load_counts_a_refused_connection_as_error() -> None:
    with run_fake_server() as server:
        address = server.address
    result = LoadClients(address, [b"\xff\xd8jpeg"], requests=3).run(1)
    assert result.errors == 3
    assert result.messages[0].startswith("ConnectionRefusedError")


def test_load_sends_other_bytes_every_time() -> None:
    with run_fake_server() as server:
        LoadClients(server.address, [b"\xff\xd8jpeg"], requests=8).run(2)
    assert len(set(server.bodies)) == 8


def test_load_client_process_answers_with_what_it_counted(tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(make_jpeg((32, 24)))
    process = ServerProcess([])
    with run_fake_server() as server:
        process.address = server.address
        service = Service(process, tmp_path)
        result = service.ask(2, requests=6)
    assert (len(result.latencies_milliseconds), result.errors) == (4, 2)
    assert service.problems == ["status 503"]


def test_load_client_is_light() -> None:
    ours = {name for name in reach("app.bench.servers.load") if name.startswith(("app", "models"))}
    assert ours == {"app.bench.servers.load", "app.api.links", "app.api.links.ANALYSES", "app.api.links.PREFIX"}
    assert not reach("app.bench.servers.load") & {"torch", "numpy", "PIL", "pydantic", "rich"}


def test_stamped_jpeg_is_the_same_picture() -> None:
    jpeg = make_jpeg(SMALL)
    stamped = stamp_jpeg(jpeg, 7)
    assert stamped != jpeg
    assert stamp_jpeg(jpeg, 8) != stamped
    assert decode(stamped).tobytes() == decode(jpeg).tobytes()


def test_made_jpegs_are_different_photographs_of_the_size_asked_for() -> None:
    first, second = make_jpeg(SMALL), make_jpeg(SMALL, shift=0.5)
    with Image.open(io.BytesIO(first)) as picture:
        assert (picture.format, picture.size) == ("JPEG", SMALL)
    assert decode(first).tobytes() != decode(second).tobytes()
