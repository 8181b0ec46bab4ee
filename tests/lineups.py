"""Lineups for tests: the trained one of the repository, and untrained ones of two, three and five networks.

Of the untrained ones, one has other names, one has no `cbam`.
"""

from pathlib import Path

import pytest

RESNET18_110 = Path(__file__).parent.parent / "models/weights/resnet18_110.toml"
"""ResNet-18 and ResNet-18+CBAM, 110 classes. Tests of numbers take it, whatever is shipped as the default."""

SOURCES = {
    2: ("plain:untrained:resnet18", "gated:untrained:resnet18+se"),
    3: ("untrained:resnet18", "untrained:resnet18+se", "untrained:resnet18+cbam"),
    5: (
        "untrained:resnet18", "untrained:resnet18+cbam", "second:untrained:resnet18+cbam", "untrained:resnet18+se",
        "untrained:resnet18+cbam-k3",
    ),
}  # fmt: skip

NAMES = {
    2: ("plain", "gated"),
    3: ("baseline", "se", "cbam"),
    5: ("baseline", "cbam", "second", "se", "cbam-k3"),
}
"""The networks' names, in order; all but the first have gates."""


COUNTS = (pytest.param(2, marks=pytest.mark.slow), 3, pytest.param(5, marks=pytest.mark.slow))
"""For tests of all three; the fast part of the tests takes three networks."""


def write_option(count: int) -> str:
    """The value of `--lineup` for the lineup of so many networks."""
    return f"many={','.join(SOURCES[count])}"
