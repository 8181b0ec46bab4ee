"""A lineup that answers questions about pictures."""

from collections.abc import Sequence

from app.analysis.lens import Lens
from app.analysis.options import ConceptOptions, GeometryOptions, TargetOptions
from app.analysis.passes import Waiting
from app.analysis.timing import Timings
from app.explain.methods import Method
from app.output.pass_bar import PassBar
from app.python.background import find_background
from app.python.picture_comparison import PictureComparison
from app.python.picture_concepts import PictureConcepts
from app.python.pictures import PictureSource, read_picture
from app.python.reading import choose, read_target_options
from app.settings import Settings
from models.lineups.card import ClassLabel, LineupCard
from models.lineups.lineup import Lineup
from models.names import Geometry, NetworkName, Resolution, Stage


class OpenLineup:
    """Two to five networks, ready to answer.

    Several threads may ask at once; the networks answer one question after the other.

    Args:
        lineup: the networks, in evaluation mode with frozen parameters.

    Attributes:
        lineup: the same, with its card.
    """

    def __init__(self, lineup: Lineup) -> None:
        self.lineup = lineup
        self._lens = Lens(
            find_background().engine,
            lineup,
            max_pixels=Settings().max_picture_pixels,
            waiting=Waiting(watcher=PassBar()),
        )

    @property
    def card(self) -> LineupCard:
        """All that is known of the lineup: title, preprocessing, provenance, warnings, and each network's card."""
        return self.lineup.card

    @property
    def networks(self) -> tuple[NetworkName, ...]:
        """The networks' names in their order; the first one is the baseline."""
        return self.lineup.names

    @property
    def classes(self) -> tuple[ClassLabel, ...]:
        """The classes in index order, K of them."""
        return self.lineup.labels

    def compare(  # noqa: PLR0913  # the options of a comparison, each by its name
        self,
        picture: PictureSource,
        target: str | int | None = None,
        *,
        method: Method | str = Method.GRADCAM,
        stage: Stage | int = Stage.FOUR,
        geometry: Geometry | str | None = None,
        resolution: Resolution | int | None = None,
        interventions: Sequence[str] = (),
        against: str | int | None = None,
    ) -> PictureComparison:
        """Compare the networks' heat maps of a picture for one class.

        Args:
            picture: a path, bytes, a Pillow picture, an array (H, W), (H, W, 3) or (H, W, 4), or a tensor (C, H, W);
                uint8 in 0..255 or floating point in 0..1, not normalised. See `read_picture`.
            target: the explained class, by name or by index 0..K-1; None for the class that the networks' mean
                probability ranks first. All networks explain the same class.
            method: `gradcam`, `gradcam++`, `xgradcam`, `hirescam`, `layercam`, `eigencam`, `eigengradcam`,
                `gradcamelementwise`, `finercam` or `scorecam`. The last one is slow: it takes a forward pass per
                channel of the stage and network, for the shipped lineup 72 at stage 1, 336 at stage 3 and 3,840 at
                stage 4; a bar on standard error shows how far it is.
            stage: the stage whose output is explained, 1 (fine) to 4 (deep).
            geometry: `whole` or `center_crop`; None for the lineup's own.
            resolution: the shorter side of the networks' input in pixels; None for the lineup's own.
            interventions: changes to learned gates, such as `cbam:all:spatial:neutral`.
            against: for `finercam`, the class to contrast with, by name or index; None for the three whose scores are
                nearest to the explained class's.

        Raises:
            LensError: for a picture or an option that is not valid; the message names the remedy.
            TypeError: for something that is no picture.
            OSError: for a file that cannot be read.
        """
        seen_as = GeometryOptions(
            geometry=None if geometry is None else choose("geometry", geometry, Geometry),
            resolution=None if resolution is None else choose("resolution", resolution, Resolution),
        )
        options = read_target_options(target, method, stage, interventions, against)
        question = self._lens.compare_picture(read_picture(picture), seen_as, options, Timings())
        return PictureComparison(find_background().run(question), self._explain, self._divide)

    def _explain(self, known: PictureComparison, options: TargetOptions) -> PictureComparison:
        """See `PictureComparison.explain`."""
        comparison = known.comparison
        if comparison.altered is not None:
            # Traces of changed gates have no features to explain; the same changes are made again.
            changes = tuple(str(intervention) for intervention in comparison.altered.interventions)
            comparison = comparison.altered.learned
            options = options.model_copy(update={"interventions": changes})
        question = self._lens.compare(comparison.analysis, options, Timings())
        return PictureComparison(find_background().run(question), self._explain, self._divide)

    def _divide(self, known: PictureComparison, options: ConceptOptions) -> PictureConcepts:
        """See `PictureComparison.concepts`."""
        comparison = known.comparison
        # Traces of changed gates have no features to divide.
        learned = comparison.learned
        question = self._lens.find_concepts(learned.analysis, options, Timings())
        return PictureConcepts(find_background().run(question))

    def __repr__(self) -> str:
        networks = ", ".join(f"{name} ({self.card.title_network(name)})" for name in self.networks)
        untrained = "" if self.card.trained else ", untrained"
        return f"<lineup {self.card.name}: {networks}; {len(self.classes):,} classes, {self.lineup.device}{untrained}>"
