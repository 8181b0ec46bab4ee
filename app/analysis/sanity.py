"""Does a map depend on what was learned? The same question to networks that have forgotten more and more of it.

Source: Adebayo et al., *Sanity Checks for Saliency Maps*, NeurIPS 2018.
"""

from dataclasses import dataclass

from app.analysis.comparison import Comparison, Lens
from app.analysis.timing import Timings
from models.networks.randomisation import Randomisation


@dataclass(frozen=True, slots=True)
class SanityCheck:
    """The learned comparison and those of the networks that forgot."""

    learned: Comparison
    forgotten: dict[Randomisation, Comparison]


async def check_sanity(lens: Lens, learned: Comparison, timings: Timings) -> SanityCheck:
    """Ask both networks the same question after more and more of their weights became random.

    Each step is a job of its own, so that others' pictures are answered between them.

    Raises:
        LensError: see `Lens.forget`.
    """
    return SanityCheck(learned, {extent: await lens.forget(learned, extent, timings) for extent in Randomisation})
