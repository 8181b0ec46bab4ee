"""Ray begun and ended: a cluster of this machine alone, or the one that `RAY_ADDRESS` names."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

# Before Ray reads them: nothing is reported to anybody, and the proxy's answers are ours.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH", "app.on_ray.proxy.list_middleware")
# Under `uv run` Ray would start each worker by `uv run` again; they are to have this process's own environment.
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
if not os.environ.get("RAY_ADDRESS"):
    # Ray's ports want a token; this one lives as long as this process, where Ray would leave one in the home directory.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

import ray


@contextmanager
def join_cluster() -> Iterator[None]:
    """Ray inside of a `with` block; a cluster of this machine alone has no dashboard."""
    if os.environ.get("RAY_ADDRESS"):
        ray.init()
    else:
        # By itself Ray would join whatever cluster somebody began on this machine.
        ray.init(address="local", include_dashboard=False)
    try:
        yield
    finally:
        ray.shutdown()
