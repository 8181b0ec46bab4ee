import os

# Parallel test workers use one thread each, because more would wait for each other. Set before torch reads it.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("CBAM_LENS_THREADS", "1")

# Numbers and words of two networks are tested with this lineup, whatever is shipped as the default.
os.environ["CBAM_LENS_LINEUPS"] = "resnet18-110"

import app  # noqa: F401  # before torch: it says how OpenMP's threads wait
