"""The operator's view: metrics, and one log line per request without the client's identity or data."""

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from app.analysis.lens import Lens
from app.engine.work import PictureWork
from app.main import create_app
from app.server.watch.logs import set_up_logging
from app.settings import LogFormat, Settings
from models.lineups.lineup import Lineup
from tests.conftest import encode, make_picture

IMAGE = encode(make_picture(40, 30))


@pytest.fixture
def fresh(lineup: Lineup) -> Iterator[TestClient]:
    """A client of a server that has answered nothing yet."""
    with TestClient(create_app(Settings(), lineups=[lineup]), raise_server_exceptions=False) as client:
        yield client


def read_numbers(client: TestClient) -> dict[str, float]:
    """Every sample of /metrics by its name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        f"{sample.name} {' '.join(sample.labels.values())}".strip(): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def upload(client: TestClient) -> str:
    """An analysis's id."""
    answer = client.post("/api/v1/analyses", files={"image": ("secret-name.png", IMAGE)})
    assert answer.status_code == 201
    return str(answer.json()["id"])


def test_requests_batches_steps_and_cache_are_counted(fresh: TestClient) -> None:
    identifier = upload(fresh)
    assert fresh.get(f"/api/v1/analyses/{identifier}").status_code == 200
    assert fresh.get("/api/v1/analyses/nothing").status_code == 404
    assert fresh.get("/wp-admin.php").status_code == 404
    numbers = read_numbers(fresh)
    assert numbers["cbam_lens_requests_total POST /api/v1/analyses 201"] == 1
    assert numbers["cbam_lens_requests_total GET /api/v1/analyses/{analysis_id} 200"] == 1
    assert numbers["cbam_lens_requests_total GET /api/v1/analyses/{analysis_id} 404"] == 1
    assert numbers["cbam_lens_requests_total GET none 404"] == 1
    assert numbers["cbam_lens_request_seconds_count /api/v1/analyses"] == 1
    assert numbers["cbam_lens_batch_size_sum"] == numbers["cbam_lens_batch_size_count"] >= 1
    assert numbers["cbam_lens_step_seconds_count networks"] >= 1
    assert numbers["cbam_lens_cache_hits_total"] == 1
    assert numbers["cbam_lens_cache_misses_total"] == 1
    assert numbers["cbam_lens_cache_analyses"] == 1
    assert numbers["cbam_lens_cache_bytes"] > 10_000
    assert numbers["cbam_lens_queue_depth"] == numbers["cbam_lens_cameras"] == 0
    assert numbers["cbam_lens_resident_memory_bytes"] > 1e7
    assert fresh.delete(f"/api/v1/analyses/{identifier}").status_code == 204
    assert read_numbers(fresh)["cbam_lens_cache_bytes"] == 0


def test_clients_cannot_make_names_for_numbers(fresh: TestClient) -> None:
    for path in ("/a", "/b", "/c"):
        fresh.request("BREW", path)
    numbers = read_numbers(fresh)
    assert [name for name in numbers if "BREW" in name or name.endswith("/a 404")] == []
    assert sum(value for name, value in numbers.items() if "requests_total OTHER none" in name) == 3


def test_answer_carries_the_requests_name(fresh: TestClient) -> None:
    first, second = (fresh.get("/healthz").headers["x-request-id"] for _ in range(2))
    assert re.fullmatch(r"[0-9a-f]{16}", first)
    assert first != second
    assert fresh.get("/healthz", headers={"X-Request-Id": "proxy-17"}).headers["x-request-id"] == "proxy-17"
    for strange in ("a b", "x" * 65, 'a"b'):
        assert fresh.get("/healthz", headers={"X-Request-Id": strange}).headers["x-request-id"] != strange


def test_mistake_of_the_server_is_a_problem_with_a_name_that_its_log_has(
    fresh: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def break_down(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(Lens, "compare_picture", break_down)
    answer = fresh.post("/api/v1/heatmap", files={"image": ("p.png", IMAGE)})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])
    assert "mistake" not in answer.json()["title"]
    assert any(record.exc_info for record in caplog.records)
    assert read_numbers(fresh)["cbam_lens_requests_total POST /api/v1/heatmap 500"] == 1


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The JSON lines on stderr."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    set_up_logging("info", LogFormat.JSON)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)


def test_log_tells_the_route_and_neither_who_nor_what(fresh: TestClient, log: io.StringIO) -> None:
    identifier = upload(fresh)
    named = fresh.get(f"/analyses/{identifier}?target=3", headers={"X-Request-Id": "proxy-18"})
    assert named.status_code == 200
    fresh.post("/api/v1/heatmap", files={"image": ("secret-name.png", b"no picture")})
    text = log.getvalue()
    # The client of this test has a log of its own.
    lines = [line for line in map(json.loads, text.splitlines()) if line["logger"] != "httpx2"]
    ours = [line for line in lines if line["logger"] == "app.server.watch.requests"]
    assert [(line["method"], line["route"], line["status"]) for line in ours] == [
        ("POST", "/api/v1/analyses", 201),
        ("GET", "/analyses/{analysis_id}", 200),
        ("POST", "/api/v1/heatmap", 400),
    ]
    assert ours[1]["request_id"] == "proxy-18"
    assert all(line["milliseconds"] >= 0 and line["level"] == "INFO" for line in ours)
    for secret in (identifier, "secret-name", "testclient"):
        assert secret not in json.dumps(lines)


def test_log_of_the_engine_names_the_request_whose_work_it_was(
    fresh: TestClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_: object) -> list[object]:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(PictureWork, "compute_together", break_down)
    answer = fresh.post("/api/v1/heatmap", files={"image": ("p.png", IMAGE)}, headers={"X-Request-Id": "proxy-19"})
    assert answer.status_code == 500
    lines = map(json.loads, log.getvalue().splitlines())
    # The server's own first picture may have failed too.
    (line,) = [line for line in lines if line["message"] == "the engine could not compute a job"]
    assert line["logger"] == "app.engine.device_engine"
    assert line["request_id"] == "proxy-19"
    assert "RuntimeError: a mistake" in line["exc_info"]


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/evidence/pictures/a/b/c/d", "/evidence/pictures/{address:path}"),
        ("/evidence/pictures/a", "/evidence/pictures/{address:path}"),
        ("/api/v1/analyses/none", "/api/v1/analyses/{analysis_id}"),
        ("/healthz", "/healthz"),
        ("/v1/models/none", "/v1/models/{model:lineup_name}"),
    ],
)
def test_request_has_its_routes_pattern_whatever_the_address(fresh: TestClient, path: str, route: str) -> None:
    fresh.get(path)
    assert f'route="{route}"' in fresh.get("/metrics").text
