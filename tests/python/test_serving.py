import logging
import urllib.request

import pytest

import cbam_lens as cl
from app.python.open_lineup import OpenLineup
from models.lineups.lineup import Lineup


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  # our own server
        return str(answer.read().decode())


def test_page_is_served_beside_the_program_until_it_is_stopped(lineup: Lineup) -> None:
    with cl.serve(OpenLineup(lineup), port=0, wait=False) as server:
        assert "<title>" in read(server.url)
        assert "resnet18-110" in read(f"{server.url}/api/v1/lineups")
        assert server.url in repr(server)
    assert "stopped" in repr(server)
    with pytest.raises(OSError, match="refused"):
        read(server.url)


def test_interrupt_ends_the_waiting_server(lineup: Lineup, monkeypatch: pytest.MonkeyPatch) -> None:
    server = cl.serve(OpenLineup(lineup), port=0, wait=False)
    join = server._thread.join
    interrupts = iter([KeyboardInterrupt])

    def interrupted() -> None:
        for interrupt in interrupts:
            raise interrupt
        join()

    monkeypatch.setattr(server._thread, "join", interrupted)
    server.wait()
    assert not server._thread.is_alive()


def test_logging_of_the_program_is_left_alone(lineup: Lineup) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with cl.serve(OpenLineup(lineup), port=0, wait=False) as server:
        read(server.url)
        assert (root.level, list(root.handlers)) == before


def test_two_lineups_of_one_name_are_refused(lineup: Lineup) -> None:
    opened = OpenLineup(lineup)
    with pytest.raises(cl.LineupError, match="two lineups are named resnet18-110"):
        cl.serve(opened, opened, port=0, wait=False)
