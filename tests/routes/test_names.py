"""Names that a call does not know, and the bodies that it takes."""

import base64
import json

import pytest
from fastapi.testclient import TestClient

from tests.conftest import encode, make_picture

PICTURE = encode(make_picture(60, 40), "JPEG")


@pytest.mark.parametrize("call", ["heatmap", "figure", "attention", "analyses"])
@pytest.mark.parametrize("place", ["data", "params"])
@pytest.mark.parametrize(
    ("name", "right"), [("targt", "target"), ("meth0d", "method"), ("Resolution", "resolution"), ("Image", "image")]
)
def test_misspelt_option_is_refused_with_the_right_one(
    local_client: TestClient, call: str, place: str, name: str, right: str
) -> None:
    if call == "attention" and right in ("target", "method"):
        name, right = "blok", "block"
    answer = local_client.post(f"/api/v1/{call}", files={"image": ("p.jpg", PICTURE)}, **{place: {name: "1"}})  # type: ignore[arg-type]
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["option"] == name
    assert right in problem["allowed"]
    assert f"did you mean {right}?" in problem["detail"]


def test_option_that_resembles_none_is_refused_with_all(local_client: TestClient) -> None:
    answer = local_client.post("/api/v1/heatmap", files={"image": ("p.jpg", PICTURE)}, data={"xyz": "1"})
    assert answer.status_code == 422
    for name in ("colormap", "geometry", "network", "target"):
        assert name in answer.json()["detail"]


def test_links_of_an_analysis_refuse_what_they_do_not_know(local_client: TestClient) -> None:
    links = local_client.post("/api/v1/analyses", files={"image": ("p.jpg", PICTURE)}).json()["links"]
    for path, name, right in ((links["difference"], "colourmap", "colormap"), (links["self"], "stge", "stage")):
        answer = local_client.get(path, params={name: "1"})
        assert answer.status_code == 422
        assert f"did you mean {right}?" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["picture", "file", "img"])
def test_picture_in_another_field_is_told_the_right_one(local_client: TestClient, name: str) -> None:
    answer = local_client.post("/api/v1/analyses", files={name: ("p.jpg", PICTURE)})
    assert answer.status_code == 422
    assert answer.json()["detail"] == f"the picture came in the field {name!r}; send it in the field image"


def test_option_that_came_as_a_file_is_told_so(local_client: TestClient) -> None:
    files = {"image": ("p.jpg", PICTURE), "target": ("t.txt", b"3")}
    answer = local_client.post("/api/v1/heatmap", files=files)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "target came as a file; send it as text"


def test_picture_by_itself_is_taken(local_client: TestClient) -> None:
    """`curl --data-binary @dog.jpg -H 'Content-Type: image/jpeg'`."""
    expected = local_client.post("/api/v1/heatmap", files={"image": ("p.jpg", PICTURE)}, data={"target": "3"})
    answer = local_client.post(
        "/api/v1/heatmap", content=PICTURE, headers={"Content-Type": "image/jpeg"}, params={"target": "3"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.content == expected.content


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("application/x-www-form-urlencoded", "is of type application/x-www-form-urlencoded"),
        ("application/octet-stream", "is of type application/octet-stream"),
        ("text/plain; charset=utf-8", "is of type text/plain"),
        ("", "came without a Content-Type"),
    ],
)
def test_picture_of_a_type_that_says_nothing_is_told_how_to_send_it(
    local_client: TestClient, kind: str, words: str
) -> None:
    """`curl -d @dog.jpg`, and `curl --data-binary @dog.jpg` of another type."""
    answer = local_client.post("/api/v1/analyses", content=PICTURE, headers={"Content-Type": kind})
    problem = answer.json()
    assert (answer.status_code, problem["option"]) == (422, "Content-Type")
    assert problem["detail"].startswith(f"the body {words}; send the picture in a form, curl -F image=@dog.jpg")
    empty = local_client.post("/api/v1/analyses", headers={"Content-Type": kind})
    assert (empty.status_code, empty.json()["detail"]) == (422, "image is missing; send it")


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
def test_json_with_base64_is_taken(local_client: TestClient, prefix: str) -> None:
    expected = local_client.post(
        "/api/v1/heatmap", files={"image": ("p.jpg", PICTURE)}, data={"target": "3", "opacity": "0.25"}
    )
    body = {"image": prefix + base64.b64encode(PICTURE).decode(), "target": 3, "opacity": 0.25, "lineup": None}
    answer = local_client.post("/api/v1/heatmap", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.content == expected.content


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "no JSON"),
        (b"[]", "no object"),
        (b'{"image": 3}', "not a text"),
        (b'{"image": "%%%"}', "not base64"),
        (b'{"target": "3"}', "image is missing"),
        (b'{"imag": "aGk="}', "did you mean image?"),
        (b'{"image": "aGk=", "\\ud800": 1}', "is no option of this call"),
        (b'{"image": "aGk=", "target": {"a": 1}}', "target is an object"),
        (b"[" * 100_000, "more than 1000 values"),
        (b'{"image": [' + b"1," * 100_000 + b"1]}", "more than 1000 values"),
    ],
)
def test_wrong_json_is_told_what_is_wrong(local_client: TestClient, body: bytes, words: str) -> None:
    answer = local_client.post("/api/v1/analyses", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["image/jpeg", "application/json"])
def test_body_that_is_no_picture_is_400(local_client: TestClient, kind: str) -> None:
    text = b"no picture"
    body = json.dumps({"image": base64.b64encode(text).decode()}).encode() if kind == "application/json" else text
    answer = local_client.post("/api/v1/analyses", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert "10 bytes that are not a picture" in answer.json()["detail"]


def test_head_is_answered_wherever_get_is(local_client: TestClient) -> None:
    links = local_client.post("/api/v1/analyses", files={"image": ("p.jpg", PICTURE)}).json()["links"]
    for path in ("/", "/healthz", "/api/v1/lineups", links["self"], links["difference"], "/static/css/base.css"):
        got, headed = local_client.get(path), local_client.head(path)
        assert headed.status_code == got.status_code == 200
        assert headed.content == b""
        assert headed.headers["content-type"] == got.headers["content-type"]
        assert headed.headers["content-length"] == got.headers["content-length"]
    refused = local_client.head("/api/v1/heatmap")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert local_client.patch("/healthz").headers["allow"] == "GET, HEAD"
