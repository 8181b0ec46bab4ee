"""The page for signing in with the server's token."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from app.errors import NotSignedIn
from app.pages.sign_in import SignInPage
from app.pages.templating import render_page
from app.server.guard.tokens import COOKIE, SIGN_IN, Tokens
from app.server.problems import build_problem

router = APIRouter(include_in_schema=False)

Next = Annotated[str, Field(max_length=2000)]


@router.get(SIGN_IN)
def show_sign_in(request: Request, next: Annotated[Next, Query()] = "/") -> Response:  # noqa: A002  # the usual name
    """The sign-in form; a server without tokens redirects to the next page."""
    if not request.app.state.tokens:
        return RedirectResponse(own_path(next), status_code=303)
    return render_page(request, SignInPage(next=own_path(next)), headers={"Cache-Control": "no-store"})


@router.post(SIGN_IN)
def take_token(
    request: Request,
    token: Annotated[str, Form(max_length=500)] = "",
    next: Annotated[Next, Form()] = "/",  # noqa: A002
) -> Response:
    """Exchange a token for a session cookie, and redirect to the next page."""
    tokens: Tokens = request.app.state.tokens
    session = tokens.accept(token)
    if session is None:
        error = NotSignedIn("this server does not accept that token; ask its operator for one")
        page = SignInPage(next=own_path(next), error=str(error))
        return render_page(request, page, status_code=build_problem(error).status)
    answer = RedirectResponse(own_path(next), status_code=303)
    is_secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, session, httponly=True, samesite="strict", secure=is_secure)
    return answer


def own_path(address: str) -> str:
    """The address if it is a path of this server, otherwise the first page, so that no link leads to another site."""
    is_own = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_own else "/"
