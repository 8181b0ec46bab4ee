"""Score-CAM's weights: many forward passes in small pieces of work, which other requests can come between."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np
from cachetools import LRUCache

from app.analysis.analyses import Analysis
from app.analysis.passes import Passes, Waiting
from app.analysis.questions import Explanation
from app.engine.engine import Engine
from app.engine.work import ChannelsWork
from app.errors import DeadlinePassed
from app.explain.maps import FloatArray
from app.explain.scored import count_together, weigh_channels
from models.attention.interventions import Intervention
from models.lineups.lineup import Lineup
from models.names import NetworkName, Stage

KEPT_SCORES = 24
"""The unfinished and finished lists of scores that are kept for each analysis, a few kilobytes each."""

Changes = Mapping[NetworkName, tuple[Intervention, ...]]

Key = tuple[NetworkName, Explanation, tuple[Intervention, ...]]


def count_passes(analysis: Analysis, stage: Stage) -> int:
    """The forward passes of Score-CAM at a stage: one for each channel of each network."""
    return sum(len(trace.features[stage]) for trace in analysis.traces.values())


class ChannelScorer:
    """Computes the channels' weights of a lineup's networks.

    The scores of an analysis are kept while it is, so that a map whose caller left is continued and not begun again.

    Args:
        engine: a started engine.
        lineup: the networks.
        waiting: what the callers accept.
    """

    def __init__(self, engine: Engine, lineup: Lineup, waiting: Waiting) -> None:
        self._engine = engine
        self._lineup = lineup
        self._waiting = waiting
        self._scores: WeakKeyDictionary[Analysis, LRUCache[Key, FloatArray]] = WeakKeyDictionary()
        self._running: WeakValueDictionary[tuple[str, Explanation], asyncio.Lock] = WeakValueDictionary()

    async def weigh(
        self,
        analysis: Analysis,
        explanation: Explanation,
        read_input: Callable[[Analysis], Awaitable[FloatArray]],
        changes: Changes,
    ) -> dict[NetworkName, FloatArray]:
        """Compute the weights of some networks' channels.

        Args:
            analysis: the picture; its traces have the features of the stage, computed with the same changes.
            explanation: the class and the stage.
            read_input: decodes the picture again.
            changes: the networks, each with the changes to its gates; none for those as learned.

        Returns:
            By network, (C, 1, 1), which add up to 1.

        Raises:
            DeadlinePassed: when the passes would take longer than the caller waits, as soon as the first ones show it.
            LensError: see `Engine.submit`.
        """
        # A page asks for several files of one map at once; all but the first find it computed.
        async with self._running.setdefault((analysis.id, explanation), asyncio.Lock()):
            features = {name: analysis.traces[name].features[explanation.stage] for name in changes}
            keys = {name: (name, explanation, changes[name]) for name in changes}
            kept = self._scores.setdefault(analysis, LRUCache(KEPT_SCORES))
            scores = {name: kept.get(keys[name], np.empty(0, dtype=np.float32)) for name in changes}
            pace = Pace(done=sum(map(len, scores.values())), total=sum(map(len, features.values())))
            values = await read_input(analysis)
            together = count_together(*values.shape[1:])
            try:
                for name, interventions in changes.items():
                    while (start := len(scores[name])) < len(features[name]):
                        masks = features[name][start : start + together]
                        work = ChannelsWork(self._lineup, name, values, masks, explanation.class_index, interventions)
                        scores[name] = np.concatenate([scores[name], await self._engine.submit(work)])
                        kept[keys[name]] = scores[name]
                        pace.add(len(masks))
                        self._waiting.watcher.note(Passes(pace.done, pace.total))
                        if pace.expected_seconds > self._waiting.seconds:
                            raise _refuse(analysis, explanation.stage, pace, self._waiting.seconds)
            finally:
                self._waiting.watcher.end()
        return {name: weigh_channels(scores[name]) for name in changes}


@dataclass(slots=True)
class Pace:
    """How fast the passes of a map are.

    Attributes:
        done: the passes that are done.
        total: all passes.
        computed: those of `done` that were computed since `begin`.
        begin: when the first one began, by `time.monotonic`.
    """

    done: int
    total: int
    computed: int = 0
    begin: float = field(default_factory=time.monotonic)

    def add(self, count: int) -> None:
        """Some more are done."""
        self.done += count
        self.computed += count

    @property
    def seconds_per_pass(self) -> float:
        """The mean since the beginning, with the work of others in between."""
        return (time.monotonic() - self.begin) / self.computed

    @property
    def expected_seconds(self) -> float:
        """From the beginning to the last pass."""
        return (self.computed + self.total - self.done) * self.seconds_per_pass


def _refuse(analysis: Analysis, stage: Stage, pace: Pace, limit: float) -> DeadlinePassed:
    counts = {known: count_passes(analysis, known) for known in analysis.card.stages}
    fitting = [known for known in counts if counts[known] * pace.seconds_per_pass <= limit and known is not stage]
    remedies = [f"stage {known.value} ({counts[known]:,} passes)" for known in reversed(fitting)]
    return DeadlinePassed(
        f"Score-CAM at stage {stage.value} takes {pace.total:,} forward passes, about {pace.expected_seconds:.0f} s "
        f"now, and a request has {limit:.0f} s; choose {' or '.join([*remedies, 'another method'])}, or raise "
        "CBAM_LENS_DEADLINE_SECONDS on the server"
    )
