"""The names of the methods that make class activation maps. Nothing here imports torch."""

from enum import StrEnum


class Method(StrEnum):
    """A method that makes one map from activations and gradients."""

    GRADCAM = "gradcam"
    GRADCAM_PLUS_PLUS = "gradcam++"
    XGRADCAM = "xgradcam"
    HIRESCAM = "hirescam"
    LAYERCAM = "layercam"
    EIGENCAM = "eigencam"
    EIGENGRADCAM = "eigengradcam"
    GRADCAM_ELEMENTWISE = "gradcamelementwise"

    @classmethod
    def _missing_(cls, value: object) -> "Method | None":
        # A plus sign that a client did not escape in a query arrives as a space.
        return cls.GRADCAM_PLUS_PLUS if value == "gradcam  " else None
