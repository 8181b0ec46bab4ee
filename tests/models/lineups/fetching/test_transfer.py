"""Transfers that break off, servers that do not know ranges, mirrors, proxies and redirects."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.lineups.fetching.connection import check_mirror, mirror_url
from models.lineups.fetching.download import FetchOptions
from models.lineups.fetching.published import FetchError
from models.lineups.fetching.store import WeightStore
from tests.models.lineups.fetching.publisher import PATH, WEIGHTS, Publisher, make_file, make_zip

ZIP = make_zip()

REFUSING = "http://127.0.0.1:9"
"""Nobody listens on port 9."""


def test_transfer_that_breaks_off_is_resumed_and_no_byte_is_sent_twice(publisher: Publisher, tmp_path: Path) -> None:
    publisher.breaks = [100_000, 50_000]
    path = publisher.open_store(tmp_path).fetch(make_file())
    assert path.read_bytes() == WEIGHTS
    assert [asked.range for asked in publisher.asked] == [None, "bytes=100000-", "bytes=150000-"]
    assert publisher.sent_bytes == len(ZIP)


def test_next_call_goes_on_where_the_last_one_was_given_up(publisher: Publisher, tmp_path: Path) -> None:
    publisher.breaks = [1000] * 3
    store = publisher.open_store(tmp_path, attempts=3)
    with pytest.raises(
        FetchError, match=r"broke off after 3,000 of 300,[0-9]+ bytes, 3 times; what has arrived is kept"
    ):
        store.fetch(make_file())
    assert not store.place_of(make_file()).exists()
    assert store.fetch(make_file()).read_bytes() == WEIGHTS
    assert publisher.asked[3].range == "bytes=3000-"
    assert publisher.sent_bytes == len(ZIP)


def test_server_that_ignores_the_range_sends_everything_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.breaks, publisher.knows_ranges = [100_000], False
    assert publisher.open_store(tmp_path).fetch(make_file()).read_bytes() == WEIGHTS
    assert publisher.asked[1].range == "bytes=100000-"
    assert publisher.sent_bytes == 100_000 + len(ZIP)


def test_transfer_that_was_complete_is_not_repeated(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / f"{make_file().archive}.part").write_bytes(ZIP)
    assert publisher.open_store(tmp_path).fetch(make_file()).read_bytes() == WEIGHTS
    assert publisher.sent_bytes == 0


def test_longer_beginning_of_another_file_is_dropped(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / f"{make_file().archive}.part").write_bytes(bytes(len(ZIP) + 1))
    assert publisher.open_store(tmp_path).fetch(make_file()).read_bytes() == WEIGHTS


def test_endless_answer_is_cut_off(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files[PATH] = bytes(make_file().most_bytes + 1)
    with pytest.raises(FetchError, match=r"longer than 1,600,000 bytes"):
        publisher.open_store(tmp_path).fetch(make_file())
    assert not list(tmp_path.glob("net*"))


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_server_that_is_busy_is_asked_again(publisher: Publisher, tmp_path: Path, status: int) -> None:
    publisher.statuses = [status, status]
    assert publisher.open_store(tmp_path).fetch(make_file()).read_bytes() == WEIGHTS
    assert len(publisher.asked) == 3


@pytest.mark.parametrize("status", [401, 403, 404])
def test_file_that_is_not_there_is_asked_for_once(publisher: Publisher, tmp_path: Path, status: int) -> None:
    publisher.statuses = [status]
    with pytest.raises(FetchError) as caught:
        publisher.open_store(tmp_path).fetch(make_file())
    assert f"{publisher.address}{PATH} could not be fetched: the server answered {status}" in str(caught.value)
    assert f"put it at {tmp_path / make_file().archive} (or the file inside it at" in str(caught.value)
    assert len(publisher.asked) == 1


def test_missing_network_is_said_in_one_line_at_once(tmp_path: Path) -> None:
    store = WeightStore(tmp_path, options=FetchOptions(REFUSING, pause_seconds=3600))
    with pytest.raises(FetchError, match=f"{REFUSING}{PATH} could not be fetched: Connection refused; else") as caught:
        store.fetch(make_file())
    assert len(str(caught.value).splitlines()) == 1


def test_mirror_replaces_scheme_and_host_and_may_have_a_path(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files[f"/mirrors/zoo{PATH}"] = publisher.files.pop(PATH)
    store = WeightStore(tmp_path, options=FetchOptions(f"{publisher.address}/mirrors/zoo/"))
    assert store.fetch(make_file()).read_bytes() == WEIGHTS
    assert mirror_url(f"https://publisher.example{PATH}", None) == f"https://publisher.example{PATH}"


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY"])
def test_proxy_of_the_environment_is_asked(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, publisher.address)
    store = WeightStore(tmp_path, options=FetchOptions("http://mirror.example"))
    assert store.fetch(make_file()).read_bytes() == WEIGHTS
    assert [asked.line for asked in publisher.asked] == [f"GET http://mirror.example{PATH} HTTP/1.1"]


def test_https_goes_through_a_tunnel_of_the_proxy(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", publisher.address)
    with pytest.raises(FetchError, match="Tunnel connection failed: 502 Bad Gateway"):
        WeightStore(tmp_path).fetch(make_file())
    assert [asked.line.split()[:2] for asked in publisher.asked] == [["CONNECT", "publisher.example:443"]]


def test_no_proxy_is_honoured(publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", REFUSING)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert publisher.open_store(tmp_path).fetch(make_file()).read_bytes() == WEIGHTS


def test_mirror_of_plain_http_may_lead_to_plain_http(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["/elsewhere"] = publisher.files.pop(PATH)
    publisher.redirects[PATH] = "/elsewhere"
    assert publisher.open_store(tmp_path).fetch(make_file()).read_bytes() == WEIGHTS


def test_range_is_asked_for_behind_a_redirect_too(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["/elsewhere"] = publisher.files.pop(PATH)
    publisher.redirects[PATH] = "/elsewhere"
    publisher.breaks = [100_000]
    assert publisher.open_store(tmp_path).fetch(make_file()).read_bytes() == WEIGHTS
    assert publisher.asked[-1].range == "bytes=100000-"
    assert publisher.sent_bytes == len(ZIP)


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/x.zip", "file:///etc/passwd"])
def test_redirect_to_another_protocol_is_refused(publisher: Publisher, tmp_path: Path, address: str) -> None:
    publisher.redirects[PATH] = address
    with pytest.raises(FetchError, match=f"it redirects to {address}, which is not https|{address}' is not allowed"):
        publisher.open_store(tmp_path).fetch(make_file())
    assert len(publisher.asked) == 1


@contextmanager
def answer_raw(*answers: bytes) -> Iterator[str]:
    """A server that sends these bytes, one answer a connection, whatever it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def fetch_in_one_line(mirror: str, directory: Path, *, attempts: int = 1) -> str:
    """The line that a fetch ends with."""
    options = FetchOptions(mirror, timeout_seconds=10, attempts=attempts, pause_seconds=0)
    with pytest.raises(FetchError) as caught:
        WeightStore(directory, options=options).fetch(make_file())
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://a..b/", f"http://{'a' * 70}.example/", "http://127.0.0.1:x/"]
)
def test_redirect_to_an_address_that_is_none_is_one_line(publisher: Publisher, tmp_path: Path, address: str) -> None:
    publisher.redirects[PATH] = address
    assert "its address, or the one it redirects to, is none (" in fetch_in_one_line(publisher.address, tmp_path)
    assert len(publisher.asked) == 1


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://a..b", f"http://{'a' * 70}.example", "http://127.0.0.1:1/\u00fc"]
)
def test_mirror_that_is_no_address_is_one_line(tmp_path: Path, address: str) -> None:
    if "[" not in address:
        assert "its address, or the one it redirects to, is none (" in fetch_in_one_line(address, tmp_path)
    with pytest.raises(ValueError, match="this is not a mirror's address"):
        check_mirror(address)


@pytest.mark.parametrize(
    "address", ["https://m.example", "http://127.0.0.1:8124/a/b/", "http://[::1]:80", "http://m.example./"]
)
def test_mirror_that_is_an_address_is_taken(address: str) -> None:
    check_mirror(address)


def test_length_of_thousands_of_digits_is_no_length(tmp_path: Path) -> None:
    with answer_raw(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n" + ZIP) as mirror:
        path = WeightStore(tmp_path, options=FetchOptions(mirror, attempts=1)).fetch(make_file())
    assert path.read_bytes() == WEIGHTS


def test_range_of_thousands_of_digits_is_another_part(tmp_path: Path) -> None:
    (tmp_path / f"{make_file().archive}.part").write_bytes(ZIP[:1000])
    head = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + b"9" * 5000 + b"-1/" + b"9" * 5000 + b"\r\n\r\n"
    with answer_raw(head) as mirror:
        line = fetch_in_one_line(mirror, tmp_path)
    assert "the server sent another part than it was asked for" in line
    # It was dropped.
    assert "is kept" not in line


def test_words_of_a_server_cannot_steer_the_terminal(tmp_path: Path) -> None:
    with answer_raw(b"HTTP/1.1 403 \x1b]0;owned\x07\x1b[31m" + b"x" * 1000 + b"\r\n\r\n") as mirror:
        line = fetch_in_one_line(mirror, tmp_path)
    assert line.isprintable()
    assert r"the server answered 403 \x1b]0;owned\x07\x1b[31mxxx" in line
    assert "x" * 200 not in line


def test_broken_answer_cannot_steer_the_terminal(tmp_path: Path) -> None:
    with answer_raw(b"\x1b]0;owned\x07\r\n") as mirror:
        line = fetch_in_one_line(mirror, tmp_path)
    assert line.isprintable()
    assert "the connection broke off" in line


def test_nothing_that_arrived_is_not_said_to_be_kept(publisher: Publisher, tmp_path: Path) -> None:
    publisher.statuses = [503, 503]
    line = fetch_in_one_line(publisher.address, tmp_path, attempts=2)
    assert "the server answered 503 Service Unavailable, 2 times; else get it otherwise" in line
    assert "is kept" not in line


def test_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mirror = f"http://127.0.0.1:{silent.getsockname()[1]}"
        store = WeightStore(tmp_path, options=FetchOptions(mirror, timeout_seconds=0.05, attempts=2, pause_seconds=0))
        with pytest.raises(FetchError, match=r"the connection broke off \(timed out\), 2 times"):
            store.fetch(make_file())
