"""The lenses of all lineups that are served; they share one engine."""

import math
from collections.abc import Iterator, Sequence

from app.analysis.analyses import Analysis
from app.analysis.analysis_store import AnswerCache
from app.analysis.lens import Lens
from app.analysis.passes import PassBoard, Waiting
from app.decoding.parts import Decoder, decode_parts
from app.decoding.threads import WorkThreads
from app.engine.engine import Engine
from app.errors import InvalidOption
from models.lineups.lineup import Lineup


class Lenses:
    """The lenses by their lineups' names; the first one is the default.

    Args:
        engine: a started engine.
        lineups: one or more lineups with different names.
        max_pixels: the largest width times height that may be decoded.
        answers: the cache of answers of the store of analyses; by default each lens has its own.
        decoder: the decoder of pictures; in this process by default.
        map_seconds: the longest time for one map; any by default.

    Attributes:
        engine: the engine.
        passes: the progress of maps that take many passes.
    """

    def __init__(  # noqa: PLR0913  # its parts, most of which have a default
        self,
        engine: Engine,
        lineups: Sequence[Lineup],
        *,
        max_pixels: int,
        answers: AnswerCache | None = None,
        decoder: Decoder = decode_parts,
        map_seconds: float = math.inf,
    ) -> None:
        self.engine = engine
        self.passes = PassBoard()
        waiting = Waiting(map_seconds, self.passes)
        # All lineups share one limit.
        threads = WorkThreads(decoder)
        self._lenses = {
            lineup.card.name: Lens(
                engine, lineup, max_pixels=max_pixels, answers=answers, threads=threads, waiting=waiting
            )
            for lineup in lineups
        }

    def __iter__(self) -> Iterator[Lens]:
        return iter(self._lenses.values())

    @property
    def default(self) -> Lens:
        """The first lineup's lens."""
        return next(iter(self))

    @property
    def names(self) -> tuple[str, ...]:
        """Every lineup's name."""
        return tuple(self._lenses)

    def choose(self, name: str | None) -> Lens:
        """The lens of the named lineup, or the default; raises `InvalidOption`, whose message lists the lineups."""
        if not name:
            return self.default
        if name not in self._lenses:
            raise InvalidOption(
                f"lineup {name!r} is not served here; choose one of {', '.join(self._lenses)}",
                option="lineup",
                allowed=self.names,
            )
        return self._lenses[name]

    def of(self, analysis: Analysis) -> Lens:
        """The lens that made an analysis."""
        return self._lenses[analysis.card.name]
