"""The way to a server: mirror, proxies, and no redirect from https to anything else."""

from http.client import HTTPMessage, HTTPResponse
from typing import IO, cast
from urllib.error import URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

USER_AGENT = "cbam-lens"


class _SafeRedirects(HTTPRedirectHandler):
    """Follows a redirect to https; a mirror that is plain http itself may also lead to plain http."""

    def redirect_request(  # noqa: PLR0913, PLR0917  # urllib calls it so
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> Request | None:
        allowed = {"https", urlsplit(req.full_url).scheme}
        if urlsplit(newurl).scheme not in allowed:
            raise URLError(f"it redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def mirror_url(url: str, mirror: str | None) -> str:
    """The address of a file on a mirror, which replaces scheme and host and may put a path before the file's own."""
    if mirror is None:
        return url
    base = urlsplit(mirror)
    return urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + urlsplit(url).path, "", ""))


def open_url(url: str, *, start: int, timeout_seconds: float) -> HTTPResponse:
    """The server's answer; HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment are honoured.

    Args:
        url: http or https.
        start: the first byte that is wanted.
        timeout_seconds: how long the server may be silent.

    Raises:
        HTTPError: for a status that is an error.
        URLError, HTTPException, OSError: for a connection that fails.
    """
    # Only these: urllib's usual opener reads files, ftp and data addresses too.
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        UnknownHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        _SafeRedirects(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    return cast("HTTPResponse", opener.open(Request(url, headers=headers), timeout=timeout_seconds))  # noqa: S310  # see above
