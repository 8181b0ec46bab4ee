"""The names of the methods that make class activation maps. Nothing here imports torch."""

from enum import StrEnum


class Method(StrEnum):
    """A method that makes one map from a stage's activations and its channels' weights."""

    GRADCAM = "gradcam"
    GRADCAM_PLUS_PLUS = "gradcam++"
    XGRADCAM = "xgradcam"
    HIRESCAM = "hirescam"
    LAYERCAM = "layercam"
    EIGENCAM = "eigencam"
    EIGENGRADCAM = "eigengradcam"
    GRADCAM_ELEMENTWISE = "gradcamelementwise"
    FINERCAM = "finercam"
    """Grad-CAM of the class's score minus those of similar classes: why this class and not those."""
    SCORECAM = "scorecam"
    """Without gradients: one more forward pass for each channel of each network."""

    @classmethod
    def _missing_(cls, value: object) -> "Method | None":
        # A plus sign that a client did not escape in a query arrives as a space.
        return cls.GRADCAM_PLUS_PLUS if value == "gradcam  " else None


LIVE_METHODS: tuple[Method, ...] = tuple(method for method in Method if method is not Method.SCORECAM)
"""Those that are done with a picture in one pass of each network."""

METHOD_HELP = (
    "The method that makes a map from activations and their weights. `finercam` contrasts the class with similar ones. "
    "`scorecam` is slow: it takes one forward pass per channel of the stage and network, which for the shipped lineup "
    "are 72 passes at stage 1, 120 at stage 2, 336 at stage 3 and 3,840 at stage 4."
)
"""The methods' description for those who choose one, with the cost of the slow one."""
