"""The replica with the networks: the plain server's engine behind Ray Serve's dynamic batching."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from ray import serve
from ray.util.metrics import Histogram

from app.engine.loading import build_engine, load_chosen_lineups
from app.engine.memory import give_back_memory
from app.errors import LensError
from app.on_ray.wire import PackedWork, unpack
from app.server.pauses import shorten_pauses
from app.server.watch.logs import set_up_logging
from app.server.watch.metrics import BATCH_SIZES
from app.settings import Settings
from models.lineups.lineup import Lineup

ROOM_BATCHES = 2
"""The number of batches that a replica accepts: one is computed while the next one is collected."""

LOOK_SECONDS = 0.05


class LineupReplica:
    """Computes work; an error is the answer to its own piece of work alone.

    Args:
        settings: the lineups, the device and the batch size.
    """

    def __init__(self, settings: Settings) -> None:
        set_up_logging(settings.log_level, settings.log_format)
        self._lineups = {lineup.card.name: lineup for lineup in load_chosen_lineups(settings)}
        batch_sizes = Histogram(
            "cbam_lens_batch_size", "Pictures per forward pass.", boundaries=list(map(float, BATCH_SIZES))
        )
        # Ray Serve's queue already limits the waiting work and waits for batches.
        room = settings.model_copy(update={"queue_size": ROOM_BATCHES * settings.batch_size, "batch_wait_seconds": 0.0})
        self._engine = build_engine(room, lambda size: batch_sizes.observe(float(size)))
        self._engine.start(warm_up=tuple(self._lineups.values()))
        shorten_pauses()
        give_back_memory()
        self._submit_together = serve.batch(
            self._submit, max_batch_size=settings.batch_size, batch_wait_timeout_s=settings.batch_wait_seconds
        )

    async def list_lineups(self) -> list[Lineup]:
        """The lineups without their networks, once every lineup has computed a first picture."""
        while not self._engine.is_ready and not self._engine.has_failed:
            await asyncio.sleep(LOOK_SECONDS)
        return [replace(lineup, networks={}) for lineup in self._lineups.values()]

    async def answer(self, packed: PackedWork) -> object:
        """Compute one piece of work, and return its answer or its error."""
        try:
            waiting = await self._submit_together(packed)
            return await waiting
        except LensError as error:
            return error

    async def is_ready(self) -> bool:
        """Whether work is accepted and computed."""
        return self._engine.is_ready

    def check_health(self) -> None:
        """Raise RuntimeError if a lineup failed; Ray Serve calls this and replaces a replica that raises."""
        if self._engine.has_failed:
            raise RuntimeError("a lineup could not compute its first picture")

    async def _submit(self, batch: Sequence[PackedWork]) -> list[asyncio.Future[object]]:
        """Hand a batch to the engine without waiting for its answers.

        Ray Serve closes a batch when its wait is over, even while the last one is still computed, so that under load
        each batch would be one picture; the engine's worker takes all waiting pictures in one pass.
        """
        return self._engine.submit_together([unpack(packed, self._lineups) for packed in batch])
