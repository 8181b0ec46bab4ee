"""The WebSocket that answers the live camera's frames."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from app.analysis.analyses import Analysis
from app.analysis.analysis_store import AnalysisStore
from app.main import create_app
from app.server import camera
from app.server.camera import MAX_FRAME_BYTES
from app.settings import Settings
from models.lineups.lineup import Lineup
from models.names import Geometry, Resolution
from models.pictures.placement import place
from tests.conftest import encode, make_picture
from tests.engine.holding import hold_server
from tests.photographs import read_photograph

PATH = "/api/v1/camera"
FRAME = encode(make_picture(448, 336), "JPEG")


def ask(connection: WebSocketTestSession, frame: bytes = FRAME) -> dict[str, Any]:
    connection.send_bytes(frame)
    return read(connection)


def read(connection: WebSocketTestSession) -> dict[str, Any]:
    answer: dict[str, Any] = connection.receive_json()
    return answer


def ask_once(client: TestClient, query: str = "", frame: bytes = FRAME) -> dict[str, Any]:
    with client.websocket_connect(f"{PATH}?{query}") as connection:
        assert read(connection)["kind"] == "ready"
        return ask(connection, frame)


def expect_refusal(connection: WebSocketTestSession, *, status: int, code: int) -> dict[str, Any]:
    """The connection's problem, after which it is closed."""
    message = read(connection)
    assert message["kind"] == "problem"
    assert message["problem"]["status"] == status
    with pytest.raises(WebSocketDisconnect) as closed:
        connection.receive_json()
    assert closed.value.code == code
    problem: dict[str, Any] = message["problem"]
    return problem


def test_connection_says_how_large_a_frame_has_to_be(client: TestClient) -> None:
    with client.websocket_connect(PATH) as connection:
        ready = read(connection)
    assert ready["kind"] == "ready"
    assert ready["shorter_side_pixels"] == 336
    assert ready["max_frame_bytes"] == 1_000_000
    assert ready["trained"]
    with client.websocket_connect(f"{PATH}?resolution=320") as connection:
        assert read(connection)["shorter_side_pixels"] == 480


def test_frame_is_answered_as_rest_answers_the_picture(client: TestClient) -> None:
    frame = read_photograph("motorcycle")
    answer = ask_once(client, frame=frame)
    rest = client.post("/api/v1/analyses", files={"image": ("frame", frame)}).json()
    assert answer["kind"] == "frame"
    assert answer["class_name"] == rest["target"]["class_name"]
    assert answer["chosen_by"] == "mean"
    placement = place(741, 500, geometry=Geometry.WHOLE, resolution=Resolution(224))
    assert answer["maps"]["box"] == list(placement.box)
    for name, network in answer["networks"].items():
        said = rest["networks"][name]
        assert network["probability"] == pytest.approx(said["target_probability"], abs=1e-5)
        assert network["first"]["class_name"] == said["predictions"][0]["class_name"]
        sent = answer["maps"]["rows"][0]["networks"][name]
        steps = np.frombuffer(base64.b64decode(sent["steps"]), dtype="<u2")
        assert steps.size == sent["width"] * sent["height"]
        assert steps.max() == 65_535
        assert sent["max"] == pytest.approx(said["heat_map"]["max"], rel=1e-3)


def test_frames_of_a_connection_are_answered_one_after_the_other(client: TestClient) -> None:
    landscape, portrait = FRAME, encode(make_picture(336, 448, seed=1), "JPEG")
    with client.websocket_connect(PATH) as connection:
        read(connection)
        for frame in (landscape, portrait, landscape):
            connection.send_bytes(frame)
        widths = [read(connection)["maps"]["picture_width"] for _ in range(3)]
    assert widths == [448, 336, 448]


def test_options_choose_class_method_and_stage(client: TestClient, lineup: Lineup) -> None:
    answer = ask_once(client, f"lineup={lineup.card.name}&target=dalmatian&method=layercam&stage=3")
    assert (answer["class_name"], answer["chosen_by"]) == ("dalmatian", "name")
    row = answer["maps"]["rows"][0]["networks"]["baseline"]
    deepest = ask_once(client)["maps"]["rows"][0]["networks"]["baseline"]
    assert (row["width"], row["height"]) == (2 * deepest["width"], 2 * deepest["height"])


def test_interventions_change_the_network_with_attention_alone(client: TestClient) -> None:
    learned = ask_once(client, "target=30")["networks"]
    neutral = ask_once(client, "target=30&interventions=all:spatial:neutral,all:channel:neutral")["networks"]
    assert neutral["baseline"]["probability"] == pytest.approx(learned["baseline"]["probability"], abs=1e-6)
    assert neutral["cbam"]["probability"] != pytest.approx(learned["cbam"]["probability"], abs=1e-6)


def test_score_cam_is_too_slow_for_a_camera(client: TestClient) -> None:
    with client.websocket_connect(f"{PATH}?method=scorecam") as connection:
        problem = expect_refusal(connection, status=422, code=1008)
    assert problem["option"] == "method"
    assert "a forward pass per channel for each frame" in problem["detail"]
    assert "finercam" in problem["allowed"]
    assert "scorecam" not in problem["allowed"]
    assert "scorecam" not in client.get("/camera").text


@pytest.mark.parametrize(
    ("query", "option", "value"),
    [
        ("lineup=nobody", "lineup", "nobody"),
        ("target=unicorn", "target", "unicorn"),
        ("target=110", "target", "110"),
        ("method=magic", "method", "magic"),
        ("against=dalmatian", "against", "choose method finercam"),
        ("stage=5", "stage", "5"),
        ("resolution=161", "resolution", "161"),
    ],
)
def test_bad_option_is_rests_problem_and_ends_the_connection(
    client: TestClient, query: str, option: str, value: str
) -> None:
    with client.websocket_connect(f"{PATH}?{query}") as connection:
        problem = expect_refusal(connection, status=422, code=1008)
    rest = client.post(f"/api/v1/heatmap?network=cbam&{query}", files={"image": ("frame", FRAME)}).json()
    assert problem == rest
    assert problem["option"] == option
    assert value in problem["detail"]


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        pytest.param(b"this is no picture", 400, id="text"),
        pytest.param(b"", 400, id="empty"),
        pytest.param(FRAME[:3000], 400, id="truncated"),
        pytest.param(encode(make_picture(30, 20), "PPM"), 415, id="PPM"),
        pytest.param(bytes(MAX_FRAME_BYTES + 1), 413, id="one byte too many"),
    ],
)
def test_bad_frame_is_a_problem_and_the_next_one_is_answered(client: TestClient, frame: bytes, status: int) -> None:
    with client.websocket_connect(PATH) as connection:
        read(connection)
        answer = ask(connection, frame)
        assert answer["kind"] == "problem"
        assert answer["problem"]["status"] == status
        assert "send" in answer["problem"]["detail"]
        assert ask(connection)["kind"] == "frame"


def test_text_is_a_problem_and_the_next_frame_is_answered(client: TestClient) -> None:
    with client.websocket_connect(PATH) as connection:
        read(connection)
        connection.send_text(json.dumps({"frame": 1}))
        assert read(connection)["problem"] == {
            "type": "urn:cbam-lens:problem:unsupported-format",
            "title": "The picture's format is not supported",
            "status": 415,
            "detail": "the message is text; send each frame as a binary message with a JPEG",
        }
        assert ask(connection)["kind"] == "frame"


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://testserver.elsewhere.example", ""])
def test_another_origin_is_refused_before_anything_is_told(client: TestClient, origin: str) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect(PATH, headers={"Origin": origin}):
        pass
    assert refused.value.code == 1008


def test_pages_of_this_server_and_programs_without_an_origin_are_let_in(client: TestClient) -> None:
    for headers in ({"Origin": "http://testserver"}, {"Origin": "https://TESTSERVER"}, {}):
        with client.websocket_connect(PATH, headers=headers) as connection:
            assert read(connection)["kind"] == "ready"


def test_frame_is_dropped_when_the_queue_is_full(lineup: Lineup) -> None:
    """The worker is held and one connection's frame waits; the other's finds the queue full."""
    app = create_app(Settings(queue_size=1), lineups=[lineup])
    with (
        TestClient(app) as client,
        client.websocket_connect(PATH) as first,
        client.websocket_connect(PATH) as second,
    ):
        read(first)
        read(second)
        with hold_server(client) as held:
            first.send_bytes(FRAME)
            held.wait_for(1)
            busy = ask(second)
        assert busy["kind"] == "busy"
        assert busy["retry_after_seconds"] >= 1
        assert busy["problem"]["title"] == "The server is busy"
        assert read(first)["kind"] == "frame"
        assert [ask(connection)["kind"] for connection in (first, second)] == ["frame", "frame"]


def test_connection_has_one_job_at_most(lineup: Lineup) -> None:
    app = create_app(Settings(queue_size=1), lineups=[lineup])
    with TestClient(app) as client, client.websocket_connect(PATH) as connection:
        read(connection)
        with hold_server(client) as held:
            for _ in range(4):
                connection.send_bytes(FRAME)
            held.wait_for(1)
            # A picture that came later is decoded, and refused: a second frame would be too, and would not be answered.
            assert client.post("/api/v1/heatmap", files={"image": ("picture", FRAME)}).status_code == 503
            assert held.engine.waiting == 1
        assert [read(connection)["kind"] for _ in range(4)] == ["frame"] * 4


def test_frame_that_takes_too_long_is_a_problem(lineup: Lineup) -> None:
    with TestClient(create_app(Settings(deadline_seconds=0.2), lineups=[lineup])) as client, hold_server(client):
        answer = ask_once(client)
        assert answer["problem"]["status"] == 504
        assert "within 0.2 s" in answer["problem"]["detail"]


def test_connections_beyond_the_limit_are_asked_to_come_back(lineup: Lineup) -> None:
    with TestClient(create_app(Settings(camera_connections=1), lineups=[lineup])) as client:
        with client.websocket_connect(PATH) as first:
            read(first)
            with client.websocket_connect(PATH) as second:
                problem = expect_refusal(second, status=503, code=1013)
            assert "1 cameras are connected" in problem["detail"]
            assert ask(first)["kind"] == "frame"
        # Refused and ended connections free their places.
        for query in ("target=unicorn", "", ""):
            with client.websocket_connect(f"{PATH}?{query}") as connection:
                assert read(connection)["kind"] == ("problem" if query else "ready")


def test_one_client_may_take_half_of_the_places(lineup: Lineup) -> None:
    app = create_app(Settings(camera_connections=4), lineups=[lineup])
    with (
        TestClient(app) as client,
        TestClient(app, client=("192.0.2.7", 1)) as neighbour,
        client.websocket_connect(PATH) as first,
        client.websocket_connect(PATH) as second,
    ):
        assert [read(connection)["kind"] for connection in (first, second)] == ["ready"] * 2
        with client.websocket_connect(PATH) as third:
            problem = expect_refusal(third, status=503, code=1013)
        assert problem["detail"] == "2 of your cameras are connected, the share of one client; stop one"
        with neighbour.websocket_connect(PATH) as other:
            assert read(other)["kind"] == "ready"


def test_camera_without_frames_loses_its_place(lineup: Lineup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "IDLE_SECONDS", 0.05)
    with TestClient(create_app(Settings(camera_connections=1), lineups=[lineup])) as client:
        for _ in range(2):
            with client.websocket_connect(PATH) as connection:
                assert read(connection)["kind"] == "ready"
                assert "start the camera again" in expect_refusal(connection, status=503, code=1013)["detail"]


def test_frames_count_for_the_clients_rate(lineup: Lineup) -> None:
    app = create_app(Settings(rate_limit="2/hour"), lineups=[lineup])
    with TestClient(app) as client, client.websocket_connect(PATH) as connection:
        assert read(connection)["kind"] == "ready"
        assert ask(connection)["kind"] == "frame"
        busy = ask(connection)
        assert (busy["kind"], busy["problem"]["status"]) == ("busy", 429)
        assert busy["retry_after_seconds"] > 1


def test_no_connections_switch_the_camera_off(lineup: Lineup) -> None:
    with TestClient(create_app(Settings(camera_connections=0), lineups=[lineup])) as client:
        with client.websocket_connect(PATH) as connection:
            problem = expect_refusal(connection, status=403, code=1008)
        page = client.get("/camera").text
    assert "accepts no live pictures" in problem["detail"]
    assert "The camera is switched off on this server" in page
    assert "camera-button" not in page


def test_uploads_are_answered_while_a_camera_streams(lineup: Lineup) -> None:
    def upload(_: int) -> int:
        return client.post("/api/v1/analyses", files={"image": ("picture", FRAME)}).status_code

    app = create_app(Settings(queue_size=16), lineups=[lineup])
    with TestClient(app) as client, client.websocket_connect(PATH) as connection:
        read(connection)
        with ThreadPoolExecutor(8) as pool:
            uploads = [pool.submit(upload, index) for index in range(8)]
            kinds = [ask(connection)["kind"]]
            while not all(answer.done() for answer in uploads):
                kinds.append(ask(connection)["kind"])
        assert [answer.result() for answer in uploads] == [201] * 8
        kinds.append(ask(connection)["kind"])
    assert kinds.count("frame") >= 2
    assert set(kinds) <= {"frame", "busy"}


def test_nothing_of_a_frame_is_kept(local_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(store: AnalysisStore, analysis: Analysis) -> None:
        raise AssertionError("a frame was stored")

    monkeypatch.setattr(AnalysisStore, "add", refuse)
    assert ask_once(local_client)["kind"] == "frame"


def test_page_has_the_connections_address_and_every_class(client: TestClient, lineup: Lineup) -> None:
    answer = client.get("/camera")
    assert answer.headers["Permissions-Policy"].startswith("camera=(self), ")
    assert f'data-connection="{PATH}"' in answer.text
    assert all(f'value="{label.name}"' in answer.text for label in lineup.labels if label.name.isalpha())
    assert len(answer.content) < 100_000
