"""The place in the queue of a picture that waits."""

from concurrent.futures import ThreadPoolExecutor

from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from models.lineups.lineup import Lineup
from tests.conftest import encode, make_picture
from tests.engine.holding import hold_server

TICKET = "a-ticket-of-a-page"


def test_waiting_picture_learns_its_place(lineup: Lineup) -> None:
    picture = encode(make_picture(32, 32))
    with TestClient(create_app(Settings(), lineups=[lineup])) as client, ThreadPoolExecutor(1) as pool:
        assert client.get(f"/queue/{TICKET}").json() == {
            "before": None,
            "seconds": None,
            "passes_done": None,
            "passes_total": None,
        }
        with hold_server(client) as held:
            answer = pool.submit(
                client.post, "/api/v1/analyses", files={"image": ("a.png", picture)}, headers={"X-Ticket": TICKET}
            )
            held.wait_for(1)
            place = client.get(f"/queue/{TICKET}")
            assert place.json()["before"] == 0
            assert place.headers["Cache-Control"] == "no-store"
            held.release()
            assert answer.result().status_code == 201
        assert client.get(f"/queue/{TICKET}").json()["before"] is None
