"""Each page links exactly the style sheets that have a rule for it."""

import re
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from app.analysis.options import MOST_CONCEPTS
from app.pages.analysis.page import Layout
from app.pages.evidence.views import Tone
from app.pages.templating import ENVIRONMENT, STATIC, TEMPLATES
from models.names import GateKind
from tests.pages.test_contexts import PAGES, find_templates

SHEETS = sorted((STATIC / "css").glob("*.css"))

NETWORKS = ("baseline", "se", "cbam")

PLACES = ("1", "2", "3", "4", "5")
"""Of a network in its lineup."""

CLASS_PARTS = {
    "network.name": NETWORKS,
    "network.place": PLACES,
    "place": PLACES,
    "strip.place": PLACES,
    "loop.index": PLACES,
    "row.number": tuple(str(number) for number in range(1, MOST_CONCEPTS + 1)),
    "network_count": PLACES[1:],
    "panel_count": PLACES[1:],
    "kind": NETWORKS,
    "gate_kind": tuple(kind.value for kind in GateKind),
    "layout": get_args(Layout),
    "metric.tone": get_args(Tone),
    "row.tone": get_args(Tone),
}
"""The values of each expression that a template writes within a class."""

STATE = re.compile(r"(is|has)-")
"""The prefixes of classes that scripts set and remove."""


def read_classes(name: str) -> set[str]:
    """Every class that a template can write, with its parents and everything that they include or import."""
    found = set()
    for template in find_templates(name):
        for value in re.findall(r'class="([^"]*)"', (TEMPLATES / template).read_text()):
            found |= {
                written for spelled in re.sub(r"{{ (\S+) }}", r"{\1}", value).split() for written in fill(spelled)
            }
    return found


def fill(spelled: str) -> set[str]:
    """A class with each of its parts' values: `panel-{name}` is `panel-baseline` and `panel-cbam`."""
    parts = re.findall(r"{(.*?)}", spelled)
    pattern = re.sub(r"{.*?}", "{}", spelled)
    return {pattern.format(*values) for values in product(*(CLASS_PARTS[part] for part in parts))}


def split_selectors(sheet: Path) -> list[str]:
    """Every selector of a sheet; lists are split."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    return [
        selector.strip()
        for before in re.findall(r"([^{};]*){", text)
        if not before.strip().startswith("@")
        for selector in re.split(r",(?![^(]*\))", before)
    ]


def read_selectors(sheet: Path) -> list[set[str]]:
    """The classes of each selector, without those that are a state."""
    return [
        {name for name in re.findall(r"\.([a-z][\w-]*)", selector) if not STATE.match(name)}
        for selector in split_selectors(sheet)
    ]


def find_linked(page: Any) -> list[str]:
    """The names of the sheets that a page links, in their order."""
    template = ENVIRONMENT.get_template(page.template)
    context = template.new_context({"url_for": lambda _name, path: path})
    html = "".join(template.blocks["styles"](context))
    return ["base", *re.findall(r'<link rel="stylesheet" href="css/(\w+)\.css">', html)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.template)
def test_page_links_exactly_the_sheets_with_a_rule_for_it(page: Any) -> None:
    classes = read_classes(page.template)
    needed = {sheet.stem for sheet in SHEETS if any(names and names <= classes for names in read_selectors(sheet))}
    linked = find_linked(page)
    assert sorted(linked) == sorted(needed)


def test_only_the_base_styles_elements_wherever_they_are() -> None:
    """A rule without a class or an id would count on every page that happens to link its sheet."""
    bare = {
        sheet.stem
        for sheet in SHEETS
        for selector in split_selectors(sheet)
        if not re.search(r"[.#]\w", selector) and selector != ":root"
    }
    assert bare == {"base"}


def test_every_class_of_a_sheet_is_given_by_a_template_or_a_script() -> None:
    given = set().union(*(read_classes(page.template) for page in PAGES))
    scripts = "\n".join(path.read_text() for path in (STATIC / "js").rglob("*.js"))
    given |= set(re.findall(r"[\w-]+", scripts))
    styled = set().union(*(names for sheet in SHEETS for names in read_selectors(sheet)))
    assert styled - given == set()
