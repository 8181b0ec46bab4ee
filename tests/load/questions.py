"""Many different questions about different pictures, the same ones in every run."""

from dataclasses import dataclass

from app.analysis.options import GeometryOptions, TargetOptions
from app.explain.methods import Method
from models.names import Geometry, Resolution, Stage
from tests.conftest import encode, make_picture

SIZES = ((90, 60), (60, 90), (120, 120), (200, 64))


@dataclass(frozen=True, slots=True)
class Case:
    """One picture and one question about it."""

    image: bytes
    geometry: GeometryOptions
    options: TargetOptions


def make_cases(count: int) -> list[Case]:
    """Make `count` cases; pictures, shapes, classes, methods and stages all differ between neighbours."""
    images = [encode(make_picture(*size, seed=seed)) for seed, size in enumerate(SIZES * 4)]
    # The smallest inputs: a mix-up would show at any size.
    geometries = [GeometryOptions(geometry=geometry, resolution=Resolution.PIXELS_160) for geometry in Geometry]
    methods, stages = list(Method), list(Stage)
    return [
        Case(
            image=images[index % len(images)],
            geometry=geometries[index % 2],
            options=TargetOptions(
                target=str(index * 37 % 110), method=methods[index % len(methods)], stage=stages[index // 3 % 4]
            ),
        )
        for index in range(count)
    ]
