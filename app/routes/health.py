"""Health checks: whether the server runs, and whether it accepts pictures."""

from fastapi import APIRouter, Request, Response

from app.api.schemas import Health, Readiness
from app.routes.dependencies import LensesDependency
from app.server.readiness import ReadinessCheck

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process runs")
def read_health() -> Health:
    """200 as long as the server can answer."""
    return Health(status="ok")


@router.get("/readyz", summary="Whether the server accepts pictures", responses={503: {"model": Health}})
def read_readiness(request: Request, lenses: LensesDependency, response: Response) -> Health:
    """200 when every lineup has computed a first picture and the server is not about to end, otherwise 503."""
    readiness_check: ReadinessCheck = request.app.state.readiness_check
    state = readiness_check.judge(lenses.engine)
    if state is not Readiness.OK:
        response.status_code = 503
    return Health(status=state)
