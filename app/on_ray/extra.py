"""Whether Ray is there. Nothing here imports it."""

from importlib.util import find_spec

from app.errors import InvalidOption


def want_ray() -> None:
    """Go on where Ray is installed; raises `InvalidOption`, which says how to get it."""
    if find_spec("ray") is None:
        raise InvalidOption("--on ray wants Ray, which is not installed: uv sync --extra ray", option="on")
