"""The services of an application: its engine and its stores."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from app.analysis.analysis_store import AnalysisStore
from app.analysis.sheets import SheetStore
from app.analysis.upload_folder import UploadFolder
from app.engine.engine import Engine
from app.engine.loading import build_engine, load_chosen_lineups
from app.server.watch.metrics import Metrics
from app.settings import DAY_SECONDS, Settings
from models.lineups.lineup import Lineup


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """The services that the application's lifespan opens.

    Attributes:
        engine: a started engine.
        lineups: the served lineups.
        store: the store of analyses.
        sheets: the store of sheets.
        folder: the uploads on disk; None where nothing is written to disk.
    """

    engine: Engine
    lineups: Sequence[Lineup]
    store: AnalysisStore
    sheets: SheetStore
    folder: UploadFolder | None = None


def open_upload_folder(settings: Settings) -> UploadFolder | None:
    """Open the folder of uploads, if the settings have one.

    Raises:
        OSError: if it cannot be written; the message has the remedy.
    """
    if settings.store is None:
        return None
    directory = settings.store.expanduser().absolute()
    try:
        return UploadFolder(directory, max_bytes=settings.store_bytes, seconds=DAY_SECONDS * settings.store_days)
    except OSError as error:
        reason = error.strerror or error
        raise OSError(f"CBAM_LENS_STORE: {directory}: {reason}; name a folder that this user may write") from error


ServiceOpener = Callable[[FastAPI], AbstractAsyncContextManager[Services]]
"""Opens and closes the services of an application, whose state has its settings, metrics and readiness check."""


@asynccontextmanager
async def open_here(app: FastAPI) -> AsyncIterator[Services]:
    """Open the services in this process."""
    settings: Settings = app.state.settings
    metrics: Metrics = app.state.metrics
    lineups = app.state.lineups or load_chosen_lineups(settings)
    engine = build_engine(settings, metrics.count_batch, queue_seconds=settings.queue_seconds)
    engine.start(warm_up=lineups, gives_way=True)
    try:
        yield Services(
            engine,
            lineups,
            AnalysisStore(max_bytes=settings.cache_bytes, seconds=settings.cache_seconds),
            SheetStore(seconds=settings.cache_seconds),
            open_upload_folder(settings),
        )
    finally:
        engine.close()
