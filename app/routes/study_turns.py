"""The turns of a study's requests: a few threads answer them all."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import anyio
import anyio.to_thread
from fastapi import Request, Response
from fastapi.routing import APIRoute

FILE_PLACES = 4

SERVER_PLACES = 16
"""As many as connections to Postgres, for whose answers threads wait."""


def make_places(address: str | None) -> anyio.CapacityLimiter:
    """Make the places of a database's requests.

    More threads than a file can use take turns of Python's lock from each other, and the event loop's too: a class
    that opens its link at once then waited three times as long.

    Args:
        address: the database's; see `StudyAccess`.
    """
    is_server = address is not None and address.startswith("postgres")
    return anyio.CapacityLimiter(SERVER_PLACES if is_server else FILE_PLACES)


class StudyRoute(APIRoute):
    """A route whose endpoint waits for a place in the event loop, and not in a thread.

    The place is held for the endpoint alone, not for reading a body or sending an answer: a slow client holds none.
    """

    def __init__(self, path: str, endpoint: Callable[..., Response], **options: Any) -> None:  # noqa: ANN401  # FastAPI's own
        super().__init__(path, _take_turn(endpoint), **options)


def _take_turn(endpoint: Callable[..., Response]) -> Callable[..., Any]:
    @wraps(endpoint)
    async def answer(request: Request, **parameters: object) -> Response:
        work = partial(endpoint, request=request, **parameters)
        return await anyio.to_thread.run_sync(work, limiter=request.app.state.study_places)

    return answer
