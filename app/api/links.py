"""Every path under /api/v1 and KServe's /v1: routes are registered under these patterns, and links fill them in."""

import re
from dataclasses import dataclass

PREFIX = "/api/v1"

LINEUPS = "/lineups"
COLOUR_MAP = "/colormaps/{colormap}.png"
HEAT_MAP = "/heatmap"
FIGURE = "/figure"
ATTENTION = "/attention"
CAMERA = "/camera"
ANALYSES = "/analyses"
ANALYSIS = "/analyses/{analysis_id}"

# Below an analysis.
ANALYSIS_HEAT_MAP = "/heatmaps/{network}.{format}"
ANALYSIS_DIFFERENCE = "/difference.{format}"
ANALYSIS_GATE = "/attention/{network}/{block}/{kind}.png"
ANALYSIS_FIGURE = "/figure.{format}"
ANALYSIS_ARRAYS = "/maps.npz"
SANITY = "/sanity"
RANDOMISED_HEAT_MAP = "/sanity/{extent}/{network}.png"
CONCEPTS = "/concepts"
CONCEPTS_OF = "/concepts/{network}.png"
BLOCK = "/blocks/{network}/{block}"
FEATURE_MAP = "/blocks/{network}/{block}/channels/{channel}/{moment}.png"

KSERVE_PREFIX = "/v1/models"

# Below KServe's prefix. `lineup_name` is a convertor that takes no colon (`app.routes.kserve`), so that what follows it
# stays apart.
MODELS = ""
MODEL = "/{model:lineup_name}"
MODEL_PREDICT = "/{model:lineup_name}:predict"
MODEL_EXPLAIN = "/{model:lineup_name}:explain"

KSERVE_PICTURE_PATH = re.compile(rf"{KSERVE_PREFIX}/[^/]+:(predict|explain)")
"""The paths of KServe's protocol that accept pictures."""


@dataclass(frozen=True, slots=True)
class AnalysisLinks:
    """Links to one analysis and to everything about it, without a query.

    Attributes:
        root: the analysis's path as clients reach it, without a trailing slash.
    """

    root: str

    def heat_map(self, network: str) -> str:
        """One network's heat map."""
        return self.root + ANALYSIS_HEAT_MAP.format(network=network, format="png")

    @property
    def difference(self) -> str:
        """One network's heat map minus another's."""
        return self.root + ANALYSIS_DIFFERENCE.format(format="png")

    def gate(self, network: str, block: str, kind: str) -> str:
        """One gate of one block."""
        return self.root + ANALYSIS_GATE.format(network=network, block=block, kind=kind)

    def figure(self, file_format: str) -> str:
        """The paper's figure."""
        return self.root + ANALYSIS_FIGURE.format(format=file_format)

    @property
    def arrays(self) -> str:
        """All arrays in one file."""
        return self.root + ANALYSIS_ARRAYS

    def randomised_heat_map(self, extent: int, network: str) -> str:
        """The heat map of a network whose weights are partly random."""
        return self.root + RANDOMISED_HEAT_MAP.format(extent=extent, network=network)

    def concepts_of(self, network: str) -> str:
        """One network's concepts over the picture."""
        return self.root + CONCEPTS_OF.format(network=network)

    def feature_map(self, network: str, block: str, channel: int, moment: str) -> str:
        """One channel's feature map, before or after the gates."""
        return self.root + FEATURE_MAP.format(network=network, block=block, channel=channel, moment=moment)
