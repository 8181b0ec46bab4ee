import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from app.analysis.comparison import Comparison
from app.python.notebook.drawing import draw_html
from app.python.open_lineup import OpenLineup
from models.lineups.card import ClassLabel
from models.lineups.lineup import Lineup
from tests.photographs import read_photograph

HOSTILE = "</script><img src=x onerror=alert(1)>&\"'<!--"


@pytest.fixture(scope="module")
def comparison(lineup: Lineup) -> Comparison:
    return OpenLineup(lineup).compare(read_photograph("cat")).comparison


class Elements(HTMLParser):
    """The elements of a document with their attributes, and the text outside of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] not in ("script", "style"):
            self.text += data


def make_hostile(comparison: Comparison) -> Comparison:
    """The same comparison with names that try to be code."""
    labels = tuple(ClassLabel(index=label.index, id=label.id, name=HOSTILE) for label in comparison.labels)
    card = comparison.analysis.card
    networks = {name: network.model_copy(update={"title": HOSTILE}) for name, network in card.networks.items()}
    hostile = card.model_copy(update={"title": HOSTILE, "warnings": (HOSTILE,), "networks": networks})
    return replace(
        comparison,
        analysis=replace(comparison.analysis, card=hostile),
        labels=labels,
        target=replace(comparison.target, label=labels[0]),
    )


@pytest.mark.parametrize("is_page", [False, True])
def test_names_are_never_code(comparison: Comparison, is_page: bool) -> None:
    plain = Elements(draw_html(comparison, is_page=is_page))
    hostile = Elements(draw_html(make_hostile(comparison), is_page=is_page))
    # The card had no warning; the hostile one's is a paragraph of its own.
    assert len(hostile.found) == len(plain.found) + 1
    assert all("onerror" not in attributes for _, attributes in hostile.found)
    assert hostile.text.count(HOSTILE) >= 5


@pytest.mark.parametrize("is_page", [False, True])
def test_nothing_is_fetched_from_anywhere(comparison: Comparison, is_page: bool) -> None:
    html = draw_html(comparison, is_page=is_page)
    addresses = [
        value
        for _, attributes in Elements(html).found
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action")
    ]
    assert len(addresses) == 1
    assert all(address is not None and address.startswith("data:image/jpeg;base64,") for address in addresses)
    code = re.sub(r"/\*.*?\*/|base64,[\w+/=]+", "", html, flags=re.DOTALL)
    assert len(code) < len(html) / 5
    assert not re.search(r"https?:|[\"'(]//\w|@import|url\(|fetch\(|import\(", code)


def test_same_comparison_has_the_same_output(comparison: Comparison) -> None:
    assert draw_html(comparison) == draw_html(comparison)


def test_output_is_small_enough_for_a_notebook(comparison: Comparison) -> None:
    assert len(draw_html(comparison)) < 600_000


def test_numbers_are_there_without_scripts(comparison: Comparison) -> None:
    text = Elements(draw_html(comparison)).text
    assert "Grad-CAM, stage 4" in text
    assert comparison.target.label.name in text
    assert comparison.predictions("cbam")[1].label.name in text


def test_untrained_networks_are_named_so(comparison: Comparison) -> None:
    card = comparison.analysis.card.model_copy(update={"trained": False})
    untrained = replace(comparison, analysis=replace(comparison.analysis, card=card))
    assert "untrained networks" in Elements(draw_html(untrained)).text
