"""Access: tokens, hosts, origins and rates."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from app.errors import QueueFull
from app.main import create_app
from app.pages.templating import PAGE_POLICY
from app.routes.sign_in import own_path
from app.server.guard.headers import DOCUMENTATION_POLICY, FILE_POLICY
from app.server.guard.hosts import strip_port
from app.server.guard.rates import group_address
from app.server.guard.tokens import COOKIE, Tokens
from app.server.limits import BodyLimit
from app.settings import Settings
from models.lineups.lineup import Lineup
from tests.conftest import encode, make_picture

TOKEN = "a-token-that-nobody-guesses"  # noqa: S105  # it opens nothing
OTHER_TOKEN = "another-token-that-is-accepted"  # noqa: S105

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@contextmanager
def serve(lineup: Lineup, **settings: object) -> Iterator[TestClient]:
    """A client of a server with these settings."""
    with TestClient(create_app(Settings.model_validate(settings), lineups=[lineup])) as client:
        yield client


def bear(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def guarded(lineup: Lineup) -> Iterator[TestClient]:
    """A client of a server that needs a token."""
    with serve(lineup, api_tokens=f"{TOKEN}; {OTHER_TOKEN}") as client:
        yield client


@pytest.mark.parametrize("token", [TOKEN, OTHER_TOKEN])
def test_token_lets_a_program_in(guarded: TestClient, token: str) -> None:
    assert guarded.get("/api/v1/lineups", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    image = {"image": ("p.png", encode(make_picture(40, 30)))}
    answer = guarded.post("/api/v1/analyses", files=image, headers={"Authorization": f"bearer {token}"})
    assert answer.status_code == 201


@pytest.mark.parametrize("given", [None, "Bearer wrong-but-long", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer "])
@pytest.mark.parametrize("path", ["/api/v1/lineups", "/metrics", "/docs", "/openapi.json", "/analyses/nothing"])
def test_nobody_else_is_let_in(guarded: TestClient, path: str, given: str | None) -> None:
    answer = guarded.get(path, headers={} if given is None else {"Authorization": given})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "Bearer TOKEN" in answer.text


def test_document_says_whether_a_token_is_wanted(guarded: TestClient, client: TestClient) -> None:
    wanted = guarded.get("/openapi.json", headers=bear(TOKEN)).json()
    assert wanted["paths"]["/api/v1/heatmap"]["post"]["security"] == [{"HTTPBearer": []}]
    answers = client.get("/openapi.json").json()["paths"]["/api/v1/heatmap"]["post"]
    assert "security" not in answers
    assert {"401", "403", "429"} <= answers["responses"].keys()


def test_upload_without_a_token_is_refused_before_its_body_is_read(lineup: Lineup) -> None:
    app = create_app(Settings(api_tokens=(SecretStr(TOKEN),)), lineups=[lineup])
    scope: Scope = {
        "type": "http", "method": "POST", "path": "/api/v1/heatmap", "headers": [], "query_string": b"", "app": app,
    }  # fmt: skip
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("the body was read")

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/css/base.css", "/sign-in"])
def test_health_and_the_pages_own_files_are_for_everyone(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code in {200, 503}


def test_person_signs_in_and_comes_where_they_were_going(guarded: TestClient) -> None:
    first = guarded.get("/models?x=1", headers=BROWSER, follow_redirects=False)
    assert first.status_code == 303
    assert first.headers["location"] == "/sign-in?next=/models%3Fx%3D1"
    form = guarded.get(first.headers["location"])
    assert 'value="/models?x=1"' in form.text
    wrong = guarded.post("/sign-in", data={"token": "nothing", "next": "/models"})
    assert wrong.status_code == 401
    assert "does not accept that token" in wrong.text
    right = guarded.post("/sign-in", data={"token": TOKEN, "next": "/models"}, follow_redirects=False)
    assert right.headers["location"] == "/models"
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert guarded.get("/models", headers=BROWSER, follow_redirects=False).status_code == 200
    session = guarded.cookies[COOKIE]
    guarded.cookies.clear()
    foreign = {**BROWSER, "Cookie": f'prefs={{"a":1, "b":[2]}}; x; {COOKIE}={session}; y=\\"'}
    assert guarded.get("/models", headers=foreign, follow_redirects=False).status_code == 200
    guarded.cookies.set(COOKIE, "0" * 64)
    assert guarded.get("/models", headers=BROWSER, follow_redirects=False).status_code == 303


def test_camera_wants_the_token_too(guarded: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, guarded.websocket_connect("/api/v1/camera"):
        pass
    assert refused.value.code == 1008
    allowed = {"Authorization": f"Bearer {TOKEN}"}
    with guarded.websocket_connect("/api/v1/camera", headers=allowed) as connection:
        assert connection.receive_json()["kind"] == "ready"


@pytest.mark.parametrize("address", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere", "", "/a\nb"])
def test_sign_in_leads_nowhere_else(address: str) -> None:
    assert own_path(address) == "/"
    assert own_path("/analyses/x?stage=2") == "/analyses/x?stage=2"


def test_session_of_another_process_is_nothing() -> None:
    first, second = (Tokens([SecretStr(TOKEN)]) for _ in range(2))
    session = first.accept(TOKEN)
    assert session is not None
    assert first.recognise(session) == session
    assert second.recognise(session) is None
    assert not Tokens([])


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"api_tokens": "short"}, "a token has 5 characters; give 16 or more"),
        ({"api_tokens": "sixteen-letters-ü"}, "a token has a character that is not ASCII"),
        ({"rate_limit": "often"}, "'often' is not a rate; write for example 600/minute"),
        ({"allowed_origins": "example.org"}, "is not an origin; write scheme and host"),
        ({"allowed_origins": "https://example.org/page"}, "is not an origin"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as error:
        Settings.model_validate(settings)
    assert TOKEN not in str(error.value)


def test_token_is_not_shown() -> None:
    assert TOKEN not in repr(Settings.model_validate({"api_tokens": TOKEN}))


def test_client_that_asks_too_often_is_told_when_to_come_back(lineup: Lineup) -> None:
    with serve(lineup, rate_limit="5/minute") as client:
        answers = [client.get("/api/v1/lineups") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert answers[-1].headers["content-type"] == "application/problem+json"
        assert "more than 5 requests in 60 s; try again in" in answers[-1].json()["detail"]
        assert client.get("/healthz").status_code == 200
        assert client.get("/static/css/base.css").status_code == 200


def test_clients_are_counted_apart(lineup: Lineup) -> None:
    with serve(lineup, rate_limit="3/minute", api_tokens=f"{TOKEN};{OTHER_TOKEN}") as client:
        statuses = {
            token: [client.get("/api/v1/lineups", headers=bear(token)).status_code for _ in range(4)]
            for token in (TOKEN, OTHER_TOKEN)
        }
        assert statuses == {TOKEN: [200, 200, 200, 429], OTHER_TOKEN: [200, 200, 200, 429]}


def test_guesses_of_a_token_are_counted(lineup: Lineup) -> None:
    with serve(lineup, rate_limit="3/minute", api_tokens=TOKEN) as client:
        statuses = [client.post("/sign-in", data={"token": f"guess {guess}"}).status_code for guess in range(4)]
        assert statuses == [401, 401, 401, 429]


def test_household_of_ipv6_is_one_client() -> None:
    assert group_address("2001:db8::1") == group_address("2001:db8::ffff") != group_address("2001:db8:0:1::1")
    assert group_address("192.0.2.1") != group_address("192.0.2.2")
    assert group_address("testclient") == "testclient"


def test_ipv4_clients_are_told_apart_on_a_socket_for_both() -> None:
    assert group_address("::ffff:192.0.2.1") == group_address("192.0.2.1")
    assert group_address("::ffff:192.0.2.1") != group_address("::ffff:192.0.2.2")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("lens.example", 200), ("lens.example:8000", 200), ("LENS.example", 200), ("a.wide.example", 200),
        ("[::1]:8000", 200), ("elsewhere.example", 400), ("lens.example.elsewhere.example", 400), ("wide.example", 400),
        ("", 400),
    ],
)  # fmt: skip
def test_server_answers_under_its_own_names_alone(lineup: Lineup, host: str, status: int) -> None:
    with serve(lineup, trusted_hosts="lens.example; *.wide.example; ::1") as client:
        answer = client.get("/api/v1/lineups", headers={"Host": host})
    assert answer.status_code == status
    if status == 400:
        assert "CBAM_LENS_TRUSTED_HOSTS" in answer.json()["detail"]


def test_port_is_no_part_of_a_name() -> None:
    hosts = ("[::1]:80", "[::1]", "127.0.0.1:1", "a.b")
    assert [strip_port(host) for host in hosts] == ["::1", "::1", "127.0.0.1", "a.b"]


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://testserver.elsewhere.example"])
def test_page_of_another_origin_is_refused(client: TestClient, origin: str) -> None:
    image = {"image": ("p.png", encode(make_picture(40, 30)))}
    for answer in (
        client.post("/api/v1/heatmap", files=image, headers={"Origin": origin}),
        client.get("/api/v1/lineups", headers={"Origin": origin}),
    ):
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
        assert "CBAM_LENS_ALLOWED_ORIGINS" in answer.json()["detail"]


def test_origin_that_is_allowed_may_ask(lineup: Lineup) -> None:
    origin = "https://lab.example"
    with serve(lineup, allowed_origins=origin) as client:
        image = {"image": ("p.png", encode(make_picture(40, 30)))}
        answer = client.post("/api/v1/heatmap", files=image, headers={"Origin": origin})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        asked = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        assert client.options("/api/v1/heatmap", headers={"Origin": origin, **asked}).status_code == 200
        assert client.post("/api/v1/heatmap", files=image, headers={"Origin": "https://x.example"}).status_code == 403
        with client.websocket_connect("/api/v1/camera", headers={"Origin": origin}) as connection:
            assert connection.receive_json()["kind"] == "ready"


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/", PAGE_POLICY), ("/api/v1/lineups", FILE_POLICY), ("/api/v1/nothing", FILE_POLICY),
        ("/nothing", PAGE_POLICY),
        ("/static/css/base.css", FILE_POLICY), ("/docs", DOCUMENTATION_POLICY), ("/samples/bee.jpg", FILE_POLICY),
    ],
)  # fmt: skip
def test_every_answer_tells_browsers_what_it_may_do(client: TestClient, path: str, policy: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["permissions-policy"].startswith("camera=(self), ")
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in policy
    kept = {"/static/css/base.css": "no-cache", "/samples/bee.jpg": "public, max-age=86400"}
    assert headers.get("cache-control") == kept.get(path, "private, no-store")


def test_answers_of_an_analysis_are_not_kept_by_caches(client: TestClient) -> None:
    answer = client.post("/api/v1/analyses", files={"image": ("p.png", encode(make_picture(40, 30)))})
    links = answer.json()["links"]
    for path in (answer.headers["location"], links["difference"]):
        assert client.get(path).headers["cache-control"] == "private, no-store"
    assert answer.headers["cache-control"] == "private, no-store"


def test_uploads_of_all_clients_together_are_bounded() -> None:
    async def run() -> list[str]:
        outcomes: list[str] = []
        release = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await receive()
            except QueueFull as error:
                outcomes.append(f"refused, {error.retry_after_seconds} s")
                return
            await release.wait()
            outcomes.append("taken")

        limit = BodyLimit(app, max_upload_bytes=1000, intake_bytes=1500)
        scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": []}

        async def receive() -> Message:
            return {"type": "http.request", "body": bytes(1000), "more_body": False}

        async def send(message: Message) -> None:
            raise AssertionError

        first = asyncio.create_task(limit(scope, receive, send))
        await asyncio.sleep(0)
        await limit(scope, receive, send)
        release.set()
        await first
        await limit(scope, receive, send)
        return outcomes

    assert asyncio.run(run()) == ["refused, 5 s", "taken", "taken"]
