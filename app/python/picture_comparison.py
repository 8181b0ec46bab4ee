"""The networks' answers about one picture, as arrays, rows, files, and a drawing in a notebook."""

import io
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from PIL import Image

from app.analysis.comparison import Comparison, Difference, Prediction
from app.analysis.options import ConceptOptions, FigureOptions, TargetOptions
from app.api.analyses import build_analysis_answer
from app.errors import refuse_choice
from app.explain.maps import FloatArray
from app.explain.methods import Method
from app.output.figures import draw_comparison_figure, pack_maps
from app.output.files import write_whole
from app.python.notebook.drawing import draw_html
from app.python.picture_concepts import PictureConcepts
from app.python.reading import read_concept_options, read_target_options
from app.render.colour_scale import Colormap, Scale
from app.render.figure import FigureFormat
from models.lineups.card import ClassLabel
from models.names import NetworkName, Stage

Explain: TypeAlias = Callable[["PictureComparison", TargetOptions], "PictureComparison"]
"""Asks the lineup of a comparison about the same picture."""

Divide: TypeAlias = Callable[["PictureComparison", ConceptOptions], PictureConcepts]
"""Divides what the lineup's networks computed for the picture."""

SUFFIXES = (".png", ".svg", ".pdf", ".npz", ".json", ".html")


class PictureComparison:
    """The networks' heat maps of one picture for one class, and all that was computed on the way.

    In a notebook it draws itself: two maps under a handle, with a read-out of their values; where scripts are off, the
    figure.

    Args:
        comparison: the answers.
        explain: asks the lineup again.
        divide: asks the lineup for concepts.

    Attributes:
        comparison: the same, with the picture, its place and the logits.
    """

    def __init__(self, comparison: Comparison, explain: Explain, divide: Divide) -> None:
        self.comparison = comparison
        self._explain = explain
        self._divide = divide

    @property
    def target(self) -> ClassLabel:
        """The explained class, the same for all networks: `.index` in 0..K-1 and `.name`."""
        return self.comparison.target.label

    @property
    def against(self) -> tuple[ClassLabel, ...]:
        """The classes that Finer-CAM contrasted the explained one with; empty for other methods."""
        return self.comparison.against

    @property
    def heat_maps(self) -> dict[NetworkName, FloatArray]:
        """Each network's heat map, by its name.

        (H, W) float32, at least 0, read-only; one value per position of the stage's map, in the method's own units
        (logits for Grad-CAM), so that networks can be compared. `box` says where on the picture they lie.
        """
        return {name: heat_map.values for name, heat_map in self.comparison.heat_maps.items()}

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The part of the picture that the maps cover: left, upper, right, lower in its pixels, upright."""
        return self.comparison.analysis.placement.box

    @property
    def gates(self) -> dict[NetworkName, dict[str, dict[str, FloatArray]]]:
        """Every gate, by network, block and kind: `comparison.gates["cbam"]["layer4.1"]["spatial"]`.

        float32 in 0..1, read-only. `channel` is (C,); `spatial` is (H, W); `joint` is (H, W), the mean over channels of
        a gate of channels and positions. Networks without gates have no blocks.
        """
        return {
            name: {
                block.name: {kind.value: gate.values for kind, gate in block.gates.items()} for block in trace.blocks
            }
            for name, trace in self.comparison.analysis.traces.items()
        }

    @property
    def predictions(self) -> dict[NetworkName, tuple[Prediction, ...]]:
        """Each network's five likeliest classes: `.label.name` and `.probability` in 0..1, the likeliest first."""
        return {name: self.comparison.predictions(name) for name in self.comparison.names}

    @property
    def probabilities(self) -> dict[NetworkName, FloatArray]:
        """P of every class by each network, (K,) float32 in 0..1."""
        return {name: trace.probabilities for name, trace in self.comparison.analysis.traces.items()}

    def explain(
        self,
        target: str | int | None = None,
        *,
        method: Method | str = Method.GRADCAM,
        stage: Stage | int = Stage.FOUR,
        against: str | int | None = None,
    ) -> "PictureComparison":
        """Ask about the same picture for another class, method or stage, but for `scorecam` without a forward pass.

        Args:
            target: as in `OpenLineup.compare`, and so are the others.
            method: the method that makes the maps.
            stage: the stage whose output is explained, 1 to 4.
            against: the class that `finercam` contrasts with.

        Raises:
            LensError: for an option that is not valid.
        """
        return self._explain(self, read_target_options(target, method, stage, against=against))

    def concepts(self, count: int = 5, *, stage: Stage | int = Stage.FOUR) -> PictureConcepts:
        """Divide what each network computed into parts that it treats alike, without a class; gates are as learned.

        The first call imports scikit-learn, which takes a few seconds.

        Args:
            count: the number of concepts, 2 to 8.
            stage: the stage whose features are divided, 1 to 4; only concepts of stage 4 have classes.

        Raises:
            LensError: for an option that is not valid.
        """
        return self._divide(self, read_concept_options(count, stage))

    def figure(
        self,
        *,
        difference: bool = True,
        scale: Scale | str = Scale.SHARED,
        colormap: Colormap | str = Colormap.VIRIDIS,
        opacity: float = 0.5,
    ) -> Image.Image:
        """Draw the paper's figure: the picture and every network's map, with P of the explained class.

        Args:
            difference: add the last network's map minus the baseline's.
            scale: `shared`, one maximum for all maps, or `own`.
            colormap: `viridis`, `magma`, `cividis`, `turbo` or `jet`.
            opacity: of the colours over the picture, 0..1.

        Returns:
            RGB, at 150 dots per inch.

        Raises:
            ValueError: for an option that is out of its range.
        """
        options = FigureOptions(difference=difference, scale=Scale(scale), colormap=Colormap(colormap), opacity=opacity)
        return Image.open(io.BytesIO(self._draw(options, FigureFormat.PNG))).convert("RGB")

    def save(self, path: str | PathLike[str]) -> Path:
        """Write a file, by the suffix of its name; an old file stays until the new one is complete.

        `.png`, `.svg` and `.pdf` are the figure; `.npz` has all arrays (see `numpy.load`), `.json` the numbers, and
        `.html` is the drawing of a notebook as a page.

        Raises:
            InvalidOption: for another suffix.
            OSError: when it cannot be written.
        """
        path = Path(path).expanduser()
        write_whole(path, self._encode(path.suffix.lower()), option="path")
        return path

    def rows(self) -> list[dict[str, Any]]:
        """One row per network for a table: `pandas.DataFrame(comparison.rows())`.

        `against` names the classes that Finer-CAM contrasted with and is empty for other methods.
        `probability` is P of the explained class, 0..1; `map_max` and `map_mean` are in the method's units; `peak_x`
        and `peak_y` in the picture's pixels; `correlation`, `overlap` and `peak_distance` compare the map with the
        baseline's and are None in its own row.
        """
        return [self._make_row(name) for name in self.comparison.names]

    def _make_row(self, name: NetworkName) -> dict[str, Any]:
        comparison, baseline = self.comparison, self.comparison.names[0]
        first, statistics = comparison.predictions(name, count=1)[0], comparison.statistics(name)
        compared = None if name == baseline else comparison.compare_maps(Difference(name, baseline))
        return {
            "lineup": comparison.analysis.card.name,
            "network": name,
            "title": comparison.analysis.card.title_network(name),
            "target_index": self.target.index,
            "target": self.target.name,
            "against": ", ".join(label.name for label in self.against),
            "method": comparison.method.value,
            "stage": comparison.stage.value,
            "probability": comparison.target_probability(name),
            "first": first.label.name,
            "first_probability": first.probability,
            "map_max": statistics.maximum,
            "map_mean": statistics.mean,
            "peak_x": statistics.peak_x,
            "peak_y": statistics.peak_y,
            "share_above_half": statistics.share_above_half,
            "correlation": None if compared is None else compared.correlation,
            "overlap": None if compared is None else compared.overlap,
            "peak_distance": None if compared is None else compared.peak_distance,
        }

    def _draw(self, options: FigureOptions, file_format: FigureFormat) -> bytes:
        return draw_comparison_figure([self.comparison], options, file_format)

    def _encode(self, suffix: str) -> bytes:
        match suffix:
            case ".png" | ".svg" | ".pdf":
                return self._draw(FigureOptions(difference=True), FigureFormat(suffix[1:]))
            case ".npz":
                return pack_maps(self.comparison)
            case ".json":
                answer = build_analysis_answer(self.comparison, links=None)
                return answer.model_dump_json(indent=2, exclude={"id", "links"}).encode()
            case ".html":
                return draw_html(self.comparison, is_page=True).encode()
        raise refuse_choice("the file's suffix", suffix, SUFFIXES)

    def _repr_html_(self) -> str:
        return draw_html(self.comparison)

    def __repr__(self) -> str:
        shares = ", ".join(f"{name} P = {self.comparison.target_probability(name):.4f}" for name in self.heat_maps)
        return f"<comparison of {self.target.name}: {shares}>"
