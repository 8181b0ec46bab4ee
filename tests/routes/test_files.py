"""Files of every kind over REST: what was read of them is said, and messages name them."""

import io

import numpy as np
import pytest
import tifffile
from fastapi.testclient import TestClient

from tests.conftest import encode, make_picture
from tests.models.pictures.test_decoding import make_png_header

JPEG = encode(make_picture(60, 40), "JPEG")


def make_pages() -> bytes:
    """A TIFF of two pages of floating-point grey."""
    buffer = io.BytesIO()
    values = np.linspace(-3, 5, 2 * 40 * 60, dtype=np.float32).reshape(2, 40, 60)
    tifffile.imwrite(buffer, values, photometric="minisblack", metadata=None)
    return buffer.getvalue()


def make_body(disposition: str, content: bytes) -> bytes:
    head = f"--B\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: image/jpeg\r\n\r\n"
    return head.encode() + content + b"\r\n--B--\r\n"


def send_body(client: TestClient, path: str, body: bytes) -> tuple[int, str]:
    kind = {"Content-Type": "multipart/form-data; boundary=B"}
    answer = client.post(path, content=body, headers=kind, follow_redirects=False)
    return answer.status_code, answer.text


def test_answers_say_which_values_and_which_page_were_read(client: TestClient) -> None:
    answer = client.post("/api/v1/analyses", files={"image": ("heights.tif", make_pages())})
    assert answer.status_code == 201
    low, high = answer.json()["picture"]["value_range"]
    assert -3 <= low < -2.9
    assert 0.9 < high <= 1.01
    assert answer.json()["picture"]["pages"] == 2
    figure = client.get(answer.json()["links"]["difference"])
    for headers in (answer.headers, figure.headers):
        assert headers["X-Picture-Range"] == f"{low:.6g} to {high:.6g}"
        assert headers["X-Picture-Page"] == "1 of 2"


def test_page_says_which_values_and_which_page_were_read(client: TestClient) -> None:
    page = client.post("/", files={"image": ("heights.tif", make_pages())})
    assert page.status_code == 200
    assert "The file has more than 8 bits: values from -" in page.text
    assert "It has 2 pages; this is the first." in page.text


def test_usual_pictures_say_nothing_of_the_kind(client: TestClient) -> None:
    answer = client.post("/api/v1/heatmap", files={"image": ("dog.jpg", JPEG)})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("x-picture")]


@pytest.mark.parametrize(
    ("name", "data", "status", "detail"),
    [
        ("drawing.svg", b"<svg/>", 415, "“drawing.svg”: an SVG file; send JPEG"),
        ("notes.txt", b"nothing", 400, "“notes.txt”: 7 bytes that are not a picture"),
        ("../../a\u202e.png", JPEG[:200], 400, "“a .png”: "),
        ("large.png", make_png_header(10_000, 6_000), 413, "“large.png”: 10000 x 6000 pixels are 60.0 megapixels"),
        ("long.png", make_png_header(70_000, 1), 413, "“long.png”: 70000 x 1 pixels; the limit of a side is 65,535"),
        ("empty.png", b"", 400, "“empty.png”: the picture has 0 bytes"),
    ],
)
def test_messages_name_the_file(client: TestClient, name: str, data: bytes, status: int, detail: str) -> None:
    answer = client.post("/api/v1/heatmap", files={"image": (name, data)})
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(detail)


def test_page_escapes_the_name(client: TestClient) -> None:
    page = client.post("/", files={"image": ("<b>x.svg", b"<svg/>")})
    assert page.status_code == 415
    assert "“&lt;b&gt;x.svg”: an SVG file" in page.text
    assert "<b>x.svg" not in page.text


@pytest.mark.parametrize("path", ["/api/v1/heatmap", "/api/v1/analyses", "/", "/sheets"])
def test_name_in_its_extended_form_alone_is_taken(client: TestClient, path: str) -> None:
    body = make_body("name=\"image\"; filename*=UTF-8''h%C3%BCnd.jpg", JPEG)
    assert send_body(client, path, body)[0] in {200, 201, 303}


def test_name_in_its_extended_form_is_read(client: TestClient) -> None:
    body = make_body("name=\"image\"; filename*=UTF-8''h%C3%BCnd%22.svg", b"<svg/>")
    status, text = send_body(client, "/api/v1/heatmap", body)
    assert status == 415
    assert "“hünd'.svg”: an SVG file" in text


def test_text_field_is_still_no_picture(client: TestClient) -> None:
    status, text = send_body(client, "/api/v1/heatmap", make_body('name="image"', b"text"))
    assert status == 422
    assert "came without a file name" in text


def test_picture_at_the_limit_of_a_phone_is_within_the_limits(client: TestClient) -> None:
    answer = client.post("/api/v1/heatmap", files={"image": ("phone.png", make_png_header(8192, 6144))})
    # 50.3 megapixels: refused for what is missing of it, and not for its size.
    assert answer.status_code == 400
