"""The CBAM Lens program: server, page and command line."""

import os

# OpenMP's threads spin while they wait for the next piece of work. With GNU's default and one core busy elsewhere, a
# forward pass took up to forty times as long (2,080 ms in place of 54 on 2 cores); with a short spin twice as long,
# and on an idle machine as long as before. OpenMP reads this when torch is imported, which is later.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
