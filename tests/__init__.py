import os

# Test workers beside each other take a thread each: several would wait for one another. Before torch reads it.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("CBAM_LENS_THREADS", "1")

import app  # noqa: F401  # before torch: it says how OpenMP's threads wait
