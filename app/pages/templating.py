"""Pages from templates, each with one typed context."""

from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Protocol
from weakref import WeakKeyDictionary

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.numbers import (
    format_equation,
    format_evidence,
    format_hundredths,
    format_millions,
    format_probability,
    format_share,
    format_thousandths,
)
from app.pages.scripts import find_page_scripts
from app.pages.terms import TERMS
from app.version import VERSION

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"


NO_FRAME = "frame-ancestors 'none'"

PAGE_POLICY = f"default-src 'self'; base-uri 'none'; form-action 'self'; {NO_FRAME}"
"""The content security policy of our pages: neither inline scripts nor styles, and nothing from another host."""


OWN = "static"
"""The route of the program's own files."""


class PageContext(Protocol):
    """A frozen dataclass that names its template."""

    template: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]


SCRIPTS = find_page_scripts(STATIC / "js")
"""The modules of each page's script: a page lists them all, so that the browser loads them at once."""


def measure_bar(value: float) -> float:
    """The length of a share's bar, 0..100."""
    return round(value * 100, 1)


ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
ENVIRONMENT.globals |= {"scripts": SCRIPTS, "terms": TERMS, "version": VERSION}
ENVIRONMENT.filters |= {
    "millions": format_millions,
    "share": format_share,
    "probability": format_probability,
    "equation": format_equation,
    "evidence": format_evidence,
    "hundredths": format_hundredths,
    "thousandths": format_thousandths,
    "bar": measure_bar,
}


def render_page(
    request: Request, page: PageContext, *, status_code: int = 200, headers: dict[str, str] | None = None
) -> HTMLResponse:
    """Render a page's HTML.

    Args:
        request: the request, for the addresses of routes (`url_for` in the template).
        page: the context; the template sees its fields by name.
        status_code: the HTTP status.
        headers: further headers of the answer.
    """
    values = {field.name: getattr(page, field.name) for field in fields(page)}
    html = ENVIRONMENT.get_template(page.template).render(values, url_for=_path_builder(request))
    return HTMLResponse(
        html, status_code=status_code, headers={"Content-Security-Policy": PAGE_POLICY} | (headers or {})
    )


_OWN_PATHS: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
"""Each application's path of its own files. Looking up a route takes longer than all else of a small page."""


def _find_own_path(request: Request) -> str:
    if request.app not in _OWN_PATHS:
        _OWN_PATHS[request.app] = request.app.url_path_for(OWN, path="/")
    # Below a path of a proxy, that path comes first.
    root: str = request.scope.get("root_path", "")
    return root + _OWN_PATHS[request.app]


def _path_builder(request: Request) -> Any:  # noqa: ANN401  # a template calls it
    own = _find_own_path(request)

    def build(name: str, /, **parameters: str) -> str:
        if name == OWN:
            return own + parameters["path"]
        # Only the path: behind a proxy this server may see another host than the reader.
        return request.url_for(name, **parameters).path

    return build
