"""Every row of the design's table of bad input, and that the server answers the next request."""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.engine.work import PictureWork, TracedPicture
from app.main import create_app
from app.settings import Settings
from models.lineups.lineup import Lineup
from tests.conftest import encode, make_picture
from tests.engine.holding import hold_server
from tests.models.pictures.test_decoding import make_png_header

CALLS = ("heatmap", "figure", "attention", "analyses")


def post(client: TestClient, image: bytes, call: str = "heatmap", **options: str) -> tuple[int, dict[str, Any]]:
    answer = client.post(f"/api/v1/{call}", files={"image": ("picture", image)}, data=options)
    if answer.is_success:
        return answer.status_code, {}
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail"} <= problem.keys()
    assert problem["status"] == answer.status_code
    return answer.status_code, problem


@pytest.fixture(autouse=True)
def answers_afterwards(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test, check that the next good request gets the right answer."""
    yield
    for name in request.fixturenames:
        if name in {"client", "local_client"}:
            assert post(request.getfixturevalue(name), encode(make_picture(40, 30))) == (200, {})


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("image", "status"),
    [
        pytest.param(b"this is no picture", 400, id="text"),
        pytest.param(b"", 400, id="empty"),
        pytest.param(b"\x00", 400, id="one byte"),
        pytest.param(encode(make_picture(300, 200), "JPEG")[:3000], 400, id="truncated"),
        pytest.param(encode(make_picture(30, 20), "PPM"), 415, id="PPM"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg"/>', 415, id="SVG"),
        pytest.param(make_png_header(10_000, 6_000), 413, id="60 megapixels"),
        pytest.param(make_png_header(60_000, 60_000), 413, id="3.6 gigapixels"),
        pytest.param(bytes(20_000_001), 413, id="one byte too many"),
        pytest.param(bytes(21_000_000), 413, id="21 MB"),
    ],
)
def test_bad_picture_gives_the_status_of_the_table(client: TestClient, call: str, image: bytes, status: int) -> None:
    answered, problem = post(client, image, call)
    assert answered == status
    assert "send" in problem["detail"]


def test_largest_upload_is_taken(lineup: Lineup) -> None:
    image = encode(make_picture(40, 30), "BMP")
    with TestClient(create_app(Settings(max_upload_bytes=len(image)), lineups=[lineup])) as client:
        assert post(client, image)[0] == 200
        assert post(client, image + b"\x00")[0] == 413


def test_body_without_a_declared_length_is_counted_while_it_comes_in(lineup: Lineup) -> None:
    boundary = b"--x\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\n"

    def stream() -> Iterator[bytes]:
        yield boundary
        for _ in range(40):
            yield bytes(10_000)

    with TestClient(create_app(Settings(max_upload_bytes=100_000), lineups=[lineup])) as client:
        answer = client.post(
            "/api/v1/heatmap", content=stream(), headers={"content-type": "multipart/form-data; boundary=x"}
        )
    assert answer.status_code == 413
    assert "the limit is 0.1 MB; send a smaller picture" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("call", "option", "value", "allowed"),
    [
        ("heatmap", "target", "unicorn", "0 to 109"),
        ("heatmap", "target", "110", "0 to 109"),
        ("heatmap", "target", "-1", "0 to 109"),
        ("heatmap", "method", "magic", "'hirescam'"),
        ("heatmap", "network", "resnet", "is not one of baseline, cbam; choose one of these"),
        ("heatmap", "stage", "5", "1, 2, 3 or 4"),
        ("heatmap", "render", "3d", "'overlay', 'heatmap', 'gray' or 'values'"),
        ("heatmap", "scale", "log", "'shared' or 'own'"),
        ("heatmap", "colormap", "pink", "'viridis', 'magma', 'cividis', 'turbo' or 'jet'"),
        ("heatmap", "opacity", "1.5", "less than or equal to 1"),
        ("heatmap", "opacity", "nan", "nan"),
        ("heatmap", "geometry", "stretch", "'whole' or 'center_crop'"),
        ("heatmap", "resolution", "161", "160, 224, 256, 320, 384 or 448"),
        ("figure", "format", "gif", "'png', 'svg' or 'pdf'"),
        ("attention", "block", "layer9.0", "layer1.0, layer1.1"),
        ("attention", "kind", "both", "'spatial', 'channel', 'row', 'column' or 'joint'"),
    ],
)
def test_bad_option_is_422_and_names_the_allowed_values(
    client: TestClient, call: str, option: str, value: str, allowed: str
) -> None:
    status, problem = post(client, encode(make_picture(40, 30)), call, **{option: value})
    assert status == 422
    assert problem["option"] == option
    assert value in problem["detail"]
    assert allowed in problem["detail"]


def test_channel_gate_as_an_overlay_is_422(client: TestClient) -> None:
    status, problem = post(client, encode(make_picture(40, 30)), "attention", kind="channel", render="overlay")
    assert (status, problem["allowed"]) == (422, ["heatmap", "gray", "values"])


def test_unknown_class_names_the_nearest_and_lists_all(client: TestClient) -> None:
    _, problem = post(client, encode(make_picture(40, 30)), target="dalmation")
    assert "did you mean dalmatian" in problem["detail"]
    assert len(problem["allowed"]) == 110


def test_missing_picture_is_422(client: TestClient) -> None:
    answer = client.post("/api/v1/heatmap", files={"target": (None, "3")})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "image is missing; send it"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/heatmap", 405),
        ("GET", "/api/v1/analyses/nothing", 404),
        ("GET", "/api/v1/analyses/nothing/heatmaps/cbam.png", 404),
        ("GET", "/api/v1/analyses/nothing/maps.npz", 404),
        ("DELETE", "/api/v1/analyses/nothing", 404),
    ],
)
def test_wrong_address_is_a_problem_too(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_wrong_method_is_told_the_right_ones(client: TestClient) -> None:
    for path, methods in (("/api/v1/analyses/nothing", "GET, DELETE"), ("/api/v1/heatmap", "POST"), ("/", "GET, POST")):
        answer = client.patch(path)
        assert answer.status_code == 405
        assert answer.headers["allow"].replace("HEAD, ", "") == methods


def test_full_queue_is_503_with_retry_after(lineup: Lineup) -> None:
    """The worker is held and one job waits; the next one finds the queue full."""
    image = encode(make_picture(40, 30))
    with TestClient(create_app(Settings(queue_size=1), lineups=[lineup])) as client, ThreadPoolExecutor(1) as pool:
        with hold_server(client) as held:
            waiting = pool.submit(post, client, image)
            held.wait_for(1)
            refused = client.post("/api/v1/heatmap", files={"image": ("p", image)})
        assert waiting.result()[0] == 200
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert "1 requests are waiting, the limit; try again in" in refused.json()["detail"]


def test_passed_deadline_is_504(lineup: Lineup) -> None:
    with TestClient(create_app(Settings(deadline_seconds=0.2), lineups=[lineup])) as client, hold_server(client):
        answer = client.post("/api/v1/heatmap", files={"image": ("p", encode(make_picture(40, 30)))})
    assert answer.status_code == 504
    assert answer.headers["content-type"] == "application/problem+json"
    assert "not ready within 0.2 s; send a smaller picture or try again later" in answer.json()["detail"]


def test_failed_computation_is_500_without_its_inside(lineup: Lineup, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(batch: Sequence[PictureWork]) -> Sequence[TracedPicture]:
        raise RuntimeError("secret detail")

    image = encode(make_picture(40, 30))
    with TestClient(create_app(Settings(), lineups=[lineup])) as client:
        with monkeypatch.context() as patch:
            with hold_server(client):  # so that the engine is warm
                patch.setattr(PictureWork, "compute_together", fail)
            status, problem = post(client, image)
        assert status == 500
        assert "secret" not in str(problem)
        assert post(client, image)[0] == 200


def test_picture_upload_stays_in_memory(local_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starlette's spooled file rolls over to the disk by calling TemporaryFile."""

    def refuse(*args: object, **kwargs: object) -> io.BytesIO:
        raise AssertionError("an upload was written to the disk")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    large = encode(make_picture(1200, 1000), "BMP")
    assert len(large) > 3_000_000
    assert post(local_client, large)[0] == 200


def test_event_loop_answers_while_pictures_are_computed(lineup: Lineup) -> None:
    with (
        TestClient(create_app(Settings(), lineups=[lineup])) as client,
        ThreadPoolExecutor(1) as pool,
        hold_server(client) as held,
    ):
        answer = pool.submit(post, client, encode(make_picture(40, 30)))
        held.wait_for(1)
        assert client.get("/healthz").json() == {"status": "ok"}
        assert not answer.done()
        held.release()
        assert answer.result()[0] == 200
