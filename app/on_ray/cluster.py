"""Ray begun and ended: a cluster of this machine alone, or the one that `RAY_ADDRESS` names."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import ray

LOG_LEVEL = logging.WARNING
"""Of Ray's own lines; what it does while all is well is in its session's files."""


@contextmanager
def join_cluster() -> Iterator[None]:
    """Ray inside of a `with` block, after `prepare_ray`; a cluster of this machine alone has no dashboard."""
    if os.environ.get("RAY_ADDRESS"):
        ray.init(logging_level=LOG_LEVEL)
    else:
        # By itself Ray would join whatever cluster somebody began on this machine.
        ray.init(address="local", include_dashboard=False, logging_level=LOG_LEVEL)
    try:
        yield
    finally:
        ray.shutdown()
