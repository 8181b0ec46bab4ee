"""The replica that has the networks: the engine of the plain server, behind Ray Serve's dynamic batching."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from ray import serve
from ray.util.metrics import Histogram

from app.errors import LensError
from app.loading import build_engine, load_chosen_pairs
from app.on_ray.wire import Parcel, unpack
from app.settings import Settings
from app.watch.logs import set_up_logging
from app.watch.metrics import BATCH_SIZES
from models.pair import NetworkPair

ROOM_BATCHES = 2
"""What a replica takes in: one batch is computed while the next one gathers. Two computed at once would be smaller, and
a picture by itself takes twice the time of one in a batch."""

LOOK_SECONDS = 0.05


class PairReplica:
    """Answers works; what goes wrong with one is its answer, and none of the others'.

    Args:
        settings: which pairs, where, and how many pictures share a pass.
    """

    def __init__(self, settings: Settings) -> None:
        set_up_logging(settings.log_level, settings.log_format)
        self._pairs = {pair.card.name: pair for pair in load_chosen_pairs(settings)}
        batch_sizes = Histogram(
            "cbam_lens_batch_size", "Pictures of one forward pass.", boundaries=list(map(float, BATCH_SIZES))
        )
        # What waits is bounded before it comes here; there is room for the batch.
        room = settings.model_copy(update={"queue_size": settings.batch_size})
        self._engine = build_engine(room, lambda size: batch_sizes.observe(float(size)))
        self._engine.start(warm_up=tuple(self._pairs.values()))
        self._answer_together = serve.batch(
            self._compute,
            max_batch_size=settings.batch_size,
            batch_wait_timeout_s=settings.batch_wait_seconds,
            max_concurrent_batches=1,
        )

    async def describe(self) -> list[NetworkPair]:
        """What is known of each pair, without its networks, once every pair has answered a first picture."""
        while not self._engine.is_ready and not self._engine.has_failed:
            await asyncio.sleep(LOOK_SECONDS)
        return [replace(pair, networks={}) for pair in self._pairs.values()]

    async def answer(self, parcel: Parcel) -> object:
        """The answer to one work, or the error that it ended with."""
        return await self._answer_together(parcel)

    async def is_ready(self) -> bool:
        """Whether works are answered."""
        return self._engine.is_ready

    def check_health(self) -> None:
        """Ray Serve asks this, and starts another replica in place of one that raises."""
        if self._engine.has_failed:
            raise RuntimeError("a pair did not answer its first picture")

    async def _compute(self, parcels: Sequence[Parcel]) -> list[object]:
        works = [unpack(parcel, self._pairs) for parcel in parcels]
        try:
            return await self._engine.submit_together(works)
        except LensError as error:
            return [error] * len(works)
