"""Opening lineups by their names."""

import sys
from pathlib import Path
from typing import Any

from app.commands.fetching import fetch_chosen
from app.engine.loading import choose_device
from app.python.open_lineup import OpenLineup
from app.settings import Settings
from models.lineups.choice import parse_lineups
from models.lineups.lineup import Lineup, load_lineup


def open_lineup(
    lineup: str | Path, *, labels: str | Path | None = None, device: str | None = None, offline: bool | None = None
) -> OpenLineup:
    """Load a lineup and prepare it for answers; see `cbam_lens.load`."""
    given: dict[str, Any] = {
        "lineups": (str(lineup),),
        "labels": () if labels is None else (str(labels),),
        "device": device,
        "offline": offline,
    }
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    fetch_chosen(settings, _tell)
    (choice,) = parse_lineups(settings.lineups, settings.labels, store=settings.weight_store)
    return prepare_lineup(load_lineup(choice, device=choose_device(settings.device)), settings)


def prepare_lineup(lineup: Lineup, settings: Settings) -> OpenLineup:
    """Prepare a loaded lineup for answers, in the settings' precision."""
    return OpenLineup(lineup.optimise(settings.precision))


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
