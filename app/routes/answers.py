"""How answers that are no JSON are described in OpenAPI, and what their headers tell."""

from typing import Any

from app.analysis.analyses import Analysis
from app.analysis.comparison import Comparison
from app.analysis.timing import Timings
from app.api.schemas import Problem
from models.names import NetworkName

PNG = "image/png"


def document_file(description: str, *media_types: str) -> dict[int | str, dict[str, Any]]:
    """A binary answer of one of the media types."""
    schema = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": description, "content": dict.fromkeys(media_types, schema)}}


def document_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Errors that a call may answer with."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    reasons = {
        400: "Not a picture, or a truncated one.",
        401: "The server needs a token, and none came or a wrong one.",
        403: "A page of another origin asked.",
        404: "No such analysis, or it has left the cache.",
        413: "Too many bytes or pixels.",
        415: "A format that is not accepted.",
        422: "An option is not valid; the allowed values are named.",
        429: "This client asks more often than it may; Retry-After says when to try again.",
        503: "The queue is full; Retry-After says when to try again.",
        504: "The answer was not ready in time.",
    }
    return {status: {"description": reasons[status], "content": content} for status in statuses}


UPLOAD_PROBLEMS = document_problems(400, 413, 415, 422, 503, 504)
GUARD_PROBLEMS = document_problems(401, 403, 429)
ANALYSIS_PROBLEMS = document_problems(404, 422, 503, 504)


def build_lineup_headers(analysis: Analysis) -> dict[str, str]:
    """Which lineup answered, and whether it had learned anything."""
    return {"X-Lineup": analysis.card.name, "X-Lineup-Trained": str(analysis.card.trained).lower()}


def build_comparison_headers(comparison: Comparison, network: NetworkName, timings: Timings) -> dict[str, str]:
    """Facts about a heat map that save a script a second call."""
    heat_map = comparison.heat_maps[network]
    return {
        **build_lineup_headers(comparison.analysis),
        "X-Target-Class": str(comparison.target.label.index),
        "X-Target-Probability": f"{comparison.target_probability(network):.6f}",
        "X-Cam-Min": f"{heat_map.minimum:.6g}",
        "X-Cam-Max": f"{heat_map.maximum:.6g}",
        "Server-Timing": timings.header(),
    }
