"""The way to a server: mirror, proxies, and no redirect from https to anything else."""

import re
from http.client import HTTPMessage, HTTPResponse
from typing import IO, cast
from urllib.error import HTTPError, URLError
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

    def http_error_302(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> HTTPResponse | None:
        """Close the answer also where it leads nowhere: urllib leaves it open then."""
        try:
            return cast("HTTPResponse | None", super().http_error_302(req, fp, code, msg, headers))
        except HTTPError:
            # It has the answer, and closes it.
            raise
        except (URLError, ValueError):
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


MIRROR_RULE = "write scheme, host and path in ASCII, without a user and a password, for example https://mirror.example"

LONGEST_LABEL = 63


def check_mirror(mirror: str) -> None:
    """Raise `ValueError`, whose message does not repeat the address, for a mirror that cannot be asked."""
    try:
        found = urlsplit(mirror)
        labels = (found.hostname or "").removesuffix(".").split(".")
        is_fine = (
            found.scheme in {"http", "https"}
            and all(0 < len(label) <= LONGEST_LABEL for label in labels)
            and found.port != 0
            and re.fullmatch(r"[!-~]+", mirror) is not None
            and not any(sign in mirror for sign in "@?#\\")
        )
    except ValueError:
        is_fine = False
    if not is_fine:
        raise ValueError(f"this is not a mirror's address; {MIRROR_RULE}")


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
        ValueError: for an address, also of a redirect, that is none.
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
