"""Every lineup that is served, each behind its lens, all behind one engine."""

import os
from collections.abc import Iterator, Sequence

import anyio

from app.analysis.analyses import Analysis
from app.analysis.analysis_store import AnswerCache
from app.analysis.lens import Lens
from app.engine.engine import Engine
from app.errors import InvalidOption
from models.lineups.lineup import Lineup


class Lenses:
    """The lenses by their lineup's name; the first one is meant where none is named.

    Args:
        engine: what computes, started.
        lineups: at least one, of different names.
        max_pixels: width times height that may be decoded.
        answers: what was asked before, of the store of analyses.
    """

    def __init__(
        self, engine: Engine, lineups: Sequence[Lineup], *, max_pixels: int, answers: AnswerCache | None = None
    ) -> None:
        self.engine = engine
        # Decoding and drawing take a core and a picture's memory each, whichever lineup they are for.
        threads = anyio.CapacityLimiter(os.cpu_count() or 1)
        self._lenses = {
            lineup.card.name: Lens(engine, lineup, max_pixels=max_pixels, answers=answers, threads=threads)
            for lineup in lineups
        }

    def __iter__(self) -> Iterator[Lens]:
        return iter(self._lenses.values())

    @property
    def default(self) -> Lens:
        """The first one."""
        return next(iter(self))

    @property
    def names(self) -> tuple[str, ...]:
        """Every lineup's name."""
        return tuple(self._lenses)

    def choose(self, name: str | None) -> Lens:
        """The lens of a lineup, the first one for no name; raises `InvalidOption`, which lists the lineups."""
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
