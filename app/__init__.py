"""The CBAM Lens program: server, page and command line."""

import os

# OpenMP's threads spin while they wait for work. On 2 cores, with one of them busy elsewhere, both
# forward passes took 2,080 ms with GNU's default, 54 ms with passive waiting and 88 ms with this short spin; on an
# idle machine passive waiting cost about 60 %, the short spin nothing. OpenMP reads this when torch is imported, later.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
