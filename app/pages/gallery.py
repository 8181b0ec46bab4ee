"""The gallery's pictures, which come from installed packages and are not part of this project."""

from dataclasses import dataclass
from functools import cache
from importlib import resources

from app.errors import refuse_choice


@dataclass(frozen=True, slots=True)
class Sample:
    """One gallery picture.

    Attributes:
        name: its name in addresses.
        title: its name for people.
        package: the package that contains it.
        file: its file in the package.
    """

    name: str
    title: str
    package: str
    file: str


SAMPLES = (
    Sample("motorcycle", "Motorcycle", "skimage.data", "motorcycle_left.png"),
    Sample("flower", "Flower", "sklearn.datasets.images", "flower.jpg"),
    Sample("temple", "Temple", "sklearn.datasets.images", "china.jpg"),
    Sample("coffee", "Coffee cup", "skimage.data", "coffee.png"),
    Sample("astronaut", "Astronaut", "skimage.data", "astronaut.png"),
    Sample("cat", "Cat", "skimage.data", "chelsea.png"),
    Sample("rocket", "Rocket", "skimage.data", "rocket.jpg"),
    Sample("photographer", "Photographer", "skimage.data", "camera.png"),
)


def find_sample(name: str) -> Sample:
    """Find the sample of that name; raises `InvalidOption`."""
    for sample in SAMPLES:
        if sample.name == name:
            return sample
    names = [sample.name for sample in SAMPLES]
    raise refuse_choice("sample", name, names)


@cache
def read_sample(name: str) -> bytes:
    """Read the file of a sample; raises `InvalidOption`."""
    sample = find_sample(name)
    return resources.files(sample.package).joinpath(sample.file).read_bytes()
