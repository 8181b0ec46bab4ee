"""The gallery: photographs that come with the program, and their credits."""

import csv
from dataclasses import dataclass
from functools import cache

from app.errors import refuse_choice
from app.pages.templating import STATIC

DIRECTORY = STATIC / "gallery"

CREDITS = DIRECTORY / "credits.csv"
"""One row per picture, in the gallery's order."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One gallery picture.

    Attributes:
        name: its name in addresses; the file's name without `.jpg`.
        title: its class, for people.
        class_index: the index of that class in the shipped lineup.
        author: the photographer, or the data set.
        source: the address of the picture's page, or of its data set's.
        licence: the licence's short name.
    """

    name: str
    title: str
    class_index: int
    author: str
    source: str
    licence: str


def _read_credits() -> tuple[Sample, ...]:
    with CREDITS.open(encoding="utf-8", newline="") as file:
        return tuple(
            Sample(row["name"], row["title"], int(row["class_index"]), row["author"], row["source"], row["licence"])
            for row in csv.DictReader(file)
        )


SAMPLES = _read_credits()


def find_sample(name: str) -> Sample:
    """Find the sample of that name; raises `InvalidOption`."""
    for sample in SAMPLES:
        if sample.name == name:
            return sample
    names = [sample.name for sample in SAMPLES]
    raise refuse_choice("sample", name, names)


def recognise_sample(data: bytes) -> Sample | None:
    """The sample with that file; None for any other picture."""
    return next((sample for sample in SAMPLES if read_sample(sample.name) == data), None)


@cache
def read_sample(name: str) -> bytes:
    """Read the file of a sample; raises `InvalidOption`."""
    return (DIRECTORY / f"{find_sample(name).name}.jpg").read_bytes()
