"""Whether any of the classes fits a picture."""

from dataclasses import dataclass

import numpy as np

from app.engine.traces import LineupTrace
from models.calibration import FitThreshold
from models.probabilities import score_fit


@dataclass(frozen=True, slots=True)
class PictureFit:
    """How well the classes fit a picture.

    Attributes:
        score: the mean of the networks' scores, see `score_fit`; higher means a better fit.
        threshold: the lowest score that fits.
    """

    score: float
    threshold: float

    @property
    def is_good(self) -> bool:
        """Whether one of the classes fits well."""
        return self.score >= self.threshold


def judge_fit(traces: LineupTrace, rule: FitThreshold | None) -> PictureFit | None:
    """Compare a picture's score with a lineup's threshold; None for a lineup without one."""
    if rule is None:
        return None
    score = np.mean([score_fit(trace.probabilities) for trace in traces.values()])
    return PictureFit(float(score), rule.threshold)
