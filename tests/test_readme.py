"""What the README says is what the program does."""

import pytest

from app.explain.methods import Method
from app.render.colour_scale import Colormap
from app.settings import Settings
from models.lineups.pair import NetworkPair
from models.names import Geometry, NetworkName, Resolution
from tests.conftest import ROOT

TEXT = (ROOT / "README.md").read_text()


def test_readme_gives_the_measured_accuracy(pair: NetworkPair) -> None:
    rows = zip(*(pair.card.networks[name].accuracy for name in NetworkName), strict=True)
    for baseline, cbam in rows:
        cells = [f"{row.top1:.2%} / {row.top5:.2%}".replace("%", " %") for row in (baseline, cbam)]
        assert f"| {cells[0]} | {cells[1]} |" in TEXT
        geometry = "whole" if baseline.geometry is Geometry.WHOLE else "centre crop"
        assert f"| {geometry}, {baseline.resolution.value} | {cells[0]}" in TEXT


@pytest.mark.parametrize("name", Settings.model_fields)
def test_readme_names_every_setting(name: str) -> None:
    assert f"`CBAM_LENS_{name.upper()}`" in TEXT


def test_readme_lists_the_values_of_the_options() -> None:
    assert ", ".join(f"`{method.value}`" for method in Method) in TEXT
    assert ", ".join(f"`{colormap.value}`" for colormap in Colormap) in TEXT
    assert ", ".join(str(resolution.value) for resolution in Resolution) in TEXT
