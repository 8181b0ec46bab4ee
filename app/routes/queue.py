"""The place in the queue, and the progress of long computations, for a page that waits."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.api.schemas import QueuePlace
from app.routes.dependencies import LensesDependency

router = APIRouter(include_in_schema=False)


@router.get("/queue/{ticket}")
def read_place(ticket: Annotated[str, Path(max_length=64)], lenses: LensesDependency, response: Response) -> QueuePlace:
    """How many pictures precede the one that was sent with this ticket, and for how long; or how far its map is."""
    response.headers["Cache-Control"] = "no-store"
    # Score-CAM's pieces of work wait each for itself; its passes say more than their places.
    if (passes := lenses.passes.find(ticket)) is not None:
        return QueuePlace(passes_done=passes.done, passes_total=passes.total)
    place = lenses.engine.find_place(ticket)
    return QueuePlace() if place is None else QueuePlace(before=place.before, seconds=round(place.seconds, 1))
