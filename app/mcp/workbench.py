"""The state behind the tools: one lens, the readable files, and the last pictures' analyses."""

import hashlib

from cachetools import LRUCache

from app.analysis.analyses import Analysis
from app.analysis.lens import Lens
from app.analysis.options import GeometryOptions
from app.analysis.timing import Timings
from app.mcp.arguments import PictureArguments
from app.mcp.files import PictureFiles

KEPT_ANALYSES = 8
"""A conversation asks several questions about a picture; about 10 MB are kept for each."""

Key = tuple[bytes, GeometryOptions]


class Workbench:
    """Analyses pictures, and keeps the last ones for further questions.

    Args:
        lens: the lineup's lens, whose engine is started.
        files: the files that may be read.
    """

    def __init__(self, lens: Lens, files: PictureFiles) -> None:
        self.lens = lens
        self._files = files
        self._kept: LRUCache[Key, Analysis] = LRUCache(KEPT_ANALYSES)

    async def analyse(self, arguments: PictureArguments) -> Analysis:
        """Read a picture and trace it through every network, or find what was kept of the same bytes.

        Raises:
            LensError: see `PictureFiles.read` and `Lens.analyse`.
        """
        data = await self.lens.run(self._files.read, arguments.picture)
        geometry = GeometryOptions(geometry=arguments.geometry, resolution=arguments.resolution)
        # By its bytes: a file may be written again under its name.
        key = (hashlib.sha256(data).digest(), geometry)
        if key not in self._kept:
            self._kept[key] = await self.lens.analyse(data, geometry, Timings())
        return self._kept[key]
