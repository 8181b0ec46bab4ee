"""The licence of a lineup's weights, as the headers of its model cards state it."""

from collections.abc import Iterable
from pathlib import Path

from huggingface_hub import ModelCard
from yaml import YAMLError

from models.errors import LineupError
from models.lineups.hub import shorten
from models.training.records.headers import UNKNOWN_LICENCE, Licence


def read_licence(cards: Iterable[Path]) -> Licence:
    """The one licence of these model cards; unknown where there is no card or none says it.

    Raises:
        LineupError: they differ, or a header is no YAML.
    """
    found = {path.name: _read(path) for path in cards}
    if len(set(found.values())) > 1:
        stated = ", ".join(f"{name} {licence.identifier}" for name, licence in found.items())
        raise LineupError(f"the model cards state different terms ({stated}); a repository has one: correct them")
    return next(iter(found.values()), Licence())


def _read(path: Path) -> Licence:
    try:
        # A header that somebody changed may measure in a way that the library does not know; the terms are read anyway.
        data = ModelCard.load(path, ignore_metadata_errors=True).data
    except (ValueError, YAMLError) as error:
        raise LineupError(
            f"{path}: its header cannot be read: {shorten(error)}; correct the YAML between the --- lines"
        ) from error
    return Licence(str(data.get("license") or UNKNOWN_LICENCE), data.get("license_name"), data.get("license_link"))
