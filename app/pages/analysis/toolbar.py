"""The bar above the maps: the picture, the lineup, the class, and what can be done with the page."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from app.analysis.comparison import Comparison
from app.api.analyses import find_expiry
from app.numbers import format_percentage
from app.pages.addresses import Download
from app.pages.choices import Choice
from app.pages.gallery import Sample, recognise_sample

FIRST_CLASSES = 5
"""The number of likeliest classes that come before the others."""


@dataclass(frozen=True, slots=True)
class ClassChoice:
    """One class of the select box.

    Attributes:
        value: its index.
        name: its name.
        probability: the networks' mean P in percent, as text; empty for a class that is not among the likeliest.
        is_selected: whether it is explained.
    """

    value: str
    name: str
    probability: str
    is_selected: bool


NEAR = timedelta(hours=12)
"""Within this, the time of day says when."""


@dataclass(frozen=True, slots=True)
class Toolbar:
    """The bar above the maps.

    Attributes:
        name: the picture's name for people.
        sample: the gallery's picture; None for a picture that is not from there.
        lineup: the lineup's title.
        other_lineups: the other loaded lineups, for the same picture.
        classes: every class, the likeliest first, the rest in alphabetical order.
        expires: when the analysis leaves the server, at the latest, in UTC.
        downloads: the files to download.
    """

    name: str
    sample: Sample | None
    lineup: str
    other_lineups: tuple[Choice, ...]
    classes: tuple[ClassChoice, ...]
    expires: datetime
    downloads: tuple[Download, ...]

    @property
    def expires_text(self) -> str:
        """The time of day of `expires`, or its day if that is not near."""
        is_near = self.expires - datetime.now(UTC) < NEAR
        return f"{self.expires:%H:%M} UTC" if is_near else f"{self.expires.day} {self.expires:%B %Y}"


def build_toolbar(
    comparison: Comparison, *, lineups: tuple[Choice, ...], kept_seconds: float, downloads: tuple[Download, ...]
) -> Toolbar:
    """Build the bar of a comparison.

    Args:
        comparison: the comparison.
        lineups: the loaded lineups; empty for a single one.
        kept_seconds: how long the server keeps an analysis.
        downloads: the files to download.
    """
    analysis = comparison.analysis
    return Toolbar(
        name=analysis.name or "Picture",
        sample=recognise_sample(analysis.source.data),
        lineup=analysis.card.title,
        other_lineups=tuple(choice for choice in lineups if not choice.is_selected),
        classes=list_classes(comparison),
        expires=find_expiry(analysis, kept_seconds),
        downloads=downloads,
    )


def list_classes(comparison: Comparison) -> tuple[ClassChoice, ...]:
    """List every class: those that the networks' mean probability ranks first, then the rest by name."""
    means = comparison.mean_probabilities  # (K,)
    first = [int(index) for index in np.argsort(-means, kind="stable")[:FIRST_CLASSES]]
    rest = [label for label in comparison.labels if label.index not in first]
    ordered = [comparison.labels[index] for index in first]
    ordered += sorted(rest, key=lambda label: label.name.casefold())
    return tuple(
        ClassChoice(
            value=str(label.index),
            name=label.name,
            probability=format_percentage(float(means[label.index])) if label.index in first else "",
            is_selected=label == comparison.target.label,
        )
        for label in ordered
    )
