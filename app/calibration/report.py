"""A calibration's results: the output of `cbam-lens calibrate --json`."""

from pydantic import Field

from models.calibration import CalibrationModel, FitThreshold, TemperatureRecord
from models.names import Geometry, NetworkName, Resolution


class NetworkResult(CalibrationModel):
    """One network's temperature, with figures of the pictures on which it was chosen.

    Attributes:
        temperature: the chosen temperature.
        top1: the share of right first guesses, 0..1.
        loss_before, loss_after: the mean negative log-likelihood at temperature 1 and at the temperature, in nats.
        chance_error: the calibration error that a perfectly calibrated network of the same P would show on average on
            as many pictures, 0..1. It is not 0, because bins of few pictures have gaps by chance.
        record: what is written into files and cards.
    """

    temperature: float = Field(gt=0)
    top1: float
    loss_before: float
    loss_after: float
    chance_error: float
    record: TemperatureRecord


class FitResult(CalibrationModel):
    """The threshold, with figures of the pictures on which it was tested.

    Attributes:
        separation: the AUROC of known against outside pictures, 0..1.
        false_alarms_named: the false alarms among known pictures that all networks name rightly, 0..1; None if there is
            no such picture.
        false_alarms_at_80: the false alarms at another threshold, below which 80 % of the outside pictures are, 0..1.
        record: what is written into files and cards.
    """

    separation: float
    false_alarms_named: float | None
    false_alarms_at_80: float
    record: FitThreshold


class CalibrationReport(CalibrationModel):
    """All results of one calibration.

    Attributes:
        lineup: its name.
        data: the pictures' name.
        geometry, resolution: how a picture became the input; the lineup's own.
        unreadable: the pictures that could not be read, with the reasons.
        networks: each network's result.
        fit: the threshold; None without outside pictures.
        written: the files that were written.
    """

    lineup: str
    data: str
    geometry: Geometry
    resolution: Resolution
    unreadable: tuple[str, ...]
    networks: dict[NetworkName, NetworkResult]
    fit: FitResult | None
    written: tuple[str, ...] = ()
