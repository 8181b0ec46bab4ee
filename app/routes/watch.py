"""`/metrics`, for Prometheus."""

from fastapi import APIRouter, Request, Response

from app.server.watch.metrics import MEDIA_TYPE, Metrics

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    summary="Counts and times for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def read_metrics(request: Request) -> Response:
    """Requests by route and status, the queue, batches, steps, the cache and memory."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.format(), headers={"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"})
