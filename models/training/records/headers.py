"""The YAML header of a model card, as the Hugging Face Hub reads it: licence, tags, data and measured accuracy.

Source: the Hub's specification of model cards (https://huggingface.co/docs/hub/model-cards) and of its `model-index`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.attention.places import find_base
from models.lineups.card import Accuracy
from models.names import Attention
from models.training.records.yaml_text import Value, format_yaml

FENCE = "---\n"

LIBRARY = "cbam-lens"

TASK = "image-classification"

UNKNOWN_LICENCE = "unknown"
"""The Hub's word for weights whose owner has not said their terms."""

OTHER_LICENCE = "other"
"""The Hub's word for terms that are not in its list; it wants a name and a link beside it."""


@dataclass(frozen=True, slots=True)
class Licence:
    """The terms of weights.

    Attributes:
        identifier: the Hub's word for them, such as `mit`, `other` or `unknown`.
        name: their name, for `other`.
        link: a file beside the card, or an address, for `other`.
    """

    identifier: str = UNKNOWN_LICENCE
    name: str | None = None
    link: str | None = None

    @property
    def entries(self) -> dict[str, str]:
        """The header's entries."""
        given = {"license": self.identifier, "license_name": self.name, "license_link": self.link}
        return {key: value for key, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class MeasuredModel:
    """One network in a header.

    Attributes:
        name: its name for people.
        accuracy: its measured accuracy.
    """

    name: str
    accuracy: tuple[Accuracy, ...] = ()


def format_header(
    models: Sequence[MeasuredModel], *, licence: Licence, tags: Sequence[str], datasets: Sequence[str] = ()
) -> str:
    """Format the header, with its fences.

    Args:
        models: the networks that the card is about; one, or those of a lineup.
        licence: the terms of their weights.
        tags: what the Hub finds the card by, see `list_tags`.
        datasets: the training data, by its names on the Hub.
    """
    measured = [model for model in models if model.accuracy]
    table: dict[str, Value] = {
        **licence.entries,
        "library_name": LIBRARY,
        "pipeline_tag": TASK,
        "tags": tuple(tags),
        "datasets": tuple(datasets),
        "metrics": ("accuracy",) if measured else (),
        "model-index": [
            {"name": model.name, "results": [_describe_result(row) for row in model.accuracy]} for model in measured
        ],
    }
    return f"{FENCE}{format_yaml(table)}{FENCE}"


def list_tags(architecture: str, attentions: Sequence[Attention]) -> tuple[str, ...]:
    """The tags of networks with these attentions, of whatever blocks have them."""
    gated = [find_base(attention).value for attention in attentions if attention is not Attention.NONE]
    return (TASK, "pytorch", "explainability", "grad-cam", architecture.rpartition(":")[2], *dict.fromkeys(gated))


def _describe_result(row: Accuracy) -> Mapping[str, Value]:
    """One measurement; pictures of another geometry or size are another configuration of the same data."""
    geometry, resolution = row.geometry.value, row.resolution.value
    return {
        "task": {"type": TASK, "name": "Image Classification"},
        "dataset": {
            "type": re.sub(r"[^a-z0-9]+", "-", row.dataset.lower()).strip("-") or "unnamed",
            "name": row.dataset,
            "config": f"{geometry}-{resolution}",
            "args": {"geometry": geometry, "resolution": resolution, "pictures": row.pictures},
        },
        "metrics": [
            {"type": "accuracy", "name": f"top-{rank} accuracy", "value": value}
            for rank, value in ((1, row.top1), (5, row.top5))
        ],
    }
