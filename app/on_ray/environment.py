"""Preparations before Ray is imported: a check that it is installed, and its variables. Imports no Ray."""

import os
import secrets
from importlib.util import find_spec

from app.errors import InvalidOption

VARIABLES = {
    # Nothing is reported to anybody.
    "RAY_USAGE_STATS_ENABLED": "0",
    # The proxy's answers are ours.
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "app.on_ray.proxy.list_middleware",
    # Under `uv run` Ray would start each worker by `uv run` again, in an environment without any extra.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
}
"""By name; where one is set, it stays."""


def prepare_ray() -> None:
    """Make ready for Ray's import; raises `InvalidOption`, which says how to get Ray where it is not installed."""
    if find_spec("ray") is None:
        raise InvalidOption("--on ray needs Ray, which is not installed: uv sync --extra ray", option="on")
    for name, value in VARIABLES.items():
        os.environ.setdefault(name, value)
    if not os.environ.get("RAY_ADDRESS"):
        # Ray's ports want a token; this one lives as long as this process, where Ray would leave one at home.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
