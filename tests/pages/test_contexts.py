from dataclasses import fields, is_dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
from jinja2 import meta, nodes

import app.pages
from app.pages.templating import ENVIRONMENT, TEMPLATES

GIVEN_TO_ALL = {"url_for", "scripts", "terms"}


def find_pages() -> list[type[Any]]:
    """Every class under `app.pages` that names its template."""
    found = set()
    for module in walk_packages(app.pages.__path__, prefix="app.pages."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, type) and is_dataclass(value) and hasattr(value, "template"):
                found.add(value)
    return sorted(found, key=lambda page: page.template)


PAGES = find_pages()


def find_templates(name: str) -> set[str]:
    """The template, its parents and everything that they include or import."""
    tree = parse(name)
    found = {name}
    for referenced in meta.find_referenced_templates(tree):
        assert referenced is not None, f"{name} computes a template's name; name it, so that it can be found"
        found |= find_templates(referenced)
    return found


def parse(name: str) -> nodes.Template:
    source, _, _ = ENVIRONMENT.loader.get_source(ENVIRONMENT, name)  # type: ignore[union-attr]
    return ENVIRONMENT.parse(source)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.template)
def test_template_uses_exactly_the_fields_of_its_context(page: Any) -> None:
    used = set().union(*(meta.find_undeclared_variables(parse(name)) for name in find_templates(page.template)))
    assert used - GIVEN_TO_ALL == {field.name for field in fields(page)}


def test_every_template_that_extends_another_is_a_page_of_its_own() -> None:
    extending = {path.name for path in TEMPLATES.glob("*.html") if "{% extends" in path.read_text()}
    assert sorted(page.template for page in PAGES) == sorted(extending)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.template)
def test_context_is_frozen(page: Any) -> None:
    assert page.__dataclass_params__.frozen


def test_every_template_belongs_to_a_page() -> None:
    used = set().union(*(find_templates(page.template) for page in PAGES))
    assert used == {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html")}


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.stem)
def test_template_has_no_inline_style_or_script(path: Any) -> None:
    source = path.read_text()
    assert "style=" not in source
    assert "<style" not in source
    assert "onclick" not in source
    assert source.count("<script") == source.count('<script type="module" blocking="render" src=')
