"""In CI no test may be skipped because a package is missing."""

import os
import re
import tomllib
from importlib.metadata import version

import pytest

from tests.conftest import ROOT

EXTRAS: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

REQUIREMENTS = sorted({requirement for extra in EXTRAS.values() for requirement in extra})


@pytest.mark.skipif(not os.environ.get("CI"), reason="only CI promises every extra")
@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_ci_has_every_extra(requirement: str) -> None:
    name = re.split(r"[\[<>=!~ ]", requirement, maxsplit=1)[0]
    assert version(name)


def test_there_are_extras_to_look_for() -> None:
    assert {requirement.partition(">")[0] for requirement in REQUIREMENTS} >= {"pyarrow", "ray[data,serve]"}
