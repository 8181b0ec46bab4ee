"""Errors as answers: problem+json (RFC 9457) for the API, a page for browsers."""

import logging
import re
import reprlib
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from app.api.schemas import Problem
from app.errors import HTTP_STATUS, InvalidOption, LensError, NotSignedIn, TryLater
from app.pages.error import ErrorPage
from app.pages.templating import render_page

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

METHODS = ("GET", "HEAD", "POST", "DELETE")

VALUE_CHARACTERS = 80

# Each element takes three characters or more, so that thirty are enough; strings are cut by their length.
SHORT = reprlib.Repr()
SHORT.maxlist = SHORT.maxtuple = SHORT.maxset = SHORT.maxdict = 30
SHORT.maxstring = SHORT.maxlong = SHORT.maxother = 2 * VALUE_CHARACTERS

MOST_SENTENCES = 10
"""The number of errors that one problem explains; a body may have thousands."""


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error of the application with a problem."""
    app.add_exception_handler(LensError, _answer_lens_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_error)


def build_problem(error: LensError) -> Problem:
    """Describe a domain error as a problem."""
    status = next(HTTP_STATUS[kind] for kind in type(error).__mro__ if kind in HTTP_STATUS)
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
    return Problem(
        type=f"urn:cbam-lens:problem:{kind}",
        title=error.title,
        status=status,
        detail=_make_text(str(error)),
        option=_make_text(error.option) if isinstance(error, InvalidOption) and error.option else None,
        allowed=list(error.allowed) or None if isinstance(error, InvalidOption) else None,
    )


def _make_text(text: str) -> str:
    """A text that can be sent: JSON's escapes can give halves of characters."""
    return text.encode(errors="backslashreplace").decode()


def explain_invalid(entries: Sequence[Any]) -> InvalidOption:
    """Make one error of pydantic's errors on options.

    Args:
        entries: pydantic's errors; each location begins with the option's source, for example `query`.
    """
    sentences = list(dict.fromkeys(_explain(entry) for entry in entries[:MOST_SENTENCES]))
    if len(entries) > MOST_SENTENCES:
        sentences.append(f"and {len(entries) - MOST_SENTENCES} more")
    return InvalidOption("; ".join(sentences), option=_name_option(entries[0]["loc"]))


def answer_problem(request: Request, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Answer with a problem: JSON for the API, a page for browsers."""
    # Below a path of a proxy, that path comes first.
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    if path.startswith(("/api/", "/v1/", "/healthz", "/readyz")):
        content = problem.model_dump(exclude_none=True)
        return JSONResponse(content, status_code=problem.status, headers=headers, media_type=MEDIA_TYPE)
    page = ErrorPage(title=problem.title, detail=problem.detail, status=problem.status)
    return render_page(request, page, status_code=problem.status, headers=headers)


def answer_lens_error(request: Request, error: LensError) -> Response:
    """Answer with a domain error, with its Retry-After or WWW-Authenticate header."""
    headers: dict[str, str] = {}
    if isinstance(error, TryLater):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="CBAM Lens"'
    return answer_problem(request, build_problem(error), headers)


async def _answer_lens_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, LensError)  # noqa: S101  # registered for this type alone
    return answer_lens_error(request, error)


async def _answer_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this type alone
    return answer_problem(request, build_problem(explain_invalid(error.errors())))


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this type alone
    if isinstance(error.__cause__, LensError):
        # FastAPI wraps errors of reading the body, such as that of the size limit.
        return answer_lens_error(request, error.__cause__)
    problem = Problem(
        type="about:blank",
        title=HTTPStatus(error.status_code).phrase,
        status=error.status_code,
        detail=f"{request.method} {request.url.path}: {error.detail}; see /docs for the list of addresses",
    )
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(list_methods(request))
    return answer_problem(request, problem, headers)


def list_methods(request: Request) -> list[str]:
    """List every method of an address; Starlette lists only those of the first route, and HEAD is answered as GET."""
    routes: Sequence[BaseRoute] = request.app.routes
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": "GET" if method == "HEAD" else method})[0] is Match.FULL
            for route in routes
        )
    ]


def answer_unexpected(request: Request, error: Exception) -> Response:
    """Answer an unexpected error with status 500, and log the error."""
    logger.error("an unexpected error", exc_info=error)
    problem = Problem(
        type="about:blank",
        title="Internal Server Error",
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        detail="the server failed unexpectedly; its log says why",
    )
    return answer_problem(request, problem)


def _explain(entry: dict[str, Any]) -> str:
    option = _name_option(entry["loc"])
    if entry["type"] == "missing":
        return f"{option} is missing; send it"
    if "UploadFile" in entry["msg"]:
        # The value would be the whole picture.
        return f"{option} came without a file name, so it is text; send it as a file"
    if isinstance(entry["input"], UploadFile):
        return f"{option} came as a file; send it as text"
    value = _shorten(entry["input"])
    return f"{option} is {value!r}: {entry['msg'][0].lower()}{entry['msg'][1:]}"


def _shorten(value: object) -> str:
    """The beginning of a value's text, without making the whole text of a long list."""
    return (value if isinstance(value, str) else SHORT.repr(value))[:VALUE_CHARACTERS]


def _name_option(location: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in location[1:]) or "the request's body"
