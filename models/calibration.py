"""What a calibration found: a network's temperature, and a lineup's threshold for pictures of none of its classes.

Both are kept in the weight files' metadata and in a lineup's card, with figures of pictures
that did not choose what they tested. Nothing here imports torch.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FitScore = Literal["generalised_entropy"]
"""The scores that say how well a picture fits; see `models.probabilities.score_fit`."""


class CalibrationModel(BaseModel):
    """A frozen record that refuses unknown keys and numbers that are not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TemperatureRecord(CalibrationModel):
    """The pictures on which a temperature was chosen and tested.

    Attributes:
        data: the pictures' name.
        chosen_pictures: the number of pictures on which it was chosen.
        tested_pictures: the number of pictures on which the errors were measured.
        parts: 1 if these are other pictures; otherwise they are the same, and each was tested at a temperature that was
            chosen without its part of them.
        error_before: the expected calibration error at temperature 1, 0..1.
        error_after: the expected calibration error at the temperature, 0..1.
        corrected_error: the calibration error at the temperature without what chance adds to it, 0..1, see
            `app.evaluation.measures.calibration`; None in files of earlier releases.
    """

    data: str
    chosen_pictures: int = Field(ge=1)
    tested_pictures: int = Field(ge=1)
    parts: int = Field(default=1, ge=1)
    error_before: float = Field(ge=0, le=1)
    error_after: float = Field(ge=0, le=1)
    corrected_error: float | None = Field(default=None, ge=0, le=1)


class FitThreshold(CalibrationModel):
    """The threshold below which none of the classes fits a picture well.

    The shares were measured on pictures on which the threshold was not chosen.

    Attributes:
        score: the score that is compared with it; higher means a better fit.
        threshold: the lowest score that fits.
        networks: the number of networks over which the score is the mean; a lineup of another number does not use it.
        known: the name of the pictures of known classes.
        known_pictures: the number of them on which false alarms were counted.
        false_alarms: the share of them that do not fit, 0..1.
        outside: the name of the pictures of none of the classes.
        outside_pictures: the number of them on which misses were counted.
        misses: the share of them that fit, 0..1.
    """

    score: FitScore
    threshold: float
    networks: int = Field(ge=1)
    known: str
    known_pictures: int = Field(ge=1)
    false_alarms: float = Field(ge=0, le=1)
    outside: str
    outside_pictures: int = Field(ge=1)
    misses: float = Field(ge=0, le=1)


class NetworkCalibration(CalibrationModel):
    """The calibration that a weight file carries.

    Attributes:
        temperature: the network's temperature; None for a network that was not calibrated, which means 1.
        calibration: how the temperature was found; None if that is not known.
        fit: the threshold of the lineup that it was calibrated in; None if none was chosen.
    """

    temperature: float | None = Field(default=None, gt=0)
    calibration: TemperatureRecord | None = None
    fit: FitThreshold | None = None


NOT_CALIBRATED = NetworkCalibration()
