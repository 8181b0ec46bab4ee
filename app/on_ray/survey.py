"""`cbam-lens compare --rows DIR --on ray`: many pictures by Ray Data, with the same options, rows and files as locally.

Each worker is an actor with its own engine, which processes a block of pictures as a local run processes all of them.
Only this process writes the rows. The workers read the pictures and write the maps themselves, so several machines need
a shared file system.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from anyio.from_thread import start_blocking_portal
from ray import data

from app.engine.loading import load_chosen_lineup
from app.errors import InvalidOption
from app.on_ray.cluster import join_cluster
from app.on_ray.settings import RaySettings
from app.settings import Settings
from app.survey.rows import Row, build_failed_row
from app.survey.run import SurveyOptions, SurveyReport, open_surveyor, plan_survey, write_rows
from app.survey.sources import PictureSource
from app.survey.store import RowStore, tabulate_rows

BLOCK_PICTURES = 64
"""The number of pictures that a worker gets at once, and that are repeated if it dies."""

CHUNK_PICTURES = 50_000
"""The number of pictures that Ray Data gets at once: it holds its whole input in memory."""


def survey_on_ray(
    settings: Settings, ray_settings: RaySettings, sources: Sequence[PictureSource], options: SurveyOptions
) -> SurveyReport:
    """Do `survey_sources` with the workers of a cluster.

    Args:
        settings: the lineup, the device and the limits on pictures.
        ray_settings: the number and size of the workers.
        sources: the pictures.
        options: the options for every picture.

    Raises:
        InvalidOption: for an invalid option, and for a directory with the rows of other options.
        OSError: for a directory that cannot be written.
        LineupError: when the networks cannot be loaded; they are loaded here first, on the CPU.
    """
    card = load_chosen_lineup(settings.model_copy(update={"device": "cpu"})).card
    # Each worker has its own current directory.
    options = replace(options, directory=options.directory.resolve())
    plan = plan_survey(card, sources, options)
    with write_rows(plan) as (writer, take):
        if plan.left:
            with join_cluster():
                for row in _survey(ray_settings.fit(settings), ray_settings, plan.left, options):
                    if row["error"] == InvalidOption.__name__:
                        raise InvalidOption(row["problem"], option="target")
                    take(row)
    return SurveyReport(done=writer.done, skipped=plan.skipped, failed=writer.failed)


class SurveyWorker:
    """Compares the networks on blocks of pictures; Ray Data starts one per worker.

    Args:
        settings: the worker's settings.
        options: the options for every picture.
    """

    def __init__(self, settings: Settings, options: SurveyOptions) -> None:
        lineup = load_chosen_lineup(settings)
        store = RowStore(options.directory, options.identify(lineup.card), lineup.names)
        self._networks = lineup.names
        self._stack = ExitStack()
        self._surveyor = self._stack.enter_context(open_surveyor(settings, lineup, options, store))
        # All blocks share one event loop, although Ray Data may call from several threads.
        self._portal = self._stack.enter_context(start_blocking_portal())

    def __call__(self, block: dict[str, np.ndarray]) -> Any:  # noqa: ANN401  # pyarrow has no types
        """Make the rows of a block of pictures, as a `pyarrow.Table`."""
        columns = (block[name].tolist() for name in ("key", "path", "offset", "size", "target"))
        sources = [
            PictureSource(key, Path(path), offset, None if size < 0 else size, target)
            for key, path, offset, size, target in zip(*columns, strict=True)
        ]
        rows: list[Row] = []
        try:
            self._portal.call(self._surveyor.look_at_all, sources, rows.append)
        except InvalidOption as error:
            # The option is wrong, not a picture: the row takes the error to the caller, and Ray Data does not retry.
            rows = [build_failed_row(sources[0].key, error)]
        return tabulate_rows(rows, self._networks)


def _survey(
    settings: Settings, ray_settings: RaySettings, sources: Sequence[PictureSource], options: SurveyOptions
) -> Iterator[Row]:
    context = data.DataContext.get_current()
    # The survey has its own progress bar.
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for start in range(0, len(sources), CHUNK_PICTURES):
        items = [
            {
                "key": source.key,
                "path": str(source.path.resolve()),
                "offset": source.offset,
                "size": -1 if source.size is None else source.size,
                "target": source.target,
            }
            for source in sources[start : start + CHUNK_PICTURES]
        ]
        blocks = -(-len(items) // BLOCK_PICTURES)
        table = data.from_items(items, override_num_blocks=blocks).map_batches(
            SurveyWorker,
            fn_constructor_args=(settings, options),
            batch_size=BLOCK_PICTURES,
            compute=data.ActorPoolStrategy(
                min_size=min(ray_settings.min_replicas, blocks), max_size=min(ray_settings.max_replicas, blocks)
            ),
            num_cpus=ray_settings.replica_cpus,
            num_gpus=ray_settings.replica_gpus or None,
        )
        for batch in table.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield from batch.to_pylist()
