"""Ray begun and ended: a cluster of this machine alone, or the one that `RAY_ADDRESS` names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

# Before Ray reads them: nothing is reported to anybody, and the proxy's answers are ours.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH", "app.on_ray.proxy.list_middleware")

import ray


@contextmanager
def join_cluster() -> Iterator[None]:
    """Ray inside of a `with` block; one of this machine alone listens on it alone, and has no dashboard."""
    if os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=True)
    else:
        ray.init(include_dashboard=False, log_to_driver=True)
    try:
        yield
    finally:
        ray.shutdown()
