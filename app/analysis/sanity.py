"""The sanity check of heat maps: does a map change when more and more of the weights are random?

Source: Adebayo et al., *Sanity Checks for Saliency Maps*, NeurIPS 2018.
"""

from dataclasses import dataclass

from app.analysis.comparison import Comparison
from app.analysis.lens import Lens
from app.analysis.timing import Timings
from models.networks.randomisation import Randomisation


@dataclass(frozen=True, slots=True)
class SanityCheck:
    """The comparison with learned weights, and one per extent of random weights."""

    learned: Comparison
    randomised: dict[Randomisation, Comparison]


async def check_sanity(lens: Lens, learned: Comparison, timings: Timings) -> SanityCheck:
    """Compare the networks with more and more of their weights random.

    Each step is its own job, so that other requests are answered in between.

    Raises:
        LensError: see `Lens.randomise`.
    """
    return SanityCheck(learned, {extent: await lens.randomise(learned, extent, timings) for extent in Randomisation})
