"""The connection to Ray: a cluster of this machine alone, or the one that `RAY_ADDRESS` names."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import ray

LOG_LEVEL = logging.WARNING
"""The level of Ray's own log lines; its session's files have the rest."""


@contextmanager
def join_cluster() -> Iterator[None]:
    """Run Ray inside a `with` block, after `prepare_ray`; a cluster of this machine alone has no dashboard."""
    if os.environ.get("RAY_ADDRESS"):
        ray.init(logging_level=LOG_LEVEL)
    else:
        # Without an address Ray would join any cluster that already runs on this machine.
        ray.init(address="local", include_dashboard=False, logging_level=LOG_LEVEL)
    try:
        yield
    finally:
        ray.shutdown()
