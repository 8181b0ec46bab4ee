"""The place in the queue, for a page whose picture waits."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.api.schemas import QueuePlace
from app.routes.dependencies import LensesDependency

router = APIRouter(include_in_schema=False)


@router.get("/queue/{ticket}")
def read_place(ticket: Annotated[str, Path(max_length=64)], lenses: LensesDependency, response: Response) -> QueuePlace:
    """How many pictures precede the one that was sent with this ticket, and for how long."""
    response.headers["Cache-Control"] = "no-store"
    place = lenses.engine.find_place(ticket)
    return QueuePlace() if place is None else QueuePlace(before=place.before, seconds=round(place.seconds, 1))
