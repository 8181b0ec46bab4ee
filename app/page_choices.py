"""What the page's select boxes offer."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TypeVar

from app.explain.methods import Method
from app.page_contexts import Choice
from models.card import ClassLabel
from models.names import Geometry, Resolution

AnyName = TypeVar("AnyName", bound=Enum)

METHOD_TITLES = {
    Method.GRADCAM: "Grad-CAM",
    Method.GRADCAM_PLUS_PLUS: "Grad-CAM++",
    Method.XGRADCAM: "XGrad-CAM",
    Method.HIRESCAM: "HiResCAM",
    Method.LAYERCAM: "LayerCAM",
    Method.EIGENCAM: "Eigen-CAM",
    Method.EIGENGRADCAM: "Eigen-Grad-CAM",
    Method.GRADCAM_ELEMENTWISE: "Grad-CAM element-wise",
}

GEOMETRY_TITLES = {Geometry.CENTER_CROP: "centre crop", Geometry.WHOLE: "whole picture"}


def list_choices(titles: Mapping[AnyName, str], selected: AnyName) -> tuple[Choice, ...]:
    """Every name with its title."""
    return tuple(Choice(str(name.value), title, name is selected) for name, title in titles.items())


def list_classes(labels: Sequence[ClassLabel], selected: ClassLabel) -> tuple[Choice, ...]:
    """Every class in alphabetical order, by index."""
    ordered = sorted(labels, key=lambda label: label.name.casefold())
    return tuple(Choice(str(label.index), label.name, label == selected) for label in ordered)


def list_geometries(own: Geometry) -> tuple[Choice, ...]:
    """Both geometries, the pair's own selected."""
    titles = {
        geometry: title.capitalize() + (" (this pair's own)" if geometry is own else "")
        for geometry, title in GEOMETRY_TITLES.items()
    }
    return list_choices(titles, own)


def list_resolutions(own: Resolution) -> tuple[Choice, ...]:
    """Every resolution, the pair's own selected."""
    titles = {
        resolution: f"{resolution.value} pixels" + (" (this pair's own)" if resolution is own else "")
        for resolution in Resolution
    }
    return list_choices(titles, own)
