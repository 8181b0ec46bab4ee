"""The services of an application: its engine, its stores, and how these begin and end."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from app.analysis.analysis_store import AnalysisStore
from app.analysis.sheets import SheetStore
from app.engine.engine import Engine
from app.engine.loading import build_engine, load_chosen_lineups
from app.server.watch.metrics import Metrics
from app.settings import Settings
from models.lineups.lineup import Lineup


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """The services that the application's lifespan opens.

    Attributes:
        engine: who computes, started.
        lineups: what is served.
        store: the analyses that are kept.
        sheets: the sheets that are kept.
    """

    engine: Engine
    lineups: Sequence[Lineup]
    store: AnalysisStore
    sheets: SheetStore


ServiceOpener = Callable[[FastAPI], AbstractAsyncContextManager[Services]]
"""Opens the services of an application whose state has its settings, metrics and readiness check, and closes them."""


@asynccontextmanager
async def open_here(app: FastAPI) -> AsyncIterator[Services]:
    """Everything in this process: its networks, its memory."""
    settings: Settings = app.state.settings
    metrics: Metrics = app.state.metrics
    lineups = app.state.lineups or load_chosen_lineups(settings)
    engine = build_engine(settings, metrics.count_batch)
    engine.start(warm_up=lineups)
    try:
        yield Services(
            engine,
            lineups,
            AnalysisStore(max_bytes=settings.cache_bytes, seconds=settings.cache_seconds),
            SheetStore(seconds=settings.cache_seconds),
        )
    finally:
        engine.close()
