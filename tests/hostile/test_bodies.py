"""Bodies without a picture: they are short, their errors are few, and none of them holds up the other clients."""

import asyncio
import gc
import json
import time
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from fastapi._compat import ModelField
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from starlette.types import Message, Scope

from app.analysis.sheets import MOST_ROWS
from app.api import links
from app.main import create_app
from app.routes.intake.uploads import PICTURE_PATHS
from app.server.limits import SHORT_BODY_BYTES
from app.server.problems import MOST_SENTENCES
from app.settings import Settings
from models.lineups.lineup import Lineup
from tests.routes.listing import list_routes

FORM = "application/x-www-form-urlencoded"

EXPLAIN = "/v1/models/resnet18-110:explain"

HELD_SECONDS = 0.2
"""The limit of one turn of the loop, in time of its processor and with room for a slow one."""


def fill(start: bytes, unit: bytes, end: bytes = b"") -> bytes:
    """A body of the unit again and again, as long as a body without a picture may be."""
    count = (SHORT_BODY_BYTES - len(start) - len(end)) // len(unit)
    return start + unit * count + end


BODIES = {
    "numbers": ("/sheets/rows", "application/json", fill(b'{"rows":[1', b",1", b"]}")),
    "empty rows": ("/sheets/rows", "application/json", fill(b'{"rows":[{}', b",{}", b"]}")),
    "right rows": ("/sheets/rows", "application/json", fill(b'{"rows":[{"name":""}', b',{"name":""}', b"]}")),
    "other names": (
        "/sheets/rows",
        "application/json",
        json.dumps({"rows": [{f"{n}": n for n in range(15_000)}]}).encode(),
    ),
    "brackets": ("/sheets/rows", "application/json", fill(b'{"rows":', b"[")),
    "one text": ("/sheets/rows", "application/json", fill(b'{"rows":"', b"x", b'"}')),
    "no type": ("/sheets/rows", "text/plain", fill(b"", b"x")),
    "separators": ("/sign-in", FORM, fill(b"", b"&")),
    "fields": ("/sign-in", FORM, fill(b"", b"a=&")),
    "escapes": ("/sign-in", FORM, fill(b"token=", b"%41")),
    "form for a picture": ("/api/v1/heatmap", FORM, fill(b"interventions=", b",")),
    "instances": (EXPLAIN, "application/json", fill(b'{"instances":[1', b",1", b"]}")),
    "a long text": (
        EXPLAIN,
        "application/json",
        b'{"instances":"' + 19_000_000 * b"x" + b'"}',
    ),
    "bytes of no type": (EXPLAIN, "text/plain", 19_000_000 * b"x"),
}


@pytest.fixture(scope="module")
def application(lineup: Lineup) -> Iterator[FastAPI]:
    application = create_app(Settings(), lineups=[lineup])
    with TestClient(application):
        # A turn may include a search for garbage, which would go through the objects of all tests before.
        gc.collect()
        gc.freeze()
        yield application
        gc.unfreeze()


async def send(application: FastAPI, path: str, media_type: str, body: bytes) -> tuple[int, bytes, float]:
    """Send a body whole: the answer's status and text, and the longest turn, in processor time."""
    scope: Scope = {
        "type": "http", "method": "POST", "path": path, "query_string": b"", "client": ("127.0.0.1", 1),
        "headers": [(b"content-type", media_type.encode()), (b"accept", b"application/json")],
    }  # fmt: skip
    answer: list[Message] = []
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, before = max(longest, now - before), now

    messages: asyncio.Queue[Message] = asyncio.Queue()
    messages.put_nowait({"type": "http.request", "body": body, "more_body": False})

    async def note(message: Message) -> None:
        answer.append(message)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    await application(scope, messages.get, note)
    watching.cancel()
    return answer[0]["status"], answer[1]["body"], longest


@pytest.mark.parametrize("name", BODIES)
def test_longest_body_is_answered_shortly_and_holds_up_nobody(application: FastAPI, name: str) -> None:
    status, text, held = asyncio.run(send(application, *BODIES[name]))
    assert 400 <= status < 500
    assert len(text) < 10_000
    assert held < HELD_SECONDS


@pytest.mark.parametrize(("path", "media_type"), [("/sheets/rows", "application/json"), ("/api/v1/heatmap", FORM)])
def test_body_without_pictures_is_refused_above_its_limit(application: FastAPI, path: str, media_type: str) -> None:
    status, text, held = asyncio.run(send(application, path, media_type, bytes(SHORT_BODY_BYTES + 1)))
    assert status == 413
    assert b"the limit of a body without pictures is 256 KiB" in text
    assert held < HELD_SECONDS


@pytest.mark.parametrize("path", ["/api/v1/analyses", "/sheets/rows"])
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"target": %s}' % (b"9" * 5_000), b"too many digits"),
        (b'{"target": "\xff"}', b"no UTF-8"),
        (b'{"target": ', b"Expecting value"),
    ],
)
def test_json_that_cannot_be_read_is_refused_in_our_own_words(
    application: FastAPI, path: str, body: bytes, sentence: bytes
) -> None:
    status, text, _ = asyncio.run(send(application, path, "application/json", body))
    assert 400 <= status < 500
    assert b"sys." not in text
    assert sentence in text or path == "/sheets/rows"


LONG_BODIES = {
    "a long name": b'{"image":"AA==","' + 18_000_000 * b"x" + b'":1}',
    "a long name of a list": b'{"image":"AA==","' + 18_000_000 * b"x" + b'":[[1]]}',
    "lists in lists": b'{"image":"AA==","target":' + b"[" * 600 + b"]" * 600 + b"}",
    "spaces": b'{"image":"' + 4_500_000 * b"AAA " + b'"}',
}


@pytest.mark.parametrize("name", LONG_BODIES)
def test_long_json_with_a_picture_is_answered_shortly_and_holds_up_nobody(application: FastAPI, name: str) -> None:
    status, text, held = asyncio.run(send(application, "/api/v1/analyses", "application/json", LONG_BODIES[name]))
    assert 400 <= status < 500
    assert len(text) < 10_000
    assert held < HELD_SECONDS


@pytest.mark.parametrize("path", ["/", "/api/v1/analyses", "/sheets", "/sheets/x/study", "/sign-in"])
@pytest.mark.parametrize("charset", ["punycode", "undefined", "unicode_escape", '"IDNA"', "utf-16"])
def test_form_in_an_unusual_character_set_is_refused(application: FastAPI, path: str, charset: str) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="target"\r\n\r\na-99\r\n--B--\r\n'
    media_type = f"multipart/form-data; boundary=B; charset={charset}"
    status, text, _ = asyncio.run(send(application, path, media_type, body))
    assert status == 422
    assert b"send it in UTF-8" in text


def test_form_in_utf_8_is_read(application: FastAPI) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="target"\r\n\r\n1\r\n--B--\r\n'
    status, text, _ = asyncio.run(
        send(application, "/api/v1/analyses", "multipart/form-data; charset=UTF-8; boundary=B", body)
    )
    assert status == 422
    assert b"image is missing" in text


def test_problem_lists_few_of_many_errors(application: FastAPI) -> None:
    rows = {"rows": [{"name": n} for n in range(MOST_ROWS)]}
    _, text, _ = asyncio.run(send(application, "/sheets/rows", "application/json", json.dumps(rows).encode()))
    assert text.count(b"valid string") == MOST_SENTENCES
    assert f"and {MOST_ROWS - MOST_SENTENCES} more".encode() in text


def list_parameters() -> dict[str, list[ModelField]]:
    """By path below its router, every field of the body and of the query that a route or its dependencies read."""
    found: dict[str, list[ModelField]] = {}
    for route in list_routes():
        waiting = [route.dependant] if isinstance(route, APIRoute) else []
        while waiting:
            dependant = waiting.pop()
            waiting += dependant.dependencies
            found.setdefault(route.path, []).extend((*dependant.body_params, *dependant.query_params))
    return found


def find_unbounded(schema: object, path: str = "") -> Iterator[str]:
    """The places of a JSON schema with a text or a list of any length."""
    if isinstance(schema, dict):
        if schema.get("type") == "string" and not {"maxLength", "enum", "const", "format"} & schema.keys():
            yield path
        if schema.get("type") == "array" and not {"maxItems"} & schema.keys():
            yield path
        for name, part in schema.items():
            yield from find_unbounded(part, f"{path}/{name}")
    elif isinstance(schema, list):
        for part in schema:
            yield from find_unbounded(part, path)


def describe(field: ModelField) -> dict[str, Any]:
    """The JSON schema of a field with its limits."""
    kind: Any = Annotated[field.field_info.annotation, field.field_info]
    schema: dict[str, Any] = TypeAdapter(kind).json_schema()
    return schema


def test_every_text_and_list_of_a_request_is_bounded() -> None:
    fields = [field for fields in list_parameters().values() for field in fields]
    assert len(fields) > 20
    unbounded = {
        f"{field.name}{place}"
        for field in fields
        if "UploadFile" not in str(field.field_info.annotation)
        for place in find_unbounded(describe(field))
    }
    assert unbounded == set()


def test_paths_of_pictures_are_those_with_a_file() -> None:
    takers = {
        path
        for path, fields in list_parameters().items()
        if any("UploadFile" in str(field.field_info.annotation) for field in fields)
    }
    assert takers == {path.removeprefix(links.PREFIX) for path in PICTURE_PATHS}
