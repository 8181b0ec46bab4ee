"""Forms that are sent twice: a ticket in the form gives the second one what the first one made."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from cachetools import TTLCache

Made = TypeVar("Made")

TICKET_BYTES = 16

KEPT_TICKETS = 1000

KEPT_SECONDS = 600


def make_ticket() -> str:
    """Make a ticket for a new form."""
    return secrets.token_urlsafe(TICKET_BYTES)


class Tickets(Generic[Made]):
    """What was made for each ticket, for one event loop."""

    def __init__(self) -> None:
        self._tasks: TTLCache[str, asyncio.Task[Made]] = TTLCache(KEPT_TICKETS, KEPT_SECONDS)

    async def once(self, ticket: str, make: Callable[[], Coroutine[Any, Any, Made]]) -> Made:
        """Make something, unless it is being made or was made for this ticket; after a failure it is made anew.

        A browser drops its first request when the form is sent again. The making goes on, for the second one.
        """
        task = self._tasks.get(ticket)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._tasks[ticket] = asyncio.create_task(make())
        return await asyncio.shield(task)
