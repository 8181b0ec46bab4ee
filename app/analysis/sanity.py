"""Does a map depend on what was learned? The same question to networks more and more of whose weights are random.

Source: Adebayo et al., *Sanity Checks for Saliency Maps*, NeurIPS 2018.
"""

from dataclasses import dataclass

from app.analysis.comparison import Comparison
from app.analysis.lens import Lens
from app.analysis.timing import Timings
from models.networks.randomisation import Randomisation


@dataclass(frozen=True, slots=True)
class SanityCheck:
    """The comparison as learned, and one for each extent of random weights."""

    learned: Comparison
    randomised: dict[Randomisation, Comparison]


async def check_sanity(lens: Lens, learned: Comparison, timings: Timings) -> SanityCheck:
    """Ask every network the same question after more and more of its weights became random.

    Each step is a job of its own, so that others' pictures are answered between them.

    Raises:
        LensError: see `Lens.randomise`.
    """
    return SanityCheck(learned, {extent: await lens.randomise(learned, extent, timings) for extent in Randomisation})
