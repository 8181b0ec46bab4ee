"""The names that a call of the API knows: its options, and the field of its picture."""

import difflib
from collections.abc import Iterable, Iterator, Mapping

from fastapi.dependencies.models import Dependant
from pydantic import BaseModel
from starlette.datastructures import FormData, UploadFile

from app.analysis.options import PageOptions
from app.errors import InvalidOption

PAGE_NAMES = frozenset(PageOptions.model_fields)
"""Names that no call refuses: a page gives all of its options to the links of all its images."""

PICTURE = "image"

LONGEST_NAME = 80
"""The characters of a name that are looked at; every known one is shorter."""

ALIKE = 0.5
"""How alike two names have to be for one to be proposed, 0..1."""


def list_names(dependant: Dependant) -> frozenset[str]:
    """List the names of a route's query parameters and form fields, with those of its dependencies."""
    return frozenset(_walk(dependant))


def _walk(dependant: Dependant) -> Iterator[str]:
    for field in (*dependant.query_params, *dependant.body_params):
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from kind.model_fields
        else:
            yield field.alias
    for inner in dependant.dependencies:
        yield from _walk(inner)


def check_names(given: Iterable[str], known: frozenset[str]) -> None:
    """Refuse a name that a call does not know.

    Raises:
        InvalidOption: for the first such name; it proposes the one that is most alike, or lists all.
    """
    for name in given:
        if name not in known and name not in PAGE_NAMES:
            shown = name[:LONGEST_NAME]
            alike = difflib.get_close_matches(shown.lower(), known, n=1, cutoff=ALIKE)
            names = sorted(known)
            hint = f"did you mean {alike[0]}?" if alike else f"this call knows {', '.join(names) or 'no option'}"
            raise InvalidOption(f"{shown!r} is no option of this call; {hint}", option=shown, allowed=names)


def check_form(form: FormData | Mapping[str, object], known: frozenset[str]) -> None:
    """Refuse a form's field that a call does not know; a picture in one is told where it belongs.

    Raises:
        InvalidOption: as `check_names`.
    """
    for name, value in form.items():
        if name not in known and isinstance(value, UploadFile) and PICTURE in known:
            shown = name[:LONGEST_NAME]
            raise InvalidOption(
                f"the picture came in the field {shown!r}; send it in the field {PICTURE}", option=shown
            )
    check_names(form, known)
