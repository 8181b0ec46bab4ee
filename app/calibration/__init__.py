"""`cbam-lens calibrate`: each network's temperature, and the threshold of "none of the classes fits well".

The temperature is chosen on all of the given pictures, and tested by parts: each at a temperature that the others
chose. The threshold is chosen on one half and tested on the other.

| number | from |
|---|---|
| temperature | least negative log-likelihood, `scipy.optimize.minimize_scalar`; Guo et al., ICML 2017 |
| calibration error | `app.evaluation.measures.calibration` |
| score | `models.probabilities.score_fit`; Liu et al., CVPR 2023 |

The score is the best of six that need nothing but logits: maximum P, entropy, energy, the largest logit alone and minus
the mean of the next ten, and generalised entropy. They were compared with EfficientNet-Lite0 and 1,000 classes on 560
pictures of known classes and 666 of Caltech-101's pictures of none of them.
"""

from app.calibration.options import CalibrationOptions
from app.calibration.report import CalibrationReport
from app.calibration.run import calibrate_lineup
from app.calibration.table import tabulate_calibration

__all__ = ["CalibrationOptions", "CalibrationReport", "calibrate_lineup", "tabulate_calibration"]
