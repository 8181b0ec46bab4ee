"""Preparations for importing Ray: a check that it is installed, and its environment variables. Imports no Ray."""

import os
import secrets
from importlib.util import find_spec

from app.errors import InvalidOption

VARIABLES = {
    # Send no usage statistics.
    "RAY_USAGE_STATS_ENABLED": "0",
    # The proxy's own errors become problem details.
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": f"{__package__}.proxy.list_middleware",
    # Otherwise Ray writes one of many requests' lines in place of all.
    "RAY_DEDUP_LOGS": "0",
    # Under `uv run` Ray would start each worker with `uv run` again, in an environment without the extras.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
}
"""Ray's environment variables; those that are already set stay."""


def prepare_ray() -> None:
    """Prepare for importing Ray; raises `InvalidOption`, which says how to install Ray, if it is missing."""
    if find_spec("ray") is None:
        raise InvalidOption("--on ray needs Ray, which is not installed: uv sync --extra ray", option="on")
    for name, value in VARIABLES.items():
        os.environ.setdefault(name, value)
    if not os.environ.get("RAY_ADDRESS"):
        # A random token protects Ray's ports while this process runs; Ray itself would store one in the home directory.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
