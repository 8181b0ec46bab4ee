"""What each template is given: one frozen dataclass per template, and nothing else."""

from dataclasses import dataclass
from typing import ClassVar

from app.samples import Sample
from app.schemas import AnalysisAnswer, PairDescription


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """Something went wrong.

    Attributes:
        title: the kind of problem.
        detail: rule, value and remedy.
        status: the HTTP status.
    """

    template: ClassVar[str] = "error.html"
    title: str
    detail: str
    status: int


@dataclass(frozen=True, slots=True)
class UploadPage:
    """The first page: choose a picture.

    Attributes:
        pair: the loaded pair.
        samples: the gallery.
        max_upload_megabytes: the largest picture.
        error: what was wrong with the last picture, or None.
    """

    template: ClassVar[str] = "upload.html"
    pair: PairDescription
    samples: tuple[Sample, ...]
    max_upload_megabytes: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a select box."""

    value: str
    title: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class ImageLinks:
    """Addresses of the pictures on the analysis page, at a size for the screen."""

    picture: str
    baseline: str
    cbam: str
    difference: str


@dataclass(frozen=True, slots=True)
class AnalysisPage:
    """Picture, baseline, CBAM, difference and every gate.

    Attributes:
        pair: the loaded pair.
        answer: the comparison, as REST gives it.
        images: addresses of the panels.
        colormap, scale: as chosen.
        difference_limit: the value at the ends of the difference's colours.
        classes, methods, stages, scales, colormaps: what can be chosen.
        samples: the gallery, for the next picture.
        max_upload_megabytes: the largest picture.
        geometry_warnings: sentences when the geometry is not the pair's own or part of the picture was not seen.
    """

    template: ClassVar[str] = "analysis.html"
    pair: PairDescription
    answer: AnalysisAnswer
    images: ImageLinks
    colormap: str
    scale: str
    difference_limit: float
    classes: tuple[Choice, ...]
    methods: tuple[Choice, ...]
    stages: tuple[Choice, ...]
    scales: tuple[Choice, ...]
    colormaps: tuple[Choice, ...]
    samples: tuple[Sample, ...]
    max_upload_megabytes: float
    geometry_warnings: tuple[str, ...]
