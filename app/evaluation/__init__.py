"""`cbam-lens evaluate`: how often the networks are right, how sure they are, and where they look.

Sources of the numbers:

| number | from | why |
|---|---|---|
| heat maps | grad-cam | used everywhere in the program, see `app.explain.cam` |
| P of the class under removal and insertion | grad-cam's `PerturbationConfidenceMetric`, with a target at the network's temperature | fits |
| intervals | `scipy.stats.bootstrap` | fits |
| deletion and insertion areas | ours, on top of those | grad-cam has no curve; its ROAD solves a sparse system per picture and percentile, which takes 0.3 s, so most of an hour for 501 pictures, and draws its noise from torch's global generator |
| pointing game, share inside | ours | Quantus 0.6 has both, but only for masks of the input's size and without a tolerance; a map without evidence, or a flat one, raises an AssertionError for its whole batch; and it needs pandas and tqdm for two lines of arithmetic |
| IoU at a share of the maximum | ours | no package here has it |
| calibration error | ours | torchmetrics 1.9 has the error without its table, and needs two more packages |

The shares, the hits and the calibration error equal those of Quantus 0.6.0 and torchmetrics 1.9.0; the tests contain their
results.
"""  # noqa: E501  # a table's row is one line
