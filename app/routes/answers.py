"""The OpenAPI descriptions of files and problems, and the headers of files."""

from typing import Any

from app.analysis.analyses import Analysis
from app.analysis.comparison import Comparison
from app.analysis.timing import Timings
from app.api.schemas import Problem
from models.names import NetworkName

PNG = "image/png"


def document_file(description: str, *media_types: str) -> dict[int | str, dict[str, Any]]:
    """Describe a binary answer of one of the media types."""
    schema = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": description, "content": dict.fromkeys(media_types, schema)}}


def document_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems with which a call may answer."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    reasons = {
        400: "Not a picture, or a truncated one.",
        401: "The server needs a token, and the request has none or a wrong one.",
        403: "The request comes from a page of another origin.",
        404: "No such analysis, or it has left the cache; no such model.",
        413: "Too many bytes or pixels.",
        415: "A format that is not accepted.",
        422: "An option is not valid; the problem lists the allowed values.",
        429: "This client sends too many requests; Retry-After says when to try again.",
        503: "The queue is full; Retry-After says when to try again.",
        504: "The answer was not ready in time.",
    }
    return {status: {"description": reasons[status], "content": content} for status in statuses}


UPLOAD_PROBLEMS = document_problems(400, 413, 415, 422, 503, 504)
GUARD_PROBLEMS = document_problems(401, 403, 429)
ANALYSIS_PROBLEMS = document_problems(404, 422, 503, 504)


def build_lineup_headers(analysis: Analysis) -> dict[str, str]:
    """Headers that name the lineup and say whether it is trained, and those of `build_picture_headers`."""
    return {
        "X-Lineup": analysis.card.name,
        "X-Lineup-Trained": str(analysis.card.trained).lower(),
        **build_picture_headers(analysis),
    }


def build_picture_headers(analysis: Analysis) -> dict[str, str]:
    """Headers that say which values became black and white and which page was read, where there is a choice."""
    source = analysis.source
    headers = {}
    if source.values is not None:
        headers["X-Picture-Range"] = str(source.values)
    if source.pages > 1:
        headers["X-Picture-Page"] = f"1 of {source.pages}"
    return headers


def build_comparison_headers(comparison: Comparison, network: NetworkName, timings: Timings) -> dict[str, str]:
    """Headers with a heat map's facts, which save a script a second call."""
    heat_map = comparison.heat_maps[network]
    return {
        **build_lineup_headers(comparison.analysis),
        "X-Target-Class": str(comparison.target.label.index),
        "X-Target-Probability": f"{comparison.target_probability(network):.6f}",
        "X-Cam-Min": f"{heat_map.minimum:.6g}",
        "X-Cam-Max": f"{heat_map.maximum:.6g}",
        "Server-Timing": timings.header(),
    }
