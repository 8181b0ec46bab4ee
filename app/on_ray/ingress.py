"""The replica of the application, which answers requests; its networks and its stores are in other processes."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from ray.serve.handle import DeploymentHandle

from app.main import create_app
from app.on_ray.remote_engine import RemoteEngine
from app.on_ray.stores import SharedAnalysisStore, SharedSheetStore
from app.server.pauses import shorten_pauses
from app.server.watch.logs import set_up_logging
from app.services import Services, open_upload_folder
from app.settings import Settings

DRAIN_LOOK_SECONDS = 0.5

COPIES_BYTES = 512_000_000
"""The most memory for copies of analyses in one application process; the store has them all."""

RAY_LOGGER = "ray.serve"

LOAD_SENTENCES = ("Failed to get queue length", "Request dropped due to backpressure")
"""Ray's sentences about a process that is busy. It logs one for each attempt, by which clients could fill the log."""


class Ingress:
    """Builds the application when a replica starts; `serve.ingress` makes it a deployment.

    Args:
        networks: the handle of the `LineupReplica` deployment.
        store_actor: the actor that keeps analyses and sheets.
        settings: the server's settings.
        session_key: see `create_app`.
    """

    def __init__(
        self,
        networks: DeploymentHandle,
        store_actor: Any,  # noqa: ANN401  # Ray's handle
        settings: Settings,
        session_key: bytes,
    ) -> None:
        set_up_logging(settings.log_level, settings.log_format)
        logging.getLogger(RAY_LOGGER).addFilter(lambda record: not record.getMessage().startswith(LOAD_SENTENCES))
        self._networks = networks
        self._store_actor = store_actor
        self._settings = settings
        self._session_key = session_key

    def __serve_build_asgi_app__(self) -> FastAPI:  # Ray Serve's own name
        """Build the application; Ray Serve calls this once."""
        return create_app(self._settings, open_services=self._open, session_key=self._session_key)

    @asynccontextmanager
    async def _open(self, app: FastAPI) -> AsyncIterator[Services]:
        """Connect to the networks and stores in other processes; waits until the networks are ready."""
        settings = self._settings
        engine = RemoteEngine(self._networks, queue_size=settings.queue_size, queue_seconds=settings.queue_seconds)
        lineups = await self._networks.list_lineups.remote()
        watches = [asyncio.create_task(engine.watch()), asyncio.create_task(self._watch_for_end(app))]
        shorten_pauses()
        try:
            yield Services(
                engine,
                lineups,
                SharedAnalysisStore(
                    self._store_actor,
                    max_bytes=min(settings.cache_bytes, COPIES_BYTES),
                    seconds=settings.cache_seconds,
                ),
                SharedSheetStore(self._store_actor, seconds=settings.cache_seconds),
                open_upload_folder(settings),
            )
        finally:
            for watch in watches:
                watch.cancel()
                with suppress(asyncio.CancelledError):
                    await watch

    async def _watch_for_end(self, app: FastAPI) -> None:
        """Watch for the server's end, which `/readyz` must report in every replica."""
        while not app.state.readiness_check.is_draining:
            app.state.readiness_check.is_draining = await self._store_actor.is_draining.remote()
            await asyncio.sleep(DRAIN_LOOK_SECONDS)
