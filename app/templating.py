"""Pages from templates: each takes one typed object."""

from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Protocol

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"


class PageContext(Protocol):
    """A frozen dataclass that names its template."""

    template: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]


def _format_count(value: float) -> str:
    return f"{value:,.0f}"


def _format_share(value: float, digits: int = 1) -> str:
    return f"{value * 100:.{digits}f} %"


ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
ENVIRONMENT.filters |= {"count": _format_count, "share": _format_share}


def render_page(
    request: Request, page: PageContext, *, status_code: int = 200, headers: dict[str, str] | None = None
) -> HTMLResponse:
    """A page's HTML.

    Args:
        request: for the addresses of routes (`url_for` in the template).
        page: what the template is given, by its fields' names.
        status_code: the HTTP status.
        headers: added to the answer's.
    """
    values = {field.name: getattr(page, field.name) for field in fields(page)}
    html = ENVIRONMENT.get_template(page.template).render(values, url_for=_path_builder(request))
    return HTMLResponse(html, status_code=status_code, headers=headers)


def _path_builder(request: Request) -> Any:  # noqa: ANN401  # a template calls it
    def build(name: str, /, **parameters: str) -> str:
        # The path alone: behind a proxy the host that this server sees is not the reader's.
        return request.url_for(name, **parameters).path

    return build
