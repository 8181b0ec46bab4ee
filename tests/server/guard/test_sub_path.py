"""The server below a path of a proxy."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from app.main import create_app
from app.server.guard.sub_path import ForwardedHeaders
from app.settings import Settings
from models.lineups.lineup import Lineup
from tests.conftest import encode, make_picture

ROOT = "/lens"


@pytest.fixture(scope="module")
def below(lineup: Lineup) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(root_path=ROOT), lineups=[lineup])) as client:
        yield client


@pytest.mark.parametrize("prefix", ["", ROOT])
@pytest.mark.parametrize("path", ["/", "/camera", "/evidence", "/models", "/cbam", "/docs"])
def test_every_address_of_a_page_is_below_the_path(below: TestClient, prefix: str, path: str) -> None:
    """Whether the proxy takes the path off or not."""
    page = below.get(prefix + path)
    assert page.status_code == 200
    addresses = re.findall(r'(?:href|src|action|data-[a-z-]+)="(/[^"]*)"', page.text)
    addresses += re.findall(r"url: '(/[^']*)'", page.text)
    assert addresses
    for address in addresses:
        assert address.startswith(f"{ROOT}/"), address
    own = [address for address in addresses if "/static" in address]
    assert own
    for address in own:
        for sent in (address, address.removeprefix(ROOT)):
            assert below.get(sent).status_code == 200, sent


@pytest.mark.parametrize("prefix", ["", ROOT])
def test_links_of_an_analysis_are_below_the_path(below: TestClient, prefix: str) -> None:
    picture = {"image": ("p.png", encode(make_picture(40, 30)))}
    answer = below.post(f"{prefix}/api/v1/analyses", files=picture)
    assert answer.status_code == 201
    assert answer.headers["location"].startswith(f"{ROOT}/api/v1/analyses/")
    assert below.get(answer.json()["links"]["difference"]).status_code == 200
    page = below.post(f"{prefix}/", files=picture, follow_redirects=False)
    assert page.headers["location"].startswith(f"{ROOT}/analyses/")
    assert below.get(page.headers["location"]).status_code == 200


@pytest.mark.parametrize("prefix", ["", ROOT])
def test_errors_of_programs_are_problems_below_the_path_too(below: TestClient, prefix: str) -> None:
    for path in ("/api/v1/analyses/none", "/v1/models/none"):
        answer = below.get(prefix + path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    page = below.get(f"{prefix}/analyses/none")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("prefix", ["", ROOT])
def test_instances_have_the_limit_of_a_picture_below_the_path(below: TestClient, prefix: str) -> None:
    body = {"instances": [{"image": {"b64": "A" * 400_000}}]}
    answer = below.post(f"{prefix}/v1/models/resnet18-110:explain", json=body)
    assert answer.status_code == 400
    assert "not a picture" in answer.json()["detail"]


def test_sign_in_is_below_the_path(lineup: Lineup) -> None:
    settings = Settings(root_path=ROOT, api_tokens=("a-token-of-sixteen-characters",))
    with TestClient(create_app(settings, lineups=[lineup])) as client:
        answer = client.get(f"{ROOT}/", headers={"Accept": "text/html"}, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"{ROOT}/sign-in?next={ROOT}/"
        page = client.get(answer.headers["location"])
        assert f'action="{ROOT}/sign-in' in page.text
        sent = client.post(
            f"{ROOT}/sign-in",
            data={"token": "a-token-of-sixteen-characters", "next": f"{ROOT}/"},
            headers={"Origin": "http://testserver"},
            follow_redirects=False,
        )
        assert sent.headers["location"] == f"{ROOT}/"


async def forward(client: str, prefix: str) -> dict[str, Any]:
    """The scope behind `ForwardedHeaders`, for a request of that peer with that prefix."""
    seen: dict[str, Any] = {}

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.update(scope)

    scope: Any = {
        "type": "http", "method": "GET", "path": "/models", "raw_path": b"/models", "root_path": "", "scheme": "http",
        "client": (client, 1), "headers": [(b"x-forwarded-prefix", prefix.encode())],
    }  # fmt: skip
    app: Any = inner
    nothing: Any = None
    await ForwardedHeaders(app, trusted_hosts="127.0.0.1")(scope, nothing, nothing)
    return seen


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("client", "prefix", "path"),
    [
        ("127.0.0.1", "/lens", "/lens/models"),
        ("127.0.0.1", "/a/lens/", "/a/lens/models"),
        ("127.0.0.1", "/lens, /other", "/lens/models"),
        ("127.0.0.1", "", "/models"),
        ("127.0.0.1", "//evil.example", "/models"),
        ("127.0.0.1", '/"><script>', "/models"),
        ("127.0.0.1", "lens", "/models"),
        ("203.0.113.9", "/lens", "/models"),
    ],
)
async def test_prefix_of_a_trusted_proxy_alone_is_taken(client: str, prefix: str, path: str) -> None:
    seen = await forward(client, prefix)
    assert seen["path"] == path
    assert seen["root_path"] == path.removesuffix("/models")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("path", ["lens", "//lens", "/le ns", "/lens?x", "https://example.org"])
def test_wrong_path_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="write for example /lens"):
        Settings(root_path=path)


def test_pages_may_be_framed_by_those_who_are_named_alone(lineup: Lineup) -> None:
    settings = Settings(frame_ancestors=("https://example.org", "self"))
    with TestClient(create_app(settings, lineups=[lineup])) as client:
        for path in ("/", "/healthz", "/docs"):
            policy = client.get(path).headers["content-security-policy"]
            assert policy.count("frame-ancestors https://example.org 'self'") == 1
            assert "'none'" not in policy.partition("frame-ancestors")[2]


@pytest.mark.parametrize("name", ["example.org", "https://example.org/page", "*", "none; script-src *"])
def test_wrong_ancestor_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="is no origin"):
        Settings(frame_ancestors=(name,))
