from http.client import HTTPMessage
from io import BytesIO
from urllib.error import URLError
from urllib.request import Request

import pytest

from models.lineups.fetching.connection import _SafeRedirects


def redirect(start: str, target: str) -> Request | None:
    request = Request(start)  # noqa: S310  # nothing is opened
    return _SafeRedirects().redirect_request(request, BytesIO(), 302, "Found", HTTPMessage(), target)


def test_redirect_from_https_to_https_is_followed() -> None:
    request = redirect("https://publisher.example/a", "https://store.example/b?signature=c")
    assert request is not None
    assert request.full_url == "https://store.example/b?signature=c"


def test_redirect_from_https_to_http_is_refused() -> None:
    with pytest.raises(URLError, match=r"redirects to http://store\.example/b, which is not https"):
        redirect("https://publisher.example/a", "http://store.example/b")
