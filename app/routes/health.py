"""Whether the server lives, and whether it takes pictures."""

from fastapi import APIRouter, Response

from app.routes.dependencies import LensesDependency
from app.schemas import Health

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process lives")
def read_health() -> Health:
    """200 as long as the server answers at all."""
    return Health(status="ok")


@router.get("/readyz", summary="Whether pictures are taken", responses={503: {"model": Health}})
def read_readiness(lenses: LensesDependency, response: Response) -> Health:
    """200 when every pair is loaded and answering, else 503."""
    if lenses.engine.is_ready:
        return Health(status="ok")
    response.status_code = 503
    return Health(status="starting")
