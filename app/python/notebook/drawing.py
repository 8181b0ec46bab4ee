"""The HTML of a comparison: the figure, which scripts exchange for two maps under a handle, and a table.

The figure is what remains where scripts are off: in a notebook that is not trusted, and on GitHub.
"""

import base64
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from app.analysis.comparison import Comparison
from app.analysis.networks import choose_difference
from app.analysis.options import FigureOptions, MapOptions
from app.api.map_values import build_maps_answer
from app.numbers import format_evidence, format_probability
from app.output.figures import draw_comparison_figure
from app.output.heat_maps import draw_difference, draw_heat_map, title_difference, title_networks
from app.pages.choices import METHOD_TITLES
from app.pages.templating import STATIC
from app.python.notebook.script import join_modules
from app.render.figure import FigureFormat
from app.render.png import encode_jpeg
from models.names import NetworkName
from models.networks.titles import join_words

HERE = Path(__file__).parent

NOTEBOOK_SCRIPT = "notebook/comparison.js"
"""The entry of an output's script."""

DRAWING_SIDE_PIXELS = 640
FIGURE_WIDTH_PIXELS = 1400
GUESSES = 3

PICTURE, DIFFERENCE = "picture", "difference"
"""The drawings beside the networks'; no network may be called so."""

ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
ENVIRONMENT.filters |= {"probability": format_probability, "evidence": format_evidence}


@dataclass(frozen=True, slots=True)
class TableRow:
    """One network's numbers.

    Attributes:
        title: its name for people.
        probability: P of the explained class, 0..1.
        maximum: its map's highest value, in the method's units.
        guesses: its likeliest classes with P, in words.
    """

    title: str
    probability: float
    maximum: float
    guesses: str


def draw_html(comparison: Comparison, *, is_page: bool = False) -> str:
    """Draw a comparison as HTML without addresses of anything outside of it.

    Args:
        comparison: the maps.
        is_page: a document of its own, in place of a part of one.
    """
    titles = title_networks(comparison)
    payload = _build_payload(comparison, titles)
    card = comparison.analysis.card
    output = ENVIRONMENT.get_template("output.html").render(
        # The same comparison has the same output, so that a notebook run again does not change.
        key=hashlib.sha256(json.dumps(payload).encode()).hexdigest()[:12],
        target=comparison.target.label.name,
        heading=_write_heading(comparison),
        titles=join_words(list(titles.values())),
        figure=_embed(_draw_figure(comparison)),
        rows=[_make_row(comparison, name, title) for name, title in titles.items()],
        warnings=card.warnings,
        style=Markup((HERE / "output.css").read_text(encoding="utf-8")),  # noqa: S704  # our own files
        script=Markup(join_modules(STATIC / "js", NOTEBOOK_SCRIPT)),  # noqa: S704
        payload=payload,
    )
    if not is_page:
        return output
    title = f"{comparison.target.label.name}: {card.title}"
    return ENVIRONMENT.get_template("page.html").render(title=title, output=Markup(output))  # noqa: S704  # escaped


def _write_heading(comparison: Comparison) -> str:
    heading = f"{METHOD_TITLES[comparison.method]}, stage {comparison.stage.value}"
    if comparison.altered is not None:
        heading += ", gates changed, not retrained"
    return heading if comparison.analysis.card.trained else f"{heading}, untrained networks"


def _build_payload(comparison: Comparison, titles: dict[NetworkName, str]) -> dict[str, Any]:
    """What the script draws: see `Payload` in `static/js/notebook/comparison.js`."""
    difference = choose_difference(comparison.analysis.card)
    side = DRAWING_SIDE_PIXELS
    drawings = [
        (PICTURE, "Picture", comparison.analysis.picture(max_side=side)),
        *(
            (name, title, draw_heat_map(comparison, name, MapOptions(), max_side=side))
            for name, title in titles.items()
        ),
        (
            DIFFERENCE,
            title_difference(comparison, difference),
            draw_difference(comparison, difference, MapOptions(), max_side=side),
        ),
    ]
    return {
        "maps": build_maps_answer([comparison]).model_dump(mode="json"),
        "drawings": [{"name": name, "title": title, "image": _embed(image)} for name, title, image in drawings],
        "left": difference.minus,
        "right": difference.of,
        "difference": {"of": difference.of, "minus": difference.minus},
    }


def _make_row(comparison: Comparison, name: NetworkName, title: str) -> TableRow:
    guesses = comparison.predictions(name, count=GUESSES)
    return TableRow(
        title=title,
        probability=comparison.target_probability(name),
        maximum=comparison.heat_maps[name].maximum,
        guesses=", ".join(f"{guess.label.name} ({format_probability(guess.probability)})" for guess in guesses),
    )


def _draw_figure(comparison: Comparison) -> Image.Image:
    content = draw_comparison_figure([comparison], FigureOptions(difference=True), FigureFormat.PNG)
    figure = Image.open(io.BytesIO(content)).convert("RGB")
    figure.thumbnail((FIGURE_WIDTH_PIXELS, FIGURE_WIDTH_PIXELS))
    return figure


def _embed(picture: Image.Image) -> str:
    """A picture as an address that has it inside."""
    return f"data:image/jpeg;base64,{base64.b64encode(encode_jpeg(picture)).decode('ascii')}"
