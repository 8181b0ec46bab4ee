"""Finds the concepts of analyses, and keeps them as long as their analysis."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

from cachetools import LRUCache

from app.analysis.analyses import Analysis
from app.analysis.concepts import Concepts, describe_concepts, factorise_all
from app.analysis.options import ConceptOptions
from app.analysis.timing import Timings
from app.decoding.threads import WorkThreads
from app.engine.engine import Engine
from app.engine.work import ConceptsWork
from app.explain.factorisation import Factors
from app.explain.maps import FloatArray
from models.lineups.lineup import Lineup
from models.names import NetworkName, Stage

KEPT_DIVISIONS = 8
"""The divisions that are kept for each analysis: a few hundred kilobytes each."""


class Division(NamedTuple):
    """Every network's concepts, and their logits, (k, K), at stage 4; they do not refer to their analysis."""

    factors: Mapping[NetworkName, Factors]
    logits: Mapping[NetworkName, FloatArray]


class ConceptFinder:
    """Divides features in a thread, and classifies the parts with the networks.

    Args:
        engine: a started engine.
        lineup: the networks.
        threads: where features are divided.
        read_input: decodes an analysis's picture again, for networks that need it.
    """

    def __init__(
        self,
        engine: Engine,
        lineup: Lineup,
        threads: WorkThreads,
        read_input: Callable[[Analysis], Awaitable[FloatArray]],
    ) -> None:
        self._engine = engine
        self._lineup = lineup
        self._threads = threads
        self._read_input = read_input
        self._kept: WeakKeyDictionary[Analysis, LRUCache[tuple[Stage, int], Division]] = WeakKeyDictionary()

    async def find(self, analysis: Analysis, options: ConceptOptions, timings: Timings) -> Concepts:
        """Find an analysis's concepts; raises `LensError`, see `Engine.submit`."""
        kept = self._kept.setdefault(analysis, LRUCache(KEPT_DIVISIONS))
        key = options.stage, options.count
        division = kept.get(key)
        if division is None:
            with timings.measure("maps"):
                factors = await self._threads.run(factorise_all, analysis, options)
            with timings.measure("networks"):
                logits = await self._classify(analysis, factors) if options.stage is Stage.FOUR else {}
            kept[key] = division = Division(factors, logits)
        return describe_concepts(analysis, options.stage, division.factors, division.logits, self._lineup.labels)

    async def _classify(
        self, analysis: Analysis, factors: Mapping[NetworkName, Factors]
    ) -> Mapping[NetworkName, FloatArray]:
        values = await self._read_input(analysis) if self._lineup.card.needs_input else None
        directions = {name: found.directions for name, found in factors.items()}
        height, width = next(iter(factors.values())).places.shape[1:]
        return await self._engine.submit(ConceptsWork(self._lineup, directions, (height, width), values))
